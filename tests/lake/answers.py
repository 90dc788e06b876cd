"""A rollup's rows got in three ways: from its oracle, from its text on Postgres, and from its text on DuckDB."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
from sqlalchemy import Connection, Engine, text

from app.lake.calendar import calendar
from app.lake.postgres import on_postgres
from app.lake.source import Source
from app.lake.sources import SOURCES
from app.rollups import CALENDAR, Rollup, rollups
from db.engine import driver
from tests import oracles
from tests.servers import Database

FOLDER = Path(oracles.__file__).parent / "rollups"
ORACLES = {path.stem for path in FOLDER.iterdir() if path.suffix in {".py", ".sql"} and path.stem != "__init__"}

Row = Mapping[str, Any]
# What remains of a rollup when its rows are summed: the key's values, and the measures that are not zero.
Sums = dict[tuple[Any, ...], dict[str, Decimal]]


def by_oracle(connection: Connection, name: str, zone: str) -> list[Row]:
    """What the oracle says: SQL where there is some, else a Python function."""
    path = FOLDER / f"{name}.sql"
    if path.exists():
        return [
            dict(row)
            for row in connection.execute(text(path.read_text(encoding="utf-8")), {"zone": zone}).mappings().all()
        ]
    return list(importlib.import_module(f"tests.oracles.rollups.{name}").answer(connection, zone))


def by_postgres(connection: Connection, rollup: Rollup, zone: str) -> list[Row]:
    """What the text says on Postgres. Its parameters are none, so it goes to the driver as it is."""
    connection.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
    cursor = driver(connection).execute(on_postgres(rollup).encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def by_duckdb(lake: duckdb.DuckDBPyConnection, rollup: Rollup, zone: str) -> list[Row]:
    """What the text says on DuckDB, over a lake made by `fill`."""
    lake.execute(f"SET TimeZone = '{zone}'")
    if rollup.uses_calendar:
        lake.register(CALENDAR, calendar(zone))
    found = lake.execute(rollup.sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def reading(database: Database) -> Iterator[adbc.Connection]:
    """A connection as the pull has it; making one takes longer than reading a few rows."""
    with adbc.connect(database.server.url(database.name, "test_app_pipe")) as connection:
        yield connection


def fill(lake: duckdb.DuckDBPyConnection, pipe: adbc.Connection, tables: Iterable[str], where: str = "TRUE") -> None:
    """Copy tables as they are now into the lake's shape."""
    with pipe.cursor() as cursor:
        for source in (SOURCES[name] for name in tables):
            cursor.execute(_travelling(source, where))
            pulled = cursor.fetch_arrow_table()
            typed = ", ".join(f"CAST({column.name} AS {column.type}) AS {column.name}" for column in source.columns)
            lake.register("pulled", pulled)
            lake.execute(f"CREATE OR REPLACE TABLE {source.name} AS SELECT {typed} FROM pulled")
            lake.unregister("pulled")
    # The next copy begins a transaction of its own.
    pipe.rollback()


def _travelling(source: Source, where: str) -> str:
    # The driver has no decimals: they travel as text.
    listed = ", ".join(
        f"CAST({column.name} AS TEXT) AS {column.name}" if column.type.startswith("DECIMAL") else column.name
        for column in source.columns
    )
    return f"SELECT {listed} FROM ({source.select()}) AS shaped WHERE {where}"


@contextmanager
def new_lake() -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with nothing but the days."""
    with duckdb.connect() as lake:
        lake.execute("SET threads = 2")
        lake.register(CALENDAR, calendar("UTC"))
        yield lake


def summed(rollup: Rollup, rows: Iterable[Row]) -> Sums:
    """The rows by their key, as a reader sums them; a measure that an oracle leaves out is zero."""
    sums: Sums = {}
    for row in rows:
        key = tuple(row[name] for name in rollup.grain)
        measures = sums.setdefault(key, {})
        for name in row.keys() - set(rollup.grain):
            measures[name] = measures.get(name, Decimal(0)) + exactly(row[name])
    kept = {key: {name: value for name, value in measures.items() if value} for key, measures in sums.items()}
    return {key: measures for key, measures in kept.items() if measures}


def exactly(value: Any) -> Decimal:
    """A measure is a whole number or a decimal, and always there."""
    assert type(value) in {int, Decimal}, f"{value!r} is no measure"
    return Decimal(value)


def agreed(
    engine: Engine, lake: duckdb.DuckDBPyConnection, name: str, zone: str, workspaces: set[int] | None = None
) -> Sums:
    """The sums on which oracle, Postgres and DuckDB agree, of all workspaces or of some."""
    rollup = rollups()[name]
    with engine.begin() as connection:
        expected = summed(rollup, _of(by_oracle(connection, name, zone), workspaces))
        postgres = summed(rollup, _of(by_postgres(connection, rollup, zone), workspaces))
    duck = summed(rollup, _of(by_duckdb(lake, rollup, zone), workspaces))
    assert differences(postgres, expected) == [], f"{name} on Postgres in {zone}"
    assert differences(duck, expected) == [], f"{name} on DuckDB in {zone}"
    return expected


def differences(found: Sums, expected: Sums) -> list[tuple[Any, ...]]:
    """The first few keys on which the two differ, with what each says."""
    keys = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    return [(key, {"text": found.get(key), "oracle": expected.get(key)}) for key in sorted(keys, key=repr)[:5]]


def _of(rows: Iterable[Row], workspaces: set[int] | None) -> Iterator[Row]:
    return (row for row in rows if workspaces is None or row["workspace_code"] in workspaces)
