"""DuckDB as the engine of this machine, within a bound of memory and with a folder to spill into."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from app.lake.engine import Work

MEMORY = "1200MB"
_BATCH = 122_880


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def parquet(files: Sequence[str]) -> str:
    """A relation over files of one shape."""
    return f"read_parquet([{', '.join(literal(file) for file in files)}])"


def connect(spill: Path, zone: str) -> duckdb.DuckDBPyConnection:
    """A connection of its own: in memory up to a bound, and beyond it in files."""
    connection = duckdb.connect()
    spill.mkdir(parents=True, exist_ok=True)
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET temp_directory = {literal(str(spill))}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET TimeZone = {literal(zone)}")
    return connection


class DuckEngine:
    """Runs rollup texts in this process. Opening a DuckDB takes longer than most texts: all share one."""

    def __init__(self, spill: Path) -> None:
        self._spill = spill
        self._opened: duckdb.DuckDBPyConnection | None = None

    def answer(self, work: Work) -> pa.RecordBatchReader:
        """The answer as a stream; its cursor, with the names that it knows, closes at the end."""
        if self._opened is None:
            self._opened = connect(self._spill, "UTC")
        cursor = self._opened.cursor()
        cursor.execute(f"SET TimeZone = {literal(work.zone)}")
        for name, files in work.files.items():
            cursor.execute(f"CREATE TEMP VIEW {name} AS FROM {parquet(files)}")
        for name, sql in work.views:
            cursor.execute(f"CREATE TEMP VIEW {name} AS {sql}")
        reader = cursor.sql(work.sql).to_arrow_reader(_BATCH)
        return pa.RecordBatchReader.from_batches(reader.schema, _until_drained(reader, cursor))


def _until_drained(reader: pa.RecordBatchReader, cursor: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    with cursor:
        yield from reader
