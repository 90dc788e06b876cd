"""A rollup of the lake beside the same text on Postgres, by workspace and day: what differs, and by how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb
from sqlalchemy import Connection, text

from app.lake.duck import parquet
from app.lake.postgres import on_postgres
from app.lake.versions import LakeVersion
from app.rollups import Rollup
from db.engine import driver

# ruff: noqa: S608 - the SQL is made of our own names

_BY = ("workspace_code", "day")
Key = tuple[int, date]
# The measures of a workspace's day, summed.
Sums = Mapping[Key, tuple[Decimal, ...]]


@dataclass(frozen=True)
class Apart:
    """A measure of a workspace's day on which the two do not agree."""

    workspace_code: int
    day: date
    measure: str
    in_lake: Decimal
    in_postgres: Decimal

    def __str__(self) -> str:
        lake, postgres = (f"{value.normalize():f}" for value in (self.in_lake, self.in_postgres))
        return f"{self.day}, workspace {self.workspace_code}: {self.measure} is {lake}, Postgres says {postgres}."


def apart(
    connection: Connection, version: LakeVersion, rollup: Rollup, since: date, until: date
) -> tuple[int, list[Apart]]:
    """How many workspaces' days were compared, and every measure that differs; `until` is not part of the period."""
    lake = _of_lake(version, rollup, since, until)
    postgres = _of_postgres(connection, version.zone, rollup, since, until)
    keys = sorted(lake.keys() | postgres.keys())
    nothing = (Decimal(0),) * len(rollup.measures)
    found = [
        Apart(*key, measure, here, there)
        for key in keys
        for measure, here, there in zip(
            rollup.measures, lake.get(key, nothing), postgres.get(key, nothing), strict=True
        )
        if here != there
    ]
    return len(keys), found


def _of_lake(version: LakeVersion, rollup: Rollup, since: date, until: date) -> Sums:
    files = version.rollups[rollup.name].files(since, until)
    if not files:
        return {}
    with duckdb.connect() as connection:
        return _summed(connection.execute(_sums(rollup, parquet(files), since, until)).fetchall())


def _of_postgres(connection: Connection, zone: str, rollup: Rollup, since: date, until: date) -> Sums:
    """The whole text, as there is no way into the middle of it; the days are those of the lake's zone."""
    connection.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
    question = _sums(rollup, f"({on_postgres(rollup)}) AS made", since, until)
    return _summed(driver(connection).execute(question.encode()).fetchall())


def _sums(rollup: Rollup, relation: str, since: date, until: date) -> str:
    sums = ", ".join(f"SUM({measure}) AS {measure}" for measure in rollup.measures)
    some = " OR ".join(f"SUM({measure}) <> 0" for measure in rollup.measures)
    by = ", ".join(_BY)
    days = f"day >= DATE '{since:%Y-%m-%d}' AND day < DATE '{until:%Y-%m-%d}'"
    return f"SELECT {by}, {sums} FROM {relation} WHERE {days} GROUP BY {by} HAVING {some}"


def _summed(rows: list[tuple[object, ...]]) -> Sums:
    return {(row[0], row[1]): tuple(Decimal(str(value or 0)) for value in row[2:]) for row in rows}  # type: ignore[misc]
