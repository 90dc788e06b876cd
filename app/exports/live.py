"""Rows that were read live, with a receipt of the reading: which text, with which parameters, when, how many rows."""

import hashlib
import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_type_hints
from urllib.parse import urlencode
from uuid import UUID

import pyarrow as pa
from sqlalchemy import Engine

from app.access import Viewer
from app.database import Engines
from app.exports.address import Kind
from app.exports.given import Values
from app.exports.lists import the_list
from app.exports.wanted import LiveList, Wanted
from app.records.reading import MOST_ROWS, Asked, Page, Place, short_names, witnessed

LIST = "list"
_AT_ONCE = MOST_ROWS
_NEVER = "-- Nothing can be found by these words: no row was asked for."
_TYPES: Mapping[type[Any], pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: pa.timestamp("us", "UTC"),
    date: pa.date32(),
    Decimal: pa.decimal128(38, 12),
}

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class LiveReceipt:
    """Of one reading: whoever reads again later may find other rows."""

    name: str
    given: Values
    read_at: datetime
    asked: Asked

    @property
    def id(self) -> str:
        told = {"list": self.name, "given": self.given, "read_at": self.read_at}
        return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def sql(self) -> str:
        """The text as it ran, laid out for people."""
        return textwrap.dedent(self.asked.sql).strip()

    @property
    def parameters(self) -> dict[str, str]:
        return {name: _told(value) for name, value in self.asked.parameters.items()}

    def lines(self, rows: int) -> list[tuple[str, str]]:
        """As names and texts, of so many rows."""
        narrowed = "; ".join(f"{name} = {', '.join(values)}" for name, values in self.given.items())
        return [
            ("Receipt", self.id),
            ("Read live from Postgres", f"{self.read_at:%Y-%m-%d %H:%M:%S} UTC; times in the rows are UTC too"),
            ("List", self.name),
            ("Narrowed by", narrowed or "nothing but what its reader may see"),
            ("Rows", f"{rows:,}"),
            ("SQL", self.sql),
            ("Parameters", "; ".join(f"{name} = {value}" for name, value in self.parameters.items())),
        ]


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """A page of a list's rows, and the receipt of its reading."""

    rows: tuple[Row, ...]
    next: Place | None
    receipt: LiveReceipt


@dataclass(frozen=True)
class Reading:
    """What was asked at which moment; filled while its block runs."""

    read_at: datetime
    asked: list[Asked]

    def listed(self, name: str, given: Values, rows: Sequence[Row]) -> Listed[Row]:
        """All rows of a list that is worked out of everything that was asked."""
        return Listed(tuple(rows), None, LiveReceipt(name=name, given=given, read_at=self.read_at, asked=self.together))

    def after(self, before: "Reading") -> "Reading":
        """Both: this one asked for what the one before had found."""
        return Reading(before.read_at, [*before.asked, *self.asked])

    @property
    def together(self) -> Asked:
        """Every question in its turn; they call the same by the same names."""
        return Asked(
            ";\n\n".join(textwrap.dedent(one.sql).strip() for one in self.asked),
            {name: value for one in self.asked for name, value in one.parameters.items()},
            sum(one.rows for one in self.asked),
        )

    @property
    def last(self) -> Asked:
        """The rows come last: before them is looked up what narrows them. What can't be found is never asked for."""
        return self.asked[-1] if self.asked else Asked(_NEVER, {}, 0)


@contextmanager
def reading() -> Iterator[Reading]:
    """What is asked within the block, for the receipts of lists that are made of it."""
    read_at = datetime.now(UTC)
    with witnessed() as asked:
        yield Reading(read_at, asked)


def engine_of(name: str, engines: Engines) -> Engine:
    """The engine that answers what a list asks."""
    return engines.rw if the_list(name, {}).is_of_company else engines.ro


def read_list(
    engine: Engine, viewer: Viewer, name: str, given: Values, *, after: Place | None = None, limit: int = MOST_ROWS
) -> Listed[Any]:
    """Some rows of a list, for one viewer."""
    found, receipt = _read(the_list(name, given), name, Wanted(engine, viewer, given, after, limit))
    return Listed(found.rows, found.next, receipt)


def address(name: str, given: Values, kind: Kind, file_name: str) -> str:
    """Where all rows of the list can be downloaded, by those who may see them."""
    pairs = [(LIST, name), *((key, value) for key, values in given.items() for value in values), ("name", file_name)]
    return f"export/{kind}?{urlencode(pairs)}"


@dataclass
class Whole:
    """All rows of a list, some at a time; `rows` counts those that were read so far.

    Long lists come workspace by workspace, and newest first within each.
    """

    name: str
    given: Values
    engine: Engine
    who: Callable[[], Viewer]
    rows: int = field(default=0, init=False)
    receipt: LiveReceipt = field(init=False)

    def __post_init__(self) -> None:
        self._list = the_list(self.name, self.given)
        hints = get_type_hints(self._list.row)
        self.schema = pa.schema([(name, _type(hint)) for name, hint in hints.items() if self._is_shown(name)])
        self._parts = self._split()
        self._first = self._page(self._parts[0], None)

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """Each page is read for who the reader is by then, and nothing is held open between two of them."""
        for number, part in enumerate(self._parts):
            page: Page[Any] | None = self._page(part, None) if number else self._first
            while page is not None:
                self.rows += len(page.rows)
                if page.rows:
                    yield [self._plain(row) for row in page.rows]
                page = self._page(part, page.next) if page.next else None

    def _split(self) -> list[Values]:
        """What belongs to one campaign or contact is of one workspace already."""
        if not self._list.is_long or {"campaign", "contact"} & set(self.given):
            return [self.given]
        slugs = self.given.get("workspace") or short_names(self.engine, self.who())
        return [{**self.given, "workspace": (slug,)} for slug in slugs] or [self.given]

    def _page(self, part: Values, after: Place | None) -> Page[Any]:
        found, receipt = _read(self._list, self.name, Wanted(self.engine, self.who(), part, after, _AT_ONCE))
        if not hasattr(self, "receipt"):
            self.receipt = replace(receipt, given=self.given)
        return found

    def _is_shown(self, column: str) -> bool:
        return column not in self._list.kept_back

    def _plain(self, row: object) -> dict[str, Any]:
        shown = {name: value for name, value in vars(row).items() if self._is_shown(name)}
        return {name: _cell(value, self.schema.field(name).type) for name, value in shown.items()}


def _read(found: LiveList, name: str, wanted: Wanted) -> tuple[Page[Any], LiveReceipt]:
    with reading() as told:
        page = found.read(wanted)
    asked = told.together if found.is_of_company else told.last
    return page, LiveReceipt(name=name, given=wanted.given, read_at=told.read_at, asked=asked)


def _type(hint: Any) -> pa.DataType:  # noqa: ANN401 - a type of any column
    kinds = [one for one in get_args(hint) if one is not type(None)] if isinstance(hint, UnionType) else [hint]
    return _TYPES.get(kinds[0], pa.string())


def _cell(value: Any, of: pa.DataType) -> Any:  # noqa: ANN401 - a cell of any column
    if isinstance(value, UUID):
        return str(value)
    # A column of JSON is one of texts, and JSON may be a bare number.
    is_bare = isinstance(value, bool | int | float) and pa.types.is_string(of)
    if is_bare or isinstance(value, list | tuple | Mapping):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value


def _told(value: object) -> str:
    if isinstance(value, list | tuple | frozenset):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
