"""The database as the lake sees it: one snapshot in which everything below its horizon is finished."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from app.lake.source import Source
from app.lake.sources import SOURCES
from db.errors import SightlineError

# ruff: noqa: S608 - the SQL is made of our own names and numbers

_WHO = """
SELECT
    CAST((SELECT system_identifier FROM pg_control_system()) AS text) AS system,
    CASE
        WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
        ELSE CAST(('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32) AS integer)
    END AS timeline,
    CAST((SELECT oid FROM pg_database WHERE datname = current_database()) AS bigint) AS database
"""
_HORIZON = """
SELECT
    CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) AS xmin,
    CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS xmax,
    statement_timestamp() AS at
"""
_FILES = """
SELECT c.relname AS name, CAST(NULL AS date) AS month,
    CAST(pg_relation_filenode(c.oid) AS bigint) AS file, CAST(c.reltuples AS bigint) AS rows
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
UNION ALL
SELECT f.relname, p.month, CAST(pg_relation_filenode(p.partition) AS bigint),
    CAST(c.reltuples AS bigint)
FROM fact_partitions() AS p
JOIN pg_class AS f ON f.oid = p.fact
JOIN pg_class AS c ON c.oid = p.partition
"""
_TOMBSTONES = """
SELECT
    t.row_key ->> 'id' AS id,
    t.row_key ->> 'campaign_id' AS campaign_id,
    t.row_key ->> 'contact_id' AS contact_id,
    CAST(CAST(t.row_xid AS text) AS bigint) AS removed_by,
    CAST(date_trunc('month', CAST(COALESCE(
        t.row_key ->> 'occurred_at', t.row_key ->> 'created_at', t.row_key ->> 'logged_at',
        t.row_key ->> 'optimized_at', t.row_key ->> 'date', t.row_key ->> 'month', t.row_key ->> 'sends_month'
    ) AS timestamptz)) AS date) AS in_month
FROM fact_tombstones AS t"""


@dataclass(frozen=True)
class Stored:
    """Where Postgres keeps a table, or one month of it. Another file holds other rows, whatever their stamps say."""

    file: int
    rows: int


class Origin:
    """One transaction on the database. What is below `horizon` is finished: no row there can appear later."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._connection = connection
        self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        self._run("SET LOCAL jit = off")
        self._run("SET LOCAL timezone = 'UTC'")
        now = self.ask(_HORIZON)[0]
        self.horizon: int = now["xmin"]
        # Whatever is committed by now has a lower number than this.
        self.ceiling: int = now["xmax"]
        self.at: datetime = now["at"]
        # Which database this is: a restored or promoted one may count its transactions anew.
        self.identity = ":".join(str(part) for part in self.ask(_WHO)[0].values())
        self.files = self._files()

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """A few rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            rows: list[dict[str, Any]] = cursor.fetch_arrow_table().to_pylist()
        return rows

    @contextmanager
    def stream(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Many rows, as they come."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            yield cursor.fetch_record_batch()

    def newest(self, since: Mapping[str, tuple[int, int]], *, among: str = "TRUE") -> dict[str, tuple[int, int]]:
        """Per table the newest finished transaction that wrote to it, and that deleted from it, from given ones on.

        0 stands for none; `among` limits the rows that were written.
        """
        if not since:
            return {}
        newest = "SELECT CAST(CAST(t.row_xid AS text) AS bigint) FROM"
        asked = " UNION ALL ".join(
            f"SELECT '{name}' AS name,"
            f" ({newest} {name} AS t WHERE {self.window(written)} AND {among}"
            " ORDER BY t.row_xid DESC LIMIT 1) AS written,"
            f" ({newest} fact_tombstones AS t WHERE t.fact = '{name}' AND {self.window(removed)}"
            " ORDER BY t.row_xid DESC LIMIT 1) AS removed"
            for name, (written, removed) in since.items()
        )
        return {row["name"]: (row["written"] or 0, row["removed"] or 0) for row in self.ask(asked)}

    def refuse_restored(self, name: str) -> None:
        """Rows that are numbered beyond every transaction of this server came with a dump: below no horizon of ours."""
        (found,) = self.ask(
            f"SELECT EXISTS (SELECT 1 FROM {name} AS t WHERE t.row_xid >= CAST('{self.ceiling}' AS xid8)) AS there"
        )
        if found["there"]:
            raise SightlineError(
                f"The database was restored from a dump: rows of {name} carry another server's transactions.",
                why="The lake would pass over them now, and take them for news later.",
                fix="Run `sightline migrate`, which marks them anew, and refresh again. Old answers stay meanwhile.",
            )

    def window(self, since: int) -> str:
        """The condition on rows that were written from a transaction on, by finished ones."""
        return f"t.row_xid >= CAST('{since}' AS xid8) AND t.row_xid < CAST('{self.horizon}' AS xid8)"

    def digest(self, source: Source) -> bytes:
        """A digest of a small table's rows as they lie: the same as before, they need no comparison."""
        with self.stream(as_pulled(source, where="TRUE")) as reader:
            rows = reader.read_all()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        return hashlib.sha256(sink.getvalue()).digest()

    def removed(self, name: str, since: int) -> pa.Table:
        """The keys of a table's rows that finished transactions deleted, from one on."""
        table: pa.Table
        with self._connection.cursor() as cursor:
            cursor.execute(f"{_TOMBSTONES} WHERE t.fact = '{name}' AND {self.window(since)}")
            table = cursor.fetch_arrow_table()
        return table

    def price_book(self) -> int | None:
        """The version of the newest approved price."""
        (found,) = self.ask("SELECT max(version) AS version FROM ai_prices WHERE approved_at IS NOT NULL")
        version: int | None = found["version"]
        return version

    def _files(self) -> dict[str, dict[date | None, Stored]]:
        found: dict[str, dict[date | None, Stored]] = {name: {} for name in SOURCES}
        for row in self.ask(_FILES):
            if row["name"] in found:
                found[row["name"]][row["month"]] = Stored(row["file"], max(row["rows"], 0))
        return found

    def _run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)


