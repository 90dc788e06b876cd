"""Spark gives the figures that DuckDB gives, to the last digit, and says clearly why it gives none."""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.lake.calendar import calendar_file
from app.lake.duck import DuckEngine
from app.lake.engine import Work
from app.lake.origin import Origin, as_pulled, origin, typed
from app.lake.refresh import Place, Refresher
from app.lake.source import Source
from app.lake.sources import SOURCES
from app.lake.spark import SparkEngine, SparkError
from app.rollups import CALENDAR, Rollup, rollups
from tests.db.loaded import demo_database
from tests.lake.lakes import NOON, lake_with_company, mail, session, use
from tests.lake.spark_cluster import Cluster, missing, spark_cluster
from tests.servers import PROJECT, Database, Server

ZONES = ("UTC", "Asia/Kolkata")


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
    with (
        demo_database(server18) as database,
        origin(database.server.url(database.name)) as now,
        duckdb.connect() as duck,
    ):
        files = {name: copied(source, now, duck, folder) for name, source in SOURCES.items()}
    return files | {zone: [str(calendar_file(folder, zone))] for zone in ZONES}


def copied(source: Source, now: Origin, duck: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """A whole table, pulled and written as the refresh does it."""
    with now.stream(as_pulled(source, where="TRUE")) as pulled:
        duck.register("pulled", pulled)
        duck.execute(f"CREATE OR REPLACE TEMP TABLE rows_here AS SELECT {typed(source)} FROM pulled")
        duck.unregister("pulled")
    paths = [str(folder / f"{source.name}-{half}.parquet") for half in (0, 1)]
    for half, path in enumerate(paths):
        question = f"FROM rows_here WHERE rowid % 2 = {half} ORDER BY {', '.join(source.order)}"
        duck.execute(f"COPY ({question}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return paths


def work_of(rollup: Rollup, lake: dict[str, list[str]], zone: str) -> Work:
    files = {table: lake[table] for table in rollup.reads}
    return Work(rollup.sql, zone, files | ({CALENDAR: lake[zone]} if rollup.uses_calendar else {}))


def sorted_by_all(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in table.column_names])


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", rollups())
def test_a_rollup_is_the_same_from_both_engines(
    name: str, zone: str, cluster: Cluster, lake: dict[str, list[str]], tmp_path: Path
) -> None:
    work = work_of(rollups()[name], lake, zone)
    here = sorted_by_all(DuckEngine(tmp_path).answer(work).read_all())
    there = sorted_by_all(SparkEngine(cluster.remote).answer(work).read_all())
    assert here.num_rows > 0
    assert there.schema == here.schema
    assert differing_rows(here, there) == []


def differing_rows(here: pa.Table, there: pa.Table) -> list[tuple[dict[str, object], dict[str, object]]]:
    """The first few rows that are not the same, side by side; both tables are sorted."""
    if there.equals(here):
        return []
    rows = zip_longest(here.to_pylist(), there.to_pylist(), fillvalue={})
    return [pair for pair in rows if pair[0] != pair[1]][:5]


def test_two_workers_take_part(cluster: Cluster, lake: dict[str, list[str]]) -> None:
    workers = cluster.workers()
    before = cluster.tasks_by_worker()
    question = "SELECT event_type, COUNT(*) AS events FROM email_events GROUP BY event_type"
    answer = SparkEngine(cluster.remote).answer(Work(question, "UTC", {"email_events": lake["email_events"]}))
    assert answer.read_all().num_rows > 1
    assert len(workers) == 2
    assert set(tasks_since(cluster, before, workers=2)) == workers


def test_the_engines_take_turns_and_commit_the_same(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    """Filled by Spark, changed, and gone on with by DuckDB: lake and rollups equal Postgres each time."""
    lake = lake_with_company(database, tmp_path / "lake", zone="Asia/Kolkata")
    by_spark = Refresher(Place(lake.lake, lake.url, lake.url, lake.zone), SparkEngine(cluster.remote))
    with session(database) as writer:
        for number, kind in enumerate(("delivered", "opened", "clicked", "bounced")):
            mail(writer, kind, NOON - timedelta(hours=number), contact=number + 1)
        use(writer)
        by_spark.refresh()
        assert lake.differences() == {}
        writer.execute("UPDATE usage_logs SET quantity = 5")
        mail(writer, "delivered", NOON - timedelta(days=1), contact=1)
        lake.refresh()
    assert lake.differences() == {}
    assert lake.total("usage_days", "quantity") == 5


def tasks_since(cluster: Cluster, before: Counter[str], *, workers: int) -> Counter[str]:
    """The driver counts tasks a moment after the answer."""
    deadline = time.monotonic() + 10
    while len(done := cluster.tasks_by_worker() - before) < workers and time.monotonic() < deadline:
        time.sleep(0.1)
    return done


INSTANTS = (
    datetime(2026, 1, 1, 18, 29, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 1, 18, 30, tzinfo=UTC),
    datetime(2026, 1, 2, 0, 0, tzinfo=UTC),
)


@pytest.fixture
def instants(tmp_path: Path) -> str:
    """Three instants: just before and at midnight of Kolkata, and midnight of UTC."""
    path = tmp_path / "instants.parquet"
    pq.write_table(pa.table({"happened_at": pa.array(INSTANTS, pa.timestamp("us", "UTC"))}), path)
    return str(path)


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)]),
        ("Asia/Kolkata", [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 2)]),
        ("America/New_York", [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 1)]),
    ],
)
def test_days_are_days_of_the_asked_zone(zone: str, days: list[date], cluster: Cluster, instants: str) -> None:
    question = "SELECT happened_at, CAST(happened_at AS DATE) AS day FROM instants ORDER BY happened_at"
    answer = SparkEngine(cluster.remote).answer(Work(question, zone, {"instants": [instants]})).read_all()
    assert answer["day"].to_pylist() == days
    assert answer["happened_at"].to_pylist() == list(INSTANTS)


