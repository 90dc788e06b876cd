"""Spark gives the figures that DuckDB gives, to the last digit, and says clearly why it gives none."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import adbc_driver_postgresql.dbapi
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.lake.duck import DuckEngine
from app.lake.engine import Work
from app.lake.sources import SOURCES, Source
from app.lake.spark import SparkEngine, SparkError
from app.rollups import CALENDAR, Rollup, rollups
from tests.db.test_demo import load
from tests.lake.spark_cluster import Cluster, missing, spark_cluster
from tests.servers import PROJECT, Database, Server, new_database

ZONES = ("UTC", "Asia/Kolkata")
DAYS = """
    SELECT
        CAST(day AS DATE) AS day,
        CAST(CAST(day AS DATE) - DATE '1970-01-01' AS BIGINT) AS number,
        CAST(day AS TIMESTAMPTZ) AS starts_at,
        CAST(day + INTERVAL 1 DAY AS TIMESTAMPTZ) AS ends_at
    FROM generate_series(TIMESTAMP '2015-01-01', TIMESTAMP '2040-12-31', INTERVAL 1 DAY) AS days(day)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master, two workers and a Spark Connect server, for the tests of this module."""
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with spark_cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture(scope="module")
def lake(server18: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The demo's tables in the lake's shape, each in two files so that two workers have something to read."""
    folder = tmp_path_factory.mktemp("lake")
    with new_database(server18) as database:
        load(database.setup)
        files = {name: written(source, database, folder) for name, source in SOURCES.items()}
    for zone in ZONES:
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = '{zone}'")
            files[zone] = [copied(connection, DAYS, folder / f"{zone.replace('/', '-')}.parquet")]
    return files


def written(source: Source, database: Database, folder: Path) -> list[str]:
    table = pulled(source, database)
    shaped = ", ".join(f"CAST({column.name} AS {column.type}) AS {column.name}" for column in source.columns)
    half = table.num_rows // 2
    paths = []
    with duckdb.connect() as connection:
        for part in (table.slice(0, half), table.slice(half)):
            connection.register("part", part)
            question = f"SELECT {shaped} FROM part ORDER BY {', '.join(source.order)}"
            paths.append(copied(connection, question, folder / f"{source.name}-{len(paths)}.parquet"))
    return paths


def pulled(source: Source, database: Database) -> pa.Table:
    with (
        adbc_driver_postgresql.dbapi.connect(database.server.url(database.name)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(source.select())
        table = cursor.fetch_arrow_table()
    # Numbers of Postgres come as text of a type that only the driver knows.
    return pa.table(
        {
            name: pa.chunked_array([getattr(chunk, "storage", chunk) for chunk in table[name].chunks])
            for name in table.column_names
        }
    )


def copied(connection: duckdb.DuckDBPyConnection, question: str, path: Path) -> str:
    connection.execute(f"COPY ({question}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return str(path)


def work_of(rollup: Rollup, lake: dict[str, list[str]], zone: str) -> Work:
    files = {table: lake[table] for table in rollup.reads}
    return Work(rollup.sql, zone, files | {CALENDAR: lake[zone]})


def sorted_by_all(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in table.column_names])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", rollups())
def test_a_rollup_is_the_same_from_both_engines(
    name: str, zone: str, cluster: Cluster, lake: dict[str, list[str]], tmp_path: Path
) -> None:
    work = work_of(rollups()[name], lake, zone)
    ours = sorted_by_all(DuckEngine(tmp_path).answer(work).read_all())
    theirs = sorted_by_all(SparkEngine(cluster.remote).answer(work).read_all())
    assert ours.num_rows > 0
    assert theirs.schema == ours.schema
    assert theirs.equals(ours)
