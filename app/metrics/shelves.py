"""Versions of the lake as DuckDB reads them: one schema each, whose relations never change while they are read.

What several versions share is held in memory once. A rollup that is too large for that is read from its files, of the
months asked for alone.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from app.lake.duck import literal, parquet
from app.lake.sources import SOURCES
from app.lake.state import held
from app.lake.storage import damaged
from app.lake.versions import LakeVersion, Part, TableVersion
from app.metrics.dictionaries import Dictionaries
from app.metrics.lookups import LOOKUPS
from app.metrics.rates import Known, Rates, rates_into
from app.metrics.reader import Reader
from app.metrics.reading import FX
from app.metrics.shapes import Shape
from app.metrics.stocks import CALENDAR

# ruff: noqa: S608 - the SQL is made of our own names

# A rollup of more rows than this stays in its files.
ROWS_IN_MEMORY = 8_000_000
_SHELVES_KEPT = 6
_SEGMENTS_JOINED = 6
# Over rollups the planning of a question takes longer than its reading. These are the steps of the optimizer that gain
# more time than they take; the others are left out.
_STEPS_THAT_PAY = frozenset(
    {
        "build_side_probe_side",
        "column_lifetime",
        "deliminator",
        "expression_rewriter",
        "filter_pushdown",
        "late_materialization",
        "statistics_propagation",
        "top_n",
        "unused_columns",
    }
)
BEGINNING, END = date(2015, 1, 1), date(2041, 1, 1)


@dataclass
class _Shelf:
    """One version, or one version's months where a relation is too large to be held."""

    schema: str
    ready: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    readers: int = 0


