"""A lake in object storage: files never change but the pointer, so each machine keeps a mirror and reads that.

A version counts once the pointer in the bucket names it. One process writes at a time, as in a folder: it brings what
others have published, works in its mirror, and pushes what is new, the pointer last.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from app.lake.bucket import Bucket, BucketError
from app.lake.commits import LOG, first_needed, since
from app.lake.lake import LATEST, Lake, parsed_pointer, places, pointer, write_whole
from app.lake.storage import LakeDamagedError, forget_opened
from app.lake.sweep import UNCOMMITTED_SECONDS
from app.lake.versions import TableVersion
from db.errors import SightlineError

_LOOK_AGAIN_SECONDS = 1.0
_EVICT_AGAIN_SECONDS = 3600.0
# Which version the mirror holds whole, with nothing of other writers in between: what is committed next stands on it.
_WHOLE = "whole"


class Mirror(Lake):
    """A folder with as much of a bucket's lake as was needed here."""

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        super().__init__(folder)
        self._bucket = bucket
        # What the bucket's pointer said when this process began to write.
        self._seen: bytes | None = None
        self._looking = threading.Lock()
        self._looked_at = self._evicted_at = -_LOOK_AGAIN_SECONDS
        self._has_looked = False
        self._is_reached = True

    # Reading.

    @property
    def _newest(self) -> dict[str, Any]:
        if time.monotonic() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            self._look_by_and_by()
        return pointer(self.folder)

    def look(self) -> None:
        """Bring the newest version if it is another one: its files first, the pointer last."""
        told = self._bucket.read(LATEST)
        if told is None or told == self._told_here():
            return
        with self._alone():
            newest, here = parsed_pointer(told), pointer(self.folder)
            if _age(newest) <= _age(here):
                return  # Another process of this machine was faster.
            if newest["number"] > here["number"]:
                self._bring(newest["number"], self._places(here["number"]), is_whole=False)
            write_whole(self.folder / LATEST, told.decode())

    def read(self, number: int) -> dict[str, Any]:
        """What was written down of a version, here or in the bucket."""
        if not self._file(number).exists() and number <= pointer(self.folder)["number"]:
            for name in (_version(number), _pin(number)):
                if (content := self._bucket.read(name)) is not None:
                    write_whole(self._file(number), content.decode())
                    break
        return super().read(number)

    def table_at(self, place: str, version: int) -> TableVersion:
        """A table as a commit left it; its log is brought when it is not here."""
        try:
            return super().table_at(place, version)
        except LakeDamagedError:
            with self._alone():
                self._bring_logs({place: version}, self._places(pointer(self.folder)["number"]))
            return super().table_at(place, version)

    def readable_at(self, place: str, version: int) -> TableVersion:
        """The same, with all its files there."""
        table = self.table_at(place, version)
        self._bring_files([table])
        return table

    def pin(self, number: int) -> None:
        """Keep a version for good, wherever old ones are swept."""
        if number in self.numbers("pins"):
            return
        self._bucket.write(_pin(number), json.dumps(self.read(number)).encode())
        if number not in self.numbers("versions"):
            # The sweep was faster, and did not see the pin.
            self._bucket.delete([_pin(number)])
            raise self._unknown(number)

    def numbers(self, *kinds: str) -> list[int]:
        """All versions that can still be read, by anybody."""
        return sorted({int(Path(name).stem) for name in self._bucket.objects(*(kinds or ("versions", "pins")))})

    def unpinned(self) -> list[int]:
        """Versions that may be forgotten, oldest first."""
        return sorted(set(self.numbers("versions")) - set(self.numbers("pins")))

    # Writing: only while it is this process's turn.

    def catch_up(self) -> None:
        """Bring all that another machine has published, and drop what was begun here on an older version."""
        self._seen = self._bucket.read(LATEST)
        if self._seen is None:
            return
        number, here = parsed_pointer(self._seen)["number"], pointer(self.folder)["number"]
        if number < here:
            raise SightlineError(
                f"The lake in {self._bucket.shown} is older than what this machine has of it.",
                why=f"Its newest version is {number}; here it is {here}.",
                fix=f"If it was made anew on purpose, stop Sightline here and remove {self.folder}.",
            )
        if number == self._whole:
            return
        with self._alone():
            self._bring(number, self._places(self._whole), is_whole=True)
            self._drop_all_after(number)
            if self.generation < (published := Lake.read(self, number)["generation"]):
                write_whole(self.folder / "generation", str(published))
            self._settle(number)

    def confirm(self, number: int, complete_through: datetime) -> None:
        """Publish a version, or say up to when the published one tells everything."""
        base = parsed_pointer(self._seen)["number"] if self._seen else 0
        if number != base:
            self._push(number, base)
        if self._bucket.read(LATEST) != self._seen:
            raise SightlineError(
                f"Another refresh has published to {self._bucket.shown}.",
                why="Only one may write at a time; this one was cut off from the database that says whose turn it is.",
                fix="Run `sightline refresh` again.",
            )
        told = json.dumps({"number": number, "complete_through": complete_through.isoformat()}).encode()
        self._bucket.write(LATEST, told)
        self._seen = told
        with self._alone():
            self._settle(number)

    def forget(self, number: int) -> None:
        """Drop a version that nobody has pinned; its files are swept away later."""
        self._bucket.delete([_version(number)])
        super().forget(number)

    def stored(self) -> dict[str, float]:
        """What the bucket holds of tables, logs with it, each with when it was written."""
        listed = self._bucket.objects()
        return {name: stored.modified for name, stored in listed.items() if name[0] == "g" and "/" in name}

    def remove(self, names: Iterable[str]) -> None:
        """Delete what nobody needs, from the bucket and here."""
        listed = list(names)
        self._bucket.delete(listed)
        super().remove(listed)

    def evict(self) -> None:
        """Give back the room of what the newest version does not need; the bucket has it."""
        with self._alone():
            newest = Lake.read(self, pointer(self.folder)["number"])
            tables = [super(Mirror, self).table_at(*at) for at in places(newest).items() if self._holds(at[0])]
            known = {name for table in tables for name in self.names(table)}
            known |= {name for table in self.written_to() for name in self.names(table.open())}
            before = time.time() - UNCOMMITTED_SECONDS
            super().remove(name for name, at in self.data().items() if at < before and name not in known)
            for file in self._versions.glob("*.json"):
                if int(file.stem) not in {newest["number"], self._whole} and file.stat().st_mtime < before:
                    file.unlink(missing_ok=True)

    def _next_number(self) -> int:
        # One that was written down and not published is written anew.
        return int(pointer(self.folder)["number"]) + 1

    def _push(self, number: int, base: int) -> None:
        """Files, then what names them, then the version: whoever sees one of these finds all that it tells of."""
        before = self._places(base)
        there = {} if before else self._bucket.objects()
        data: set[str] = set()
        logs: list[str] = []
        for place, version in places(Lake.read(self, number)).items():
            since_commit = before.get(place, -1) + 1
            if since_commit > version:
                continue
            data |= self.names(Lake.table_at(self, place, version))
            if place in before:
                data -= self.names(Lake.table_at(self, place, before[place]))
            logs += since(self._logs(place), since_commit, version)
        self._bucket.upload(self.folder, sorted(data - there.keys()))
        self._bucket.upload(self.folder, logs)
        self._bucket.upload(self.folder, [_version(number)])

    # How files come here.

    def _bring(self, number: int, trusted: Mapping[str, int], *, is_whole: bool) -> None:
        """What a version needs. Readers need rollups, and whatever else was asked for here before."""
        self._bucket.download(self.folder, [_version(number)])
        needed = {
            place: version
            for place, version in places(Lake.read(self, number)).items()
            if is_whole or "/rollups/" in place or self._holds(place)
        }
        self._bring_logs(
            {place: at for place, at in needed.items() if trusted.get(place) != at or not self._holds(place)}, trusted
        )
        forget_opened()
        self._bring_files([Lake.table_at(self, place, version) for place, version in needed.items()])

    def _bring_logs(self, tables: Mapping[str, int], trusted: Mapping[str, int]) -> None:
        """Commits after the trusted ones are brought again: those that are here may never have been published."""
        if not tables:
            return
        listed = self._bucket.objects(*(f"{place}/{LOG}" for place in tables))
        missing: list[str] = []
        for place, version in tables.items():
            log = [name for name in listed if name.startswith(f"{place}/")]
            needed = since(log, first_needed(log, version), version)
            unsure = set(since(needed, trusted.get(place, -1) + 1))
            missing += [name for name in needed if name in unsure or not (self.folder / name).exists()]
            # It may lead to a checkpoint that is not here.
            (self.folder / place / LOG / "_last_checkpoint").unlink(missing_ok=True)
        self._bucket.download(self.folder, missing)

    def _bring_files(self, tables: Iterable[TableVersion]) -> None:
        missing = [part.path for table in tables for part in table.parts if not Path(part.path).exists()]
        if missing:
            self._bucket.download(self.folder, [os.path.relpath(path, self.folder) for path in missing])

    def _drop_all_after(self, number: int) -> None:
        """Commits and versions that were never published: somebody else's took their place."""
        told = places(Lake.read(self, number))
        for log in self.folder.glob(f"g[0-9]*/*/*/{LOG}"):
            place = log.parent.relative_to(self.folder).as_posix()
            for name in since(self._logs(place), told.get(place, -1) + 1):
                (self.folder / name).unlink(missing_ok=True)
        for file in self._versions.glob("*.json"):
            if int(file.stem) > number:
                file.unlink(missing_ok=True)
        forget_opened()

    def _settle(self, number: int) -> None:
        assert self._seen is not None  # noqa: S101 - the pointer was read or written just now
        write_whole(self.folder / LATEST, self._seen.decode())
        write_whole(self.folder / _WHOLE, str(number))

    @property
    def _whole(self) -> int:
        try:
            return int((self.folder / _WHOLE).read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def _told_here(self) -> bytes | None:
        try:
            return (self.folder / LATEST).read_bytes()
        except FileNotFoundError:
            return None

    def _places(self, number: int) -> dict[str, int]:
        return places(self.read(number)) if number else {}

    def _holds(self, place: str) -> bool:
        return (self.folder / place / LOG).exists()

    def _logs(self, place: str) -> list[str]:
        return [f"{place}/{LOG}/{file.name}" for file in (self.folder / place / LOG).iterdir()]

    def _file(self, number: int) -> Path:
        return self.folder / _version(number)

    def _look_by_and_by(self) -> None:
        """Beside whoever asks: a bucket that is slow or gone keeps nobody waiting, unless there is nothing yet."""
        is_first = not self._has_looked or not pointer(self.folder)["number"]
        if not self._looking.acquire(blocking=is_first):
            return
        self._looked_at = time.monotonic()
        if is_first:
            self._look_and_tell()
        else:
            threading.Thread(target=self._look_and_tell, name="look at the bucket", daemon=True).start()

    def _look_and_tell(self) -> None:
        """Old answers stay while the bucket can't be read; that it can't is logged once."""
        try:
            self.look()
            self._is_reached = True
            if time.monotonic() - self._evicted_at > _EVICT_AGAIN_SECONDS and pointer(self.folder)["number"]:
                self._evicted_at = time.monotonic()
                self.evict()
        except (SightlineError, OSError) as error:
            if self._is_reached:
                structlog.get_logger().warning("The lake's bucket could not be looked at.", why=str(error))
            self._is_reached = False
            if not pointer(self.folder)["number"] and isinstance(error, BucketError):
                raise
        finally:
            self._has_looked = True
            self._looking.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process and one thread of this machine at a time changes what is published here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _version(number: int) -> str:
    return f"versions/{number:08}.json"


def _pin(number: int) -> str:
    return f"pins/{number:08}.json"


def _age(newest: Mapping[str, Any]) -> tuple[int, str]:
    return newest["number"], newest.get("complete_through", "")
