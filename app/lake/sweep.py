"""Forgets old versions of the lake, and deletes the files that no version tells of any more."""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.lake.commits import LOG, commit_number, first_needed, since
from app.lake.lake import Lake, places

# Readers hold the version that they opened for minutes at most.
_ALL_FOR = timedelta(minutes=10)
_BY_MINUTE_FOR = timedelta(hours=2)
# "As of" some time of the last days, without anybody having pinned it.
_BY_HOUR_FOR = timedelta(days=7)
# A refresh writes files before it commits them; one that takes longer than this has died.
UNCOMMITTED_SECONDS = 6 * 3600


def sweep(lake: Lake, now: datetime | None = None) -> dict[str, int]:
    """Thin out versions, then delete what is left without one. Pinned versions and their files stay."""
    forgotten = 0
    for number in _superfluous(lake, now or datetime.now(UTC)):
        lake.forget(number)
        forgotten += 1
    return {"versions_forgotten": forgotten, "files_deleted": _delete_unknown(lake)}


def _superfluous(lake: Lake, now: datetime) -> Iterator[int]:
    """Old versions but the last of each minute, then of each hour; very old ones all."""
    newest = lake.latest_number
    seen: set[str] = set()
    for number in reversed(lake.unpinned()):
        loaded_at = lake.at(number).loaded_at
        age, minute = now - loaded_at, f"{loaded_at:%Y-%m-%d %H:%M}"
        hour = minute[:-3]
        is_last = (minute if age < _BY_MINUTE_FOR else hour) not in seen
        seen |= {minute, hour}
        if number == newest or age < _ALL_FOR or (age < _BY_HOUR_FOR and is_last):
            continue
        yield number


def _delete_unknown(lake: Lake) -> int:
    stored = lake.stored()
    versions = [lake.read(number) for number in lake.numbers()]
    generations = {written["generation"] for written in versions} | {lake.generation}
    known = _known_files(lake, versions) | _known_commits(lake, versions, stored)
    is_old = time.time() - UNCOMMITTED_SECONDS
    gone = [
        name
        for name, written_at in stored.items()
        if _generation(name) not in generations or (written_at < is_old and name not in known)
    ]
    lake.remove(gone)
    for folder in lake.folder.glob("g[0-9]*"):
        if _generation(folder.name) not in generations:
            shutil.rmtree(folder)
    return len(gone)


def _generation(name: str) -> int:
    return int(name.partition("/")[0][1:])


def _known_files(lake: Lake, versions: Iterable[Mapping[str, Any]]) -> set[str]:
    """The files of every version that is kept, and those of each table's newest commit."""
    tables = {table for written in versions for table in places(written).items()}
    return {name for place, version in tables for name in lake.names(lake.table_at(place, version))} | {
        name for table in lake.written_to() for name in lake.names(table.open())
    }


def _known_commits(lake: Lake, versions: Iterable[Mapping[str, Any]], stored: Iterable[str]) -> set[str]:
    """What of the logs is needed to tell of the versions that are kept, and to write the next."""
    oldest = {table.folder.relative_to(lake.folder).as_posix(): table.open().version for table in lake.written_to()}
    for written in versions:
        for place, version in places(written).items():
            oldest[place] = min(version, oldest.get(place, version))
    logs: dict[str, list[str]] = defaultdict(list)
    for name in stored:
        if commit_number(name) is not None:
            logs[name.partition(f"/{LOG}/")[0]].append(name)
    return {
        name
        for place, names in logs.items()
        if place in oldest
        for name in since(names, first_needed(names, oldest[place]))
    }
