"""The days of a zone, with the instants at which each begins and ends: no two engines find them in the same words."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

_FIRST, _LAST = date(2015, 1, 1), date(2040, 12, 31)
_SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        ("number", pa.int64()),
        ("starts_at", pa.timestamp("us", "UTC")),
        ("ends_at", pa.timestamp("us", "UTC")),
    ]
)


def calendar(zone: str) -> pa.Table:
    """A row per day; `number` counts them up, so that the days between two are their difference."""
    days = [_FIRST + timedelta(days=number) for number in range((_LAST - _FIRST).days + 1)]
    starts = [datetime.combine(day, time(), ZoneInfo(zone)) for day in [*days, _LAST + timedelta(days=1)]]
    return pa.table([days, [day.toordinal() for day in days], starts[:-1], starts[1:]], schema=_SCHEMA)


def calendar_file(folder: Path, zone: str) -> Path:
    """The same as a file of the lake, where every engine reads it."""
    path = folder / "calendars" / f"{zone.replace('/', '-')}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        pq.write_table(calendar(zone), beside)
        beside.replace(path)
    return path