class Database:
    """The connection that fills the lake: opened once, asked in one snapshot after another."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Any = None

    @contextmanager
    def snapshot(self) -> Iterator[Origin]:
        """A transaction for as long as the block runs; keep it short, it holds back the server's clean-up."""
        try:
            yield self._begun()
            self._connection.rollback()
        except adbc.Error as error:
            # The server was stopped, or ended the session: the next snapshot is of a new one.
            self._forget()
            raise _unreachable(error) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        # It goes with whoever refreshes, who has nothing else to close.
        self.close()

    def _begun(self) -> Origin:
        if self._connection is not None:
            try:
                self._connection.rollback()
                return Origin(self._connection)
            except adbc.Error:
                self._forget()  # the server was restarted, or ended a session that was idle for long
        try:
            self._connection = adbc.connect(self._url)
        except adbc.Error as error:
            raise _unreachable(error) from None
        return Origin(self._connection)

    def _forget(self) -> None:
        with suppress(adbc.Error):
            self._connection.close()
        self._connection = None


@contextmanager
def origin(url: str) -> Iterator[Origin]:
    """One snapshot of a database that is asked but once."""
    database = Database(url)
    with closing(database), database.snapshot() as snapshot:
        yield snapshot


def first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def as_pulled(source: Source, *, where: str) -> str:
    """The question for rows: what the driver has no type for travels as text."""
    listed = ", ".join(
        f"CAST({column.expression} AS text) AS {column.name}"
        if column.type.startswith("DECIMAL")
        else f"{column.expression} AS {column.name}"
        for column in source.columns
    )
    stamp = ", t.row_changed AS row_changed" if source.is_stamped else ""
    return f"SELECT {listed}{stamp} FROM {source.name} AS t {source.joins} WHERE {where}"


def typed(source: Source) -> str:
    """The columns as the lake types them, over what was pulled."""
    return ", ".join(f"CAST({column.name} AS {column.type}) AS {column.name}" for column in source.columns)


def _unreachable(error: Exception) -> SightlineError:
    return SightlineError(
        "The database that fills the lake can't be reached.",
        why=f"The server says: {first_line(error)}.",
        fix="Check that it runs, and SIGHTLINE_READ_URL where it is set. Old answers stay meanwhile.",
    )
