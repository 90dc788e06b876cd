"""Versions of the lake: which version of every table belongs together, opened without looking at any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

# A table's rows, and what was changed or removed since they were written.
ROWS, CHANGES = "rows", "changes"


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table. `month` is its first day; tables without months have none."""

    path: str
    rows: int
    size: int
    month: date | None
    layer: str = ROWS


@dataclass(frozen=True)
class TableVersion:
    """A table as it was at one commit."""

    name: str
    version: int
    parts: tuple[Part, ...]

    @cached_property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def files(self, since: date | None = None, until: date | None = None) -> list[str]:
        """The files that may hold days of a period; `until` is not part of it."""
        return [
            part.path
            for part in self.parts
            if part.month is None
            or ((until is None or part.month < until) and (since is None or part.month >= since.replace(day=1)))
        ]


@dataclass(frozen=True)
class LakeVersion:
    """All tables as one refresh left them: they tell of the same moment of the database."""

    number: int
    zone: str
    data_through: datetime
    loaded_at: datetime
    # The newest approved prices then; None: there were none.
    price_book_version: int | None
    # The newest rules by which opens of machines are told apart; None: no open was judged.
    machine_rules_version: int | None
    rollups: Mapping[str, TableVersion]
    sources: Mapping[str, TableVersion]
