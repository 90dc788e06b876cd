"""Forgets old versions of the lake, and deletes the files that no version tells of any more."""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.lake.lake import Lake
from app.lake.storage import Table

# Readers hold the version that they opened for minutes at most.
_ALL_FOR = timedelta(hours=2)
# "As of" some time of the last days, without anybody having pinned it.
_HOURLY_FOR = timedelta(days=7)
# A refresh writes files before it commits them; one that takes longer than this has died.
_UNCOMMITTED_SECONDS = 6 * 3600


def sweep(lake: Lake, now: datetime | None = None) -> dict[str, int]:
    """Thin out versions, then delete what is left without one. Pinned versions and their files stay."""
    forgotten = 0
    for number in _superfluous(lake, now or datetime.now(UTC)):
        lake.forget(number)
        forgotten += 1
    return {"versions_forgotten": forgotten, "files_deleted": _delete_unknown(lake)}


def _superfluous(lake: Lake, now: datetime) -> Iterator[int]:
    """Old versions but the last of each hour; very old ones all."""
    newest, hours = lake.latest_number, set()
    for number in reversed(lake.unpinned()):
        loaded_at = lake.at(number).loaded_at
        hour = loaded_at.replace(minute=0, second=0, microsecond=0)
        is_last_of_hour = hour not in hours
        hours.add(hour)
        if number == newest or now - loaded_at < _ALL_FOR or (now - loaded_at < _HOURLY_FOR and is_last_of_hour):
            continue
        yield number


def _delete_unknown(lake: Lake) -> int:
    deleted = 0
    versions = [lake.read(number) for number in lake.numbers()]
    told_of = {written["generation"] for written in versions} | {lake.generation}
    for folder in lake.folder.glob("g[0-9]*"):
        if int(folder.name[1:]) not in told_of:
            deleted += sum(1 for _ in folder.rglob("*.parquet"))
            shutil.rmtree(folder)
    for folder, known in _known_files(lake).items():
        for file in folder.rglob("*.parquet"):
            is_old = time.time() - file.stat().st_mtime > _UNCOMMITTED_SECONDS
            if is_old and str(file) not in known and "_delta_log" not in file.parts:
                file.unlink(missing_ok=True)
                deleted += 1
    return deleted


def _known_files(lake: Lake) -> dict[Path, set[str]]:
    """Per table the files of every version that is kept, and those of its newest commit."""
    known: dict[Path, set[str]] = defaultdict(set)
    for number in lake.numbers():
        written = lake.read(number)
        for place, version, *_ in (*written["sources"].values(), *written["rollups"].values()):
            table = _table(lake, place)
            known[table.folder] |= {part.path for part in table.at(version).parts}
    for folder in [log.parent for log in lake.folder.glob(f"g{lake.generation:04}/*/*/_delta_log")]:
        known[folder] |= {part.path for part in Table(folder.parent, folder.name).open().parts}
    return known


def _table(lake: Lake, place: str) -> Table:
    folder = lake.folder / place
    return Table(folder.parent, folder.name)
