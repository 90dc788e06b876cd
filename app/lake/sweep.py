"""Forgets old versions of the lake, and deletes the files that no version tells of any more."""

import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

from app.lake.commits import LOG, commit_number, first_needed, since
from app.lake.lake import Lake, places

# Readers hold the version that they opened for minutes at most.
_ALL_FOR = timedelta(minutes=10)
_BY_MINUTE_FOR = timedelta(hours=2)
# "As of" some time of the last days, without anybody having pinned it.
_BY_HOUR_FOR = timedelta(days=7)
# A refresh writes files before it commits them; one that takes longer than this has died.
UNCOMMITTED_SECONDS = 6 * 3600


Alone = Callable[[], AbstractContextManager[None]]


def sweep(lake: Lake, now: datetime | None = None, alone: Alone = nullcontext) -> dict[str, int]:
    """Thin out versions, then delete what is left without one. Pinned versions and their files stay.

    What can be deleted is found while others write: many versions take long to look through. Only then nobody else may.
    """
    superfluous = set(_superfluous(lake, now or datetime.now(UTC)))
    kept = set(lake.numbers()) - superfluous
    generations = _generations(lake, kept)
    unknown = _unknown(lake, kept, generations)
    with alone():
        for number in sorted(superfluous):
            lake.forget(number)
        # What was published, pinned or begun meanwhile keeps what it needs.
        late = set(lake.numbers()) - kept
        begun = _generations(lake, late) - generations
        known = _known_files(lake, late) | _known_commits(lake, late, unknown) if late else set()
        gone = [name for name in unknown if name not in known and _generation(name) not in begun]
        lake.remove(gone)
        for folder in lake.folder.glob("g[0-9]*"):
            if _generation(folder.name) not in generations | begun:
                shutil.rmtree(folder)
    return {"versions_forgotten": len(superfluous), "files_deleted": len(gone)}


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


def _generations(lake: Lake, numbers: Iterable[int]) -> set[int]:
    return {lake.read(number)["generation"] for number in numbers} | {lake.generation}


def _unknown(lake: Lake, numbers: Iterable[int], generations: Container[int]) -> list[str]:
    """Files that none of these versions, and no newest commit, tells of; new ones may belong to a refresh under way."""
    stored = lake.stored()
    known = _known_files(lake, numbers) | _known_commits(lake, numbers, stored)
    is_old = time.time() - UNCOMMITTED_SECONDS
    return [
        name
        for name, written_at in stored.items()
        if _generation(name) not in generations or (written_at < is_old and name not in known)
    ]


def _generation(name: str) -> int:
    return int(name.partition("/")[0][1:])


def _known_files(lake: Lake, numbers: Iterable[int]) -> set[str]:
    """The files of every version that is kept, and those of each table's newest commit."""
    tables = {table for number in numbers for table in places(lake.read(number)).items()}
    return {name for place, version in tables for name in lake.names(lake.table_at(place, version))} | {
        name for table in lake.written_to() for name in lake.names(table.open())
    }


def _known_commits(lake: Lake, numbers: Iterable[int], stored: Iterable[str]) -> set[str]:
    """What of the logs is needed to tell of the versions that are kept, and to write the next."""
    oldest = {table.folder.relative_to(lake.folder).as_posix(): table.open().version for table in lake.written_to()}
    for number in numbers:
        for place, version in places(lake.read(number)).items():
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
