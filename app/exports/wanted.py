"""Which rows of a list somebody wants: for whom, narrowed how, and after which place; and how a list answers that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Viewer
from app.exports.given import Values
from app.records.reading import MOST_ROWS, Page, Place, workspaces_named


@dataclass(frozen=True)
class Wanted:
    """Which rows of a list: for whom, narrowed how, after which place, and how many at the most."""

    engine: Engine
    viewer: Viewer
    given: Values
    after: Place | None = None
    limit: int = MOST_ROWS

    @property
    def workspaces(self) -> frozenset[UUID] | None:
        """Those that were chosen by their short names; None: all that the viewer sees."""
        slugs = self.given.get("workspace")
        return None if slugs is None else workspaces_named(self.engine, self.viewer, slugs)

    @property
    def paged(self) -> dict[str, Any]:
        return {"after": self.after, "limit": self.limit}


@dataclass(frozen=True)
class LiveList:
    """How a list is read, what its rows are, what narrows it, and what of its rows leaves with no download."""

    read: Callable[[Wanted], Page[Any]]
    row: type[Any]
    narrowed_by: frozenset[str]
    kept_back: frozenset[str] = frozenset()
    # Of many rows: all of them are read workspace by workspace, as merging the workspaces again for every page is dear.
    is_long: bool = False
    # Worked out of several questions, one of which the database answers to the engine of commands alone.
    is_of_company: bool = False


def whole(rows: Sequence[Any]) -> Page[Any]:
    """What belongs to one thing is few, and read at once."""
    return Page(tuple(rows), None)
