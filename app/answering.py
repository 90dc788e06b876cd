"""The desk of this process, and figures made anew from Postgres for one viewer."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import text

from app import serving
from app.access import Role, Viewer
from app.lake.lake import Lake, the_lake
from app.metrics.answer import Answer
from app.metrics.desk import Desk
from app.metrics.question import question
from app.settings import settings
from db.engine import driver, seeing
from db.errors import SightlineError

_LONGEST_SECONDS = 60
_MOST_AT_ONCE = 2
_RECOMPUTING = BoundedSemaphore(_MOST_AT_ONCE)
_USUAL = ("emails_delivered", "views", "conversions", "spend", "generations")


def the_desk() -> Desk:
    """One for all pages and downloads: what it keeps in memory is shared, what it answers is limited to a viewer."""
    return _desk(the_lake(), settings().currency)


@lru_cache(maxsize=1)
def _desk(lake: Lake, currency: str) -> Desk:
    # Named by what it stands on: a process whose settings are read again asks the lake that they name now.
    return Desk(lake, currency=currency)


def warm_up() -> None:
    """Load what answering needs, by a question for nobody; where there are no figures yet, there is nothing to load."""
    nobody = Viewer("nobody", frozenset({Role.ADMIN}), frozenset())
    with suppress(SightlineError):
        last = the_desk().version().data_through.date()
        asked = question(_USUAL, last - timedelta(days=28), last, by="product", grain="day", compare="previous")
        the_desk().ask(asked, nobody)


def complete_through() -> datetime | None:
    """Up to when the newest figures tell everything; later than their own time when nothing happened since."""
    return the_lake().complete_through


def require_version(number: int) -> None:
    """Refuse a version that there is not, before anything leans on it."""
    the_lake().read(number)


def keep_version(number: int) -> None:
    """Keep a version of the figures for good: an address leans on it."""
    the_lake().pin(number)


class BusyRecomputingError(SightlineError):
    """As many figures are being made anew as this process lets be."""


@dataclass(frozen=True)
class Recomputed:
    """An answer's rows as Postgres gives them now, and how far each figure moved."""

    rows: Sequence[Mapping[str, Any]]
    differences: Sequence[tuple[str, str, Any, Any]]
    seconds: float


def recomputed(answer: Answer, viewer: Viewer) -> Recomputed:
    """The same question to Postgres, inside the viewer's workspaces."""
    if not _RECOMPUTING.acquire(blocking=False):
        raise BusyRecomputingError(
            "Other figures are being recomputed.",
            why=f"Postgres reads every row for it: at most {_MOST_AT_ONCE} are recomputed at once.",
            fix="Try again in a minute.",
        )
    try:
        return _recomputed(answer, viewer)
    finally:
        _RECOMPUTING.release()


def _recomputed(answer: Answer, viewer: Viewer) -> Recomputed:
    asked = the_desk().live(answer)
    started = time.perf_counter()
    with seeing(serving.engines().ro, viewer.workspaces) as connection:
        connection.execute(
            text("SELECT set_config('timezone', :zone, true), set_config('statement_timeout', :longest, true)"),
            {"zone": asked.zone, "longest": f"{_LONGEST_SECONDS}s"},
        )
        cursor = driver(connection).execute(asked.sql.encode(), dict(asked.parameters))
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return Recomputed(rows, _differences(answer, rows), time.perf_counter() - started)


def _differences(answer: Answer, live: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, Any, Any]]:
    """Key, column, shown and live figure of every one that differs."""
    keys = [dimension.name for dimension in answer.by]
    columns = [name for name in answer.table.column_names if name not in keys and not name.endswith("_name")]
    shown = {_key(row, keys): row for row in answer.rows()}
    now = {_key(row, keys): row for row in live}
    found = []
    for key in [*shown, *(key for key in now if key not in shown)]:
        mine, theirs = shown.get(key, {}), now.get(key, {})
        found += [
            (key, name, mine.get(name), theirs.get(name))
            for name in columns
            if not _is_same(mine.get(name), theirs.get(name))
        ]
    return found


def _key(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return " · ".join(str(row[key]) for key in keys)


def _is_same(mine: Any, theirs: Any) -> bool:  # noqa: ANN401 - figures of any kind
    """Exact, but for what two databases round differently in the last places of a quotient."""
    if mine is None or theirs is None or isinstance(mine, str):
        return mine is None and theirs is None if mine is None or theirs is None else bool(mine == theirs)
    return bool(abs(float(mine) - float(theirs)) <= 1e-9 * max(1.0, abs(float(mine))))
