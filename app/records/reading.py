"""How single rows are read: in the viewer's workspaces, a page at a time, each page beginning where the last ended."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, RowMapping, TextClause, select, text

from app.access import Viewer
from app.settings import settings
from db.engine import seeing
from db.errors import SightlineError
from db.tables.workspaces import Workspace

MOST_ROWS = 1000
MOST_TYPED = 200
_BETWEEN = "~"

Record_co = TypeVar("Record_co", covariant=True)


class UnreadablePlaceError(SightlineError):
    """An address names a place in a list that there can't be."""


@dataclass(frozen=True)
class Place:
    """A place in a list by time, newest first: after the row of this time and key."""

    at: datetime
    key: UUID

    def __str__(self) -> str:
        return f"{self.at.astimezone(UTC).isoformat()}{_BETWEEN}{self.key}"

    @classmethod
    def read(cls, address: str) -> "Place":
        """The place that an address names."""
        at, _, key = address.partition(_BETWEEN)
        try:
            place = cls(datetime.fromisoformat(at), UUID(key))
        except ValueError:
            place = None
        if place is None or place.at.tzinfo is None:
            raise UnreadablePlaceError(
                "This address names no place in the list.",
                why="A place is the time and the key of a row, as the links between pages write it.",
                fix="Begin again with the newest rows.",
            )
        return place


@dataclass(frozen=True)
class Page(Generic[Record_co]):
    """Some rows of a list, and the place after which the next ones come; None: these were the last."""

    rows: tuple[Record_co, ...]
    next: Place | None


def page_of(
    found: Sequence[RowMapping], limit: int, place: Callable[[RowMapping], Place], make: Callable[..., Record_co]
) -> Page[Record_co]:
    """A page from rows of which one more than fits was asked for."""
    kept = found[:limit]
    after = place(kept[-1]) if len(found) > limit else None
    return Page(tuple(make(**row) for row in kept), after)


def some(limit: int) -> int:
    """A limit that a page may ask for."""
    return max(1, min(limit, MOST_ROWS))


@dataclass(frozen=True)
class Asked:
    """A question as the database was asked it, and how many rows it answered with."""

    sql: str
    parameters: Mapping[str, Any]
    rows: int


_witness: ContextVar[list[Asked] | None] = ContextVar("witness", default=None)


@contextmanager
def witnessed() -> Iterator[list[Asked]]:
    """What is asked within the block, in its order: receipts of what is read live are made of it."""
    asked: list[Asked] = []
    token = _witness.set(asked)
    try:
        yield asked
    finally:
        _witness.reset(token)


def rows(connection: Connection, question: str | TextClause, **named: Any) -> Sequence[RowMapping]:  # noqa: ANN401 - what drivers take
    """All rows of a question."""
    found = connection.execute(text(question) if isinstance(question, str) else question, named).mappings().all()
    witness = _witness.get()
    if witness is not None:
        witness.append(Asked(str(question), named, len(found)))
    return found


def workspaces_named(engine: Engine, viewer: Viewer, slugs: Sequence[str]) -> frozenset[UUID]:
    """Those of the viewer's workspaces that bear these short names."""
    with seeing(engine, viewer.workspaces) as connection:
        found = select(Workspace.id).where(Workspace.id.in_(viewer.workspaces), Workspace.slug.in_(slugs))
        return frozenset(connection.scalars(found))


def short_names(engine: Engine, viewer: Viewer) -> list[str]:
    """Of all workspaces that the viewer sees, in their order."""
    with seeing(engine, viewer.workspaces) as connection:
        found = select(Workspace.slug).where(Workspace.id.in_(viewer.workspaces)).order_by(Workspace.slug)
        return list(connection.scalars(found))


def moments(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    """Days of the reporting zone as moments; the last day is not part of the period."""
    zone = ZoneInfo(settings().zone)
    first, last = (datetime.combine(day, time(), zone) if day else None for day in (since, until))
    return first, last


def typed_words(given: str) -> str:
    """What people type to search, or what an address says they did: no control characters, and no novels."""
    return "".join(sign if sign.isprintable() else " " for sign in given)[:MOST_TYPED].strip()


def beginnings(words: str) -> str:
    """What people type as a full-text query: every word, or one that begins like it; their signs are no operators."""
    return " & ".join(f"{word}:*" for word in re.findall(r"\w+", words))


def is_unsearchable(words: str) -> bool:
    """Something was typed, and no word is in it: nothing is found, rather than everything."""
    return bool(words.strip()) and not beginnings(words)
