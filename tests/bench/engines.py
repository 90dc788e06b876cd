"""How long each engine takes to make rollups whole from the same files: DuckDB in one process, Spark on two workers.

The rows come from the database of SIGHTLINE_HOME or DATABASE_URL, which is only read.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from app.cli.shared import address
from app.lake.calendar import calendar_file
from app.lake.duck import DuckEngine
from app.lake.engine import Engine, Work
from app.lake.origin import Origin, as_pulled, origin, typed
from app.lake.source import Source
from app.lake.sources import SOURCES
from app.lake.spark import SparkEngine
from app.rollups import CALENDAR, Rollup, rollups
from db.roles import PIPE
from tests.lake.spark_cluster import CONF, spark_cluster

ROUNDS = 3
ZONE = "UTC"
# As a cluster runs that lives longer than a test: compiled to the end, and as many partitions as Spark finds good.
LONG_LIVED = {name: value for name, value in CONF.items() if not name.endswith("extraJavaOptions")} | {
    "spark.executor.memory": "1500m",
    "spark.sql.adaptive.coalescePartitions.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
}


def main(names: Iterable[str]) -> None:
    """Print a line per table that is copied, and one per rollup with the median seconds of each engine."""
    chosen = [rollups()[name] for name in names]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sys.stdout.write("| table | rows | seconds | rows/s | bytes a row |\n| --- | ---: | ---: | ---: | ---: |\n")
        files = copied({table for rollup in chosen for table in rollup.reads}, folder)
        files[CALENDAR] = [str(calendar_file(folder, ZONE))]
        with spark_cluster(folder, LONG_LIVED) as cluster:
            engines: dict[str, Engine] = {"duckdb": DuckEngine(folder / "spill"), "spark": SparkEngine(cluster.remote)}
            sys.stdout.write("\n| rollup | rows read | rows made | DuckDB, s | Spark, s |\n")
            sys.stdout.write("| --- | ---: | ---: | ---: | ---: |\n")
            for rollup in chosen:
                sys.stdout.write(f"{measured(rollup, files, engines)}\n")
                sys.stdout.flush()


def measured(rollup: Rollup, files: Mapping[str, list[str]], engines: Mapping[str, Engine]) -> str:
    """The engines take turns, so that what else the machine does weighs on both."""
    tables = (*rollup.reads, CALENDAR) if rollup.uses_calendar else rollup.reads
    work = Work(rollup.sql, ZONE, {table: files[table] for table in tables})
    made: dict[str, int] = {}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for name, engine in (pair for _ in range(ROUNDS) for pair in engines.items()):
        started = time.perf_counter()
        made[name] = sum(batch.num_rows for batch in engine.answer(work))
        seconds[name].append(time.perf_counter() - started)
    assert len(set(made.values())) == 1, f"{rollup.name}: the engines made different numbers of rows, {made}"
    read = sum(rows_of(files[table]) for table in rollup.reads)
    medians = " | ".join(f"{statistics.median(taken):.1f}" for taken in seconds.values())
    return f"| {rollup.name} | {read:,} | {made['duckdb']:,} | {medians} |"


def rows_of(files: Iterable[str]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in files)


def copied(tables: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """The tables as files of the lake, one per month."""
    with address() as found, origin(found.url(PIPE)) as now, duckdb.connect() as duck:
        duck.execute(f"SET temp_directory = '{folder / 'spill'}'")
        duck.execute(f"SET TimeZone = '{ZONE}'")
        return {name: written(SOURCES[name], now, duck, folder) for name in sorted(tables)}


def written(source: Source, now: Origin, duck: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    # Without the stamp of the last change, which no rollup reads.
    started = time.perf_counter()
    asked = as_pulled(replace(source, is_stamped=False), where="TRUE")
    with now.stream(asked) as pulled:
        duck.register("pulled", pulled)
        duck.execute(f"CREATE OR REPLACE TEMP TABLE rows_here AS SELECT {typed(source)} FROM pulled")
        duck.unregister("pulled")
    month = f"STRFTIME({source.month_column}, '%Y-%m')" if source.month else "'all'"
    months = [value for (value,) in duck.execute(f"SELECT DISTINCT {month} FROM rows_here ORDER BY ALL").fetchall()]
    paths = [str(folder / f"{source.name}-{value}.parquet") for value in months]
    for value, path in zip(months, paths, strict=True):
        question = f"FROM rows_here WHERE {month} = '{value}' ORDER BY {', '.join(source.order)}"
        duck.execute(f"COPY ({question}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    tell_of(source, paths, time.perf_counter() - started)
    return paths


def tell_of(source: Source, paths: list[str], seconds: float) -> None:
    rows, size = rows_of(paths), sum(Path(path).stat().st_size for path in paths)
    sys.stdout.write(f"| {source.name} | {rows:,} | {seconds:.1f} | {rows / seconds:,.0f} | {size / rows:.1f} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(name for name in rollups() if name.startswith("email_")))