def test_every_type_of_the_lake_comes_back_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    columns = {
        "big": pa.array([2**62, None], pa.int64()),
        "small": pa.array([-1, None], pa.int32()),
        "name": pa.array(["Zoë", None], pa.string()).dictionary_encode(),
        "id": pa.array([b"\x00\xff", None], pa.binary()),
        "day": pa.array([date(2026, 2, 28), None], pa.date32()),
        "happened_at": pa.array([INSTANTS[0], None], pa.timestamp("us", "UTC")),
        "is_open": pa.array([True, None], pa.bool_()),
        "money": pa.array([Decimal("12345678901234.5678"), None], pa.decimal128(18, 4)),
        "cost": pa.array([Decimal("-99999999.999999999999"), None], pa.decimal128(20, 12)),
    }
    table = pa.table(columns)
    path = tmp_path / "types.parquet"
    pq.write_table(table, path, compression="zstd")
    question = f"SELECT {', '.join(columns)}, CAST(SUM(1) OVER () AS BIGINT) AS rows_here FROM types"
    answer = SparkEngine(cluster.remote).answer(Work(question, "Asia/Kolkata", {"types": [str(path)]})).read_all()
    # Only the dictionary is gone: it is a form of text, not a type.
    plain = table.set_column(2, "name", table["name"].cast(pa.string()))
    assert answer.equals(plain.append_column("rows_here", pa.array([2, 2], pa.int64())))


def test_views_build_on_files_and_on_each_other_and_end_with_their_answer(cluster: Cluster, instants: str) -> None:
    engine = SparkEngine(cluster.remote)
    views = (
        ("late", "SELECT happened_at FROM instants WHERE happened_at >= TIMESTAMP '2026-01-01 18:30:00Z'"),
        ("counted", "SELECT COUNT(*) AS events FROM late"),
    )
    work = Work("SELECT events FROM counted", "UTC", {"instants": [instants]}, views)
    assert engine.answer(work).read_all().to_pylist() == [{"events": 2}]
    with pytest.raises(SparkError, match=r"TABLE_OR_VIEW_NOT_FOUND.*`counted`"):
        engine.answer(replace(work, views=()))


def test_an_overflow_is_an_error_and_no_wrong_figure(cluster: Cluster, instants: str) -> None:
    question = f"SELECT SUM(CAST({2**63 - 1} AS BIGINT)) AS far FROM instants"
    with pytest.raises(SparkError, match="ARITHMETIC_OVERFLOW"):
        SparkEngine(cluster.remote).answer(Work(question, "UTC", {"instants": [instants]}))


def test_a_file_that_the_cluster_does_not_have_is_named_with_the_way_out(cluster: Cluster, tmp_path: Path) -> None:
    gone = tmp_path / "gone.parquet"
    with pytest.raises(SparkError, match="can't read the files of the lake") as refused:
        SparkEngine(cluster.remote).answer(Work("SELECT 1 AS one FROM gone", "UTC", {"gone": [str(gone)]}))
    assert str(gone) in refused.value.why
    assert "SIGHTLINE_LAKE" in refused.value.fix


def test_a_file_that_only_the_workers_find_damaged_is_named(cluster: Cluster, tmp_path: Path) -> None:
    """The driver reads the end of a file; its pages are read by workers alone."""
    path = tmp_path / "damaged.parquet"
    pq.write_table(pa.table({"number": list(range(10_000))}), path, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4:2_000] = bytes(1_996)
    path.write_bytes(content)
    work = Work("SELECT SUM(number) AS total FROM damaged", "UTC", {"damaged": [str(path)]})
    with pytest.raises(SparkError, match="can't read the files of the lake") as refused:
        SparkEngine(cluster.remote).answer(work)
    assert str(path) in refused.value.why


@pytest.mark.parametrize("token", ["", "/;token=not-to-be-shown"])
def test_a_server_that_does_not_answer_is_named_without_its_token(token: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    engine = SparkEngine(f"sc://127.0.0.1:{port}{token}")
    with pytest.raises(SparkError, match=f"No Spark answers at sc://127.0.0.1:{port}[.]") as refused:
        engine.answer(Work("SELECT 1 AS one", "UTC", {}))
    assert "SIGHTLINE_SPARK_REMOTE" in refused.value.fix
    assert "not-to-be-shown" not in str(refused.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(SparkError, match="must start with 'sc://'"):
        SparkEngine("localhost:15002").answer(Work("SELECT 1 AS one", "UTC", {}))


WITHOUT_PYSPARK = """
import sys
sys.modules["pyspark"] = None
from app.lake.engine import Work
from app.lake.spark import SparkEngine, SparkError
try:
    SparkEngine("sc://127.0.0.1:15002").answer(Work("SELECT 1 AS one", "UTC", {}))
except SparkError as error:
    print(error)
"""


def test_without_pyspark_the_extra_is_named() -> None:
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_PYSPARK], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    assert "pip install 'pyspark[connect]>=4.3'" in told.stdout
    assert told.stderr == ""
