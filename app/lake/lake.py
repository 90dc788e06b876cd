"""The lake as a whole: its generations of tables, its published versions, and the versions that somebody pinned."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.lake.storage import LakeDamagedError, Table, damaged
from app.lake.versions import LakeVersion, TableVersion
from app.settings import settings
from db.errors import SightlineError

_LATEST = "latest"


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
        if self.generation == self.published_generation:
            write_whole(self.folder / "generation", str(self.generation + 1))

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
        try:
            newest: dict[str, Any] = json.loads((self.folder / _LATEST).read_text(encoding="utf-8"))
            newest["number"] = int(newest["number"])
        except FileNotFoundError:
            return {"number": 0}
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise damaged(_LATEST, error) from error
        return newest

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
        return _opened(self.folder, number)

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
        raise UnknownVersionError(
            f"The lake has no version {number}.",
            why=f"The newest is {self.latest_number}, and old ones are kept only when they are pinned.",
            fix=f"Ask as of a version from {min(self.numbers(), default=0)} on, or of the newest.",
        )

    def publish(self, content: Mapping[str, Any]) -> int:
        """Make the next version visible, at once and whole."""
        number = max([self.latest_number, *self.numbers()]) + 1
        write_whole(self._versions / f"{number:08}.json", json.dumps({"number": number} | dict(content)))
        self.confirm(number, _instant(content["data_through"]))
        return number

    def confirm(self, number: int, complete_through: datetime) -> None:
        """Say up to when a version tells everything."""
        newest = {"number": number, "complete_through": complete_through.isoformat()}
        write_whole(self.folder / _LATEST, json.dumps(newest))

    def pin(self, number: int) -> None:
        """Keep a version for good: a link, an export or a closed month leans on it."""
        content = self.read(number)
        write_whole(self._pins / f"{number:08}.json", json.dumps(content))

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


def the_lake() -> Lake:
    """The lake of this installation."""
    return Lake(settings().lake_folder)


def write_whole(path: Path, content: str) -> None:
    """A file that is there with all its content or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class _Tables(Mapping[str, TableVersion]):
    """Table versions that are opened when they are asked for: a question needs one or two of fifty."""

    def __init__(self, folder: Path, written: Mapping[str, Sequence[Any]]) -> None:
        self._folder = folder
        self._written = written

    def __getitem__(self, name: str) -> TableVersion:
        place, version = self._written[name][:2]
        opened = Table((self._folder / place).parent, Path(place).name).at(version)
        return TableVersion(name, opened.version, opened.parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


@lru_cache(maxsize=64)
def _opened(folder: Path, number: int) -> LakeVersion:
    written = Lake(folder).read(number)
    try:
        return LakeVersion(
            number=number,
            zone=ZoneInfo(written["zone"]).key,
            data_through=_instant(written["data_through"]),
            loaded_at=_instant(written["loaded_at"]),
            price_book_version=written["price_book_version"],
            # Not noted before it was shown.
            machine_rules_version=written.get("machine_rules_version"),
            rollups=_Tables(folder, written["rollups"]),
            sources=_Tables(folder, written["sources"]),
        )
    except (KeyError, ValueError) as error:
        raise LakeDamagedError(
            f"Version {number} of the lake can't be read.",
            why=f"It was written in another form ({error}).",
            fix="`sightline refresh --rebuild` makes the lake anew from the database.",
        ) from error


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