class Shelves:
    """The DuckDB of this process. Each thread has a reader of its own."""

    def __init__(self, shapes: Mapping[str, Shape], currency: str, rows_in_memory: int = ROWS_IN_MEMORY) -> None:
        self._shapes = shapes
        self._currency = currency
        self._rows_in_memory = rows_in_memory
        self._duck = duckdb.connect()
        self._duck.execute("SET enable_progress_bar = false")
        # Others ask at the same time; and a second thread costs a question over rollups more than it brings.
        self._duck.execute(f"SET threads = {max(1, (os.cpu_count() or 2) // 2)}")
        self._duck.execute(f"SET disabled_optimizers = '{','.join(_left_out(self._duck))}'")
        self._duck.execute("CREATE SCHEMA held")
        self._lock = threading.RLock()
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._segments: dict[frozenset[str], str] = {}
        self._dictionaries = Dictionaries()
        self._rates: dict[tuple[str, ...], Rates] = {}
        self._made = 0
        self._local = threading.local()

    def close(self) -> None:
        self._duck.close()

    @contextmanager
    def reading(
        self, version: LakeVersion, relations: Iterable[str], since: date = BEGINNING, until: date = END
    ) -> Iterator[Reader]:
        """A reader to which the relations of this version are all there is."""
        shelf = self._taken(version, frozenset(relations), since, until)
        try:
            yield self._reader(shelf.schema)
        finally:
            with self._lock:
                shelf.readers -= 1

    def rates(self, version: LakeVersion) -> Rates:
        """The exchange rates of a version, for every day."""
        parts = version.sources[FX_SOURCE].parts if FX_SOURCE in version.sources else ()
        key = tuple(part.path for part in parts)
        with self._lock:
            if key not in self._rates:
                self._rates[key] = rates_into(self._currency, self._known_rates(parts))
            return self._rates[key]

    def _taken(self, version: LakeVersion, relations: frozenset[str], since: date, until: date) -> _Shelf:
        large = [name for name in relations if name in version.rollups and self._is_large(version.rollups[name])]
        months = f"_{since:%Y%m}_{until:%Y%m%d}" if large else ""
        with self._lock:
            shelf = self._shelves.setdefault(f"v{version.number}{months}", _Shelf(f"v{version.number}{months}"))
            self._shelves.move_to_end(shelf.schema)
            if not shelf.ready:
                self._duck.execute(f"CREATE SCHEMA IF NOT EXISTS {shelf.schema}")
            for name in sorted(relations - shelf.ready):
                self._place(shelf, version, name, since, until)
            shelf.readers += 1
            self._clear()
        return shelf

    def _reader(self, schema: str) -> Reader:
        if not hasattr(self._local, "reader"):
            self._local.reader = Reader(self._duck.cursor())
        reader: Reader = self._local.reader
        reader.turn_to(schema)
        return reader

    def _is_large(self, table: TableVersion) -> bool:
        return table.rows > self._rows_in_memory

    def _place(self, shelf: _Shelf, version: LakeVersion, name: str, since: date, until: date) -> None:
        try:
            relation, tables = self._relation(version, name, since, until)
            self._duck.execute(f"CREATE OR REPLACE VIEW {shelf.schema}.{name} AS {relation}")
        except duckdb.Error as error:
            raise damaged(name, error) from error
        shelf.tables |= tables
        shelf.ready.add(name)

    def _relation(self, version: LakeVersion, name: str, since: date, until: date) -> tuple[str, set[str]]:
        if name == CALENDAR:
            return self._once(frozenset({CALENDAR}), _calendar())
        if name == FX:
            return self._fx(version)
        if name in LOOKUPS:
            return self._lookup(version, name)
        table = version.rollups[name]
        if not table.parts:
            return _empty(self._shapes[name]), set()
        if self._is_large(table):
            files = table.files(since, until)
            return (f"SELECT * FROM {parquet(files)}" if files else _empty(self._shapes[name])), set()
        return self._in_memory(table)

    def _in_memory(self, table: TableVersion) -> tuple[str, set[str]]:
        """What is held already, and beside it what is new; joined anew when the pieces become many."""
        paths = frozenset(part.path for part in table.parts)
        pieces = self._pieces(paths)
        missing = paths - frozenset().union(*pieces)
        if len(pieces) > _SEGMENTS_JOINED:
            selects = " UNION ALL ".join(f"SELECT * FROM held.{self._segments[piece]}" for piece in pieces)
            more = f" UNION ALL SELECT * FROM {parquet(sorted(missing))}" if missing else ""
            return self._piece(paths, selects + more)
        if missing:
            files = [part.path for part in table.parts if part.path in missing]
            self._piece(missing, f"SELECT * FROM {parquet(files)}")
            pieces.append(missing)
        names = [self._segments[piece] for piece in pieces]
        return " UNION ALL ".join(f"SELECT * FROM held.{name}" for name in names), set(names)

    def _pieces(self, paths: frozenset[str]) -> list[frozenset[str]]:
        """Held pieces that lie wholly in a table, the largest first, none overlapping another."""
        found: list[frozenset[str]] = []
        for piece in sorted((piece for piece in self._segments if piece <= paths), key=len, reverse=True):
            if all(piece.isdisjoint(other) for other in found):
                found.append(piece)
        return found

    def _lookup(self, version: LakeVersion, name: str) -> tuple[str, set[str]]:
        lookup = LOOKUPS[name]
        parts = version.sources[lookup.reads].parts
        return self._once(
            frozenset({name, version.zone, *(part.path for part in parts)}),
            f"WITH {_current(lookup.reads, parts)} {lookup.sql}",
            zone=version.zone,
        )

    def _fx(self, version: LakeVersion) -> tuple[str, set[str]]:
        listed = self.rates(version).listed
        key = frozenset({FX, self._currency, *(part.path for part in version.sources[FX_SOURCE].parts)})
        if key not in self._segments:
            name = self._new()
            self._duck.execute(f"CREATE TABLE held.{name} (currency VARCHAR, day DATE, rate DECIMAL(20, 10))")
            rows = [(rate.currency, rate.day, rate.rate) for rate in listed]
            _insert(self._duck, f"held.{name}", rows)
            self._segments[key] = name
        return f"SELECT * FROM held.{self._segments[key]}", {self._segments[key]}

    def _known_rates(self, parts: Sequence[Part]) -> list[Known]:
        if not parts:
            return []
        cursor = self._duck.cursor()
        found = cursor.execute(
            f"WITH {_current(FX_SOURCE, parts)} SELECT day, currency, reporting_currency, rate, source FROM {FX_SOURCE}"
        ).fetchall()
        return [Known(*row) for row in found]

    def _piece(self, paths: frozenset[str], query: str) -> tuple[str, set[str]]:
        if paths not in self._segments:
            query = self._dictionaries.told(self._duck.cursor(), query)
        return self._once(paths, query)

    def _once(self, key: frozenset[str], query: str, zone: str = "UTC") -> tuple[str, set[str]]:
        if key not in self._segments:
            name = self._new()
            cursor = self._duck.cursor()
            cursor.execute(f"SET TimeZone = {literal(zone)}").fetchall()
            cursor.execute(f"CREATE TABLE held.{name} AS {query}").fetchall()
            self._segments[key] = name
        return f"SELECT * FROM held.{self._segments[key]}", {self._segments[key]}

    def _new(self) -> str:
        self._made += 1
        return f"t{self._made}"

    def _clear(self) -> None:
        """Forget versions that nobody has read for longest, and what they alone held."""
        unread = [shelf for shelf in self._shelves.values() if not shelf.readers]
        for shelf in unread[: max(0, len(self._shelves) - _SHELVES_KEPT)]:
            del self._shelves[shelf.schema]
            self._duck.execute(f"DROP SCHEMA IF EXISTS {shelf.schema} CASCADE")
        needed = {name for shelf in self._shelves.values() for name in shelf.tables}
        for key, name in list(self._segments.items()):
            if name not in needed and len(self._segments) > len(needed):
                del self._segments[key]
                self._duck.execute(f"DROP TABLE held.{name}")


