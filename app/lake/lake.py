"""The lake as a whole: its generations of tables, its published versions, and the versions that somebody pinned."""

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from app.lake.commits import LOG, commit_number
from app.lake.storage import LakeDamagedError, Opened, Table, damaged
from app.lake.versions import LakeVersion, TableVersion
from app.settings import settings
from db.errors import SightlineError

LATEST = "latest"


class NoLakeError(SightlineError):
    """Nothing was published yet."""


class UnknownVersionError(SightlineError):
    """A version that never was, or is kept no longer."""


class Lake:
    """A folder: generations of tables, and beside them the versions, each naming one commit of every table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions = folder / "versions"
        self._pins = folder / "pins"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lake) and (type(self), self.folder) == (type(other), other.folder)

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def scratch(self) -> Path:
        """Where files lie for as long as a refresh runs."""
        return self.folder / "scratch"

    @property
    def generation(self) -> int:
        """Which generation of tables is written to: a lake that is made anew is a new one beside the old."""
        try:
            return int((self.folder / "generation").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 1

    def begin_generation(self) -> None:
        """Write to new tables from now on; one that is being filled already goes on being filled."""
        if self.generation <= self.published_generation:
            write_whole(self.folder / "generation", str(self.published_generation + 1))

    @property
    def published_generation(self) -> int:
        """Which generation the newest version is of; 0 before the first."""
        number = self.latest_number
        return int(self.read(number)["generation"]) if number else 0

    def source(self, generation: int, name: str, digest: str) -> Table:
        """A source's table. Other columns make another table, so that old versions stay readable."""
        return Table(self.folder / f"g{generation:04}" / "sources", f"{name}-{digest}")

    def rollup(self, generation: int, name: str, digest: str) -> Table:
        """A rollup's table; another text or zone makes another."""
        return Table(self.folder / f"g{generation:04}" / "rollups", f"{name}-{digest}")

    @property
    def latest_number(self) -> int:
        """The number of the newest version; 0 before the first."""
        number: int = self._newest["number"]
        return number

    @property
    def complete_through(self) -> datetime | None:
        """Up to when the newest version tells everything; later than its own time when nothing happened since."""
        through = self._newest.get("complete_through")
        return _instant(through) if through else None

    @property
    def _newest(self) -> dict[str, Any]:
        return pointer(self.folder)

    def catch_up(self) -> None:
        """Whoever is about to write stands on what was published last; in a folder that all share, they do."""

    def latest(self) -> LakeVersion:
        """The newest version."""
        number = self.latest_number
        if not number:
            raise NoLakeError(
                "There are no figures yet.",
                why="The lake is empty: nothing was copied from the database so far.",
                fix="Run `sightline refresh`; while `sightline up` runs, its worker does so by itself.",
            )
        return self.at(number)

    def at(self, number: int) -> LakeVersion:
        """An earlier version, as it was."""
        return _opened(self, number)

    def read(self, number: int) -> dict[str, Any]:
        """What was written down of a version."""
        for folder in (self._versions, self._pins):
            try:
                written: dict[str, Any] = json.loads((folder / f"{number:08}.json").read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                raise damaged(f"versions/{number:08}", error) from error
            return written
        raise self._unknown(number)

    def _unknown(self, number: int) -> UnknownVersionError:
        return UnknownVersionError(
            f"The lake has no version {number}.",
            why=f"The newest is {self.latest_number}, and old ones are kept only when they are pinned.",
            fix=f"Ask as of a version from {min(self.numbers(), default=0)} on, or of the newest.",
        )

    def publish(self, content: Mapping[str, Any]) -> int:
        """Make the next version visible, at once and whole."""
        number = self._next_number()
        write_whole(self._versions / f"{number:08}.json", json.dumps({"number": number} | dict(content)))
        self.confirm(number, _instant(content["data_through"]))
        return number

    def confirm(self, number: int, complete_through: datetime) -> None:
        """Say up to when a version tells everything."""
        newest = {"number": number, "complete_through": complete_through.isoformat()}
        write_whole(self.folder / LATEST, json.dumps(newest))

    def pin(self, number: int) -> None:
        """Keep a version for good: a link, an export or a closed month leans on it."""
        pin = self._pins / f"{number:08}.json"
        if pin.exists():
            return
        write_whole(pin, json.dumps(self.read(number)))
        if not (self._versions / pin.name).exists():
            # The sweep was faster, and did not see the pin.
            pin.unlink(missing_ok=True)
            raise self._unknown(number)

    def numbers(self) -> list[int]:
        """All versions that can still be read."""
        return sorted({int(file.stem) for folder in (self._versions, self._pins) for file in folder.glob("*.json")})

    def unpinned(self) -> list[int]:
        """Versions that may be forgotten, oldest first."""
        pinned = {file.name for file in self._pins.glob("*.json")}
        return sorted(int(file.stem) for file in self._versions.glob("*.json") if file.name not in pinned)

    def forget(self, number: int) -> None:
        """Drop a version that nobody has pinned; its files are swept away later."""
        (self._versions / f"{number:08}.json").unlink(missing_ok=True)

    def table_at(self, place: str, version: int) -> TableVersion:
        """A table as a commit left it."""
        folder = self.folder / place
        return Table(folder.parent, folder.name).at(version)

    def readable_at(self, place: str, version: int) -> TableVersion:
        """The same, with all its files there."""
        return self.table_at(place, version)

    def written_to(self) -> list[Table]:
        """The tables that are there of the generation that is written to."""
        folders = [log.parent for log in self.folder.glob(f"g{self.generation:04}/*/*/{LOG}")]
        return [Table(folder.parent, folder.name) for folder in folders]

    def names(self, table: TableVersion | Opened) -> set[str]:
        """A table's files by their places in the lake."""
        return {os.path.relpath(part.path, self.folder) for part in table.parts}

    def stored(self) -> dict[str, float]:
        """The files of tables, logs with them, each with when it was written, in seconds since 1970."""
        logs = {
            file.relative_to(self.folder).as_posix(): file.stat().st_mtime
            for file in self.folder.glob(f"g[0-9]*/*/*/{LOG}/*")
        }
        # What else Delta leaves in its logs is small and few.
        return self.data() | {name: at for name, at in logs.items() if commit_number(name) is not None}

    def data(self) -> dict[str, float]:
        """The files here that hold rows."""
        return {
            file.relative_to(self.folder).as_posix(): file.stat().st_mtime
            for file in self.folder.glob("g[0-9]*/*/*/*/*.parquet")
            if file.parent.name != LOG
        }

    def remove(self, names: Iterable[str]) -> None:
        """Delete files that nobody needs."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def _next_number(self) -> int:
        return max([self.latest_number, *self.numbers()]) + 1


def the_lake() -> Lake:
    """The lake of this installation."""
    bucket = settings().lake_bucket
    return _mirror(settings().lake_folder, bucket) if bucket else Lake(settings().lake_folder)


@cache
def _mirror(folder: Path, bucket: SecretStr) -> Lake:
    # Only a lake in a bucket needs what speaks to one: it takes a while to load.
    from app.lake.bucket import Bucket  # noqa: PLC0415
    from app.lake.mirror import Mirror  # noqa: PLC0415

    return Mirror(folder, Bucket(bucket.get_secret_value()))


def pointer(folder: Path) -> dict[str, Any]:
    """Which version is the newest, and up to when it tells everything."""
    try:
        return parsed_pointer((folder / LATEST).read_bytes())
    except FileNotFoundError:
        return {"number": 0}
    except OSError as error:
        raise damaged(LATEST, error) from error


def parsed_pointer(content: bytes) -> dict[str, Any]:
    """What a pointer says."""
    try:
        newest: dict[str, Any] = json.loads(content)
        newest["number"] = int(newest["number"])
    except (ValueError, LookupError, TypeError) as error:
        raise damaged(LATEST, error) from error
    return newest


def places(written: Mapping[str, Any]) -> dict[str, int]:
    """Where the tables of a version lie, each with its commit."""
    tables = (*written["sources"].values(), *written["rollups"].values())
    return {place: version for place, version, *_ in tables}


def write_whole(path: Path, content: str) -> None:
    """A file that is there with all its content or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Threads of one process may write the same file, each with the same content.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class _Tables(Mapping[str, TableVersion]):
    """Table versions that are opened when they are asked for: a question needs one or two of fifty."""

    def __init__(self, lake: Lake, written: Mapping[str, Sequence[Any]]) -> None:
        self._lake = lake
        self._written = written

    def __getitem__(self, name: str) -> TableVersion:
        place, version = self._written[name][:2]
        opened = self._lake.readable_at(place, version)
        return TableVersion(name, opened.version, opened.parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


@lru_cache(maxsize=64)
def _opened(lake: Lake, number: int) -> LakeVersion:
    written = lake.read(number)
    try:
        return LakeVersion(
            number=number,
            zone=ZoneInfo(written["zone"]).key,
            data_through=_instant(written["data_through"]),
            loaded_at=_instant(written["loaded_at"]),
            price_book_version=written["price_book_version"],
            # Not noted before it was shown.
            machine_rules_version=written.get("machine_rules_version"),
            rollups=_Tables(lake, written["rollups"]),
            sources=_Tables(lake, written["sources"]),
        )
    except (KeyError, ValueError) as error:
        raise LakeDamagedError(
            f"Version {number} of the lake can't be read.",
            why=f"It was written in another form ({error}).",
            fix="`sightline refresh --rebuild` makes the lake anew from the database.",
        ) from error


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