FX_SOURCE = "fx_rates"


def _left_out(duck: duckdb.DuckDBPyConnection) -> list[str]:
    found = duck.execute("SELECT name FROM duckdb_optimizers()").fetchall()
    return sorted({name for (name,) in found} - _STEPS_THAT_PAY)


def _current(source: str, parts: Sequence[Part]) -> str:
    """The rows of a source as they stand, under its own name."""
    files = held(SOURCES[source], parts, "written")
    layers = [f"{name} AS (SELECT * FROM {parquet(paths)})" for name, paths in files.files.items()]
    return ", ".join([*layers, f"{source} AS ({files.live()})"])


def _calendar() -> str:
    days = f"range(DATE '{BEGINNING}', DATE '{END}', INTERVAL 1 DAY)"
    return f"SELECT CAST(day AS DATE) AS day FROM {days} AS days(day)"


def _empty(shape: Shape) -> str:
    """A rollup without a row in it."""
    keys = [f"CAST(NULL AS {_type(name)}) AS {name}" for name in sorted(shape.grain)]
    measures = [f"CAST(0 AS BIGINT) AS {name}" for name in sorted(shape.measures)]
    return f"SELECT {', '.join([*keys, *measures])} WHERE FALSE"


def _type(name: str) -> str:
    if name.endswith("_code"):
        return "BIGINT"
    return {"day": "DATE", "hour": "INTEGER", "latency_bucket": "INTEGER"}.get(name, "VARCHAR")


def _insert(duck: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[str, date, Decimal]]) -> None:
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [(), (), ()]
    unnested = ", ".join(f"UNNEST(CAST(? AS {kind}[]))" for kind in ("VARCHAR", "DATE", "DECIMAL(20, 10)"))
    duck.execute(
        f"INSERT INTO {table} SELECT {unnested}",
        [list(column) for column in columns],
    )
