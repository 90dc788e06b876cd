"""Puts rows into Postgres by COPY: small tables at once, history into month tables that are attached as a whole.

History is written into a schema of its own and committed there, by connections of its own. One transaction then adds
everything else and attaches the months: either the whole demo is there or nothing of it. That transaction takes its
number before the first row of history is written, so no reader that goes by transaction numbers passes over a row.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import psycopg
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from sqlalchemy import Engine

from db.demo.rows import Row, as_text, columns_of
from db.demo.seasons import first_of_month
from db.roles import OWNER

STAGING = "demo_staging"
CHUNK = 100_000
Session = psycopg.Connection[tuple[object, ...]]

# By its fingerprints an event is known that a provider delivers again.
_FINGERPRINTS = """
INSERT INTO demo_staging.email_event_keys (workspace_id, fingerprint, event_id, seen_at)
SELECT
    workspace_id,
    unnest(email_event_fingerprints(
        provider, provider_event_key, provider_message_id, campaign_id, contact_id, event_type, occurred_at, link_url
    )),
    id,
    created_at
FROM {}
WHERE occurred_at >= to_timestamp(%s)
"""
_NO_HEADER = pa_csv.WriteOptions(include_header=False)
_SEARCH_INDEXES = """
SELECT c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'gin'
WHERE i.indrelid = to_regclass('public.' || %s)
ORDER BY c.relname
"""
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid), i.indisprimary
FROM pg_index AS i
WHERE i.indrelid = to_regclass('public.' || %s)
ORDER BY i.indisprimary DESC, i.indexrelid
"""


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """A connection of the set-up role that acts as the owner, in UTC, and is given back as it was."""
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - `engine_for` makes no other
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute("SET work_mem = '64MB'")
        connection.execute("SET synchronous_commit = off")
        # Compiling a query over all months takes longer than running it.
        connection.execute("SET jit = off")
        connection.commit()
        yield connection
    finally:
        # A role and settings must not stay on a connection that goes back to the pool.
        pooled.invalidate()


def copy_table(connection: Session, target: sql.Composable, table: pa.Table) -> None:
    """Send an Arrow table to a table of Postgres."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in table.column_names)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(target, names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, table.num_rows, CHUNK):
            out = pa.BufferOutputStream()
            pa_csv.write_csv(table.slice(start, CHUNK), out, _NO_HEADER)
            copy.write(memoryview(out.getvalue()))


class Staging:
    """Month tables built aside. Several threads write, each with its own connection."""

    def __init__(self, engine: Engine, remembered_from: int) -> None:
        self.engine = engine
        # Events since then, in seconds since 1970, are known again when they are repeated.
        self.remembered_from = remembered_from
        self.months: set[tuple[str, int]] = set()
        self.rows: Counter[str] = Counter()
        self._lock = Lock()
        self._indexers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="demo-indexes")
        self._indexing: list[Future[None]] = []

    def begin(self, connection: Session) -> None:
        """Start afresh: what a killed load left behind is nothing but this schema."""
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(STAGING)))
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(STAGING)))
        connection.execute(sql.SQL("CREATE TABLE {} (LIKE public.email_event_keys)").format(staged("email_event_keys")))
        connection.commit()

    def write(self, connection: Session, fact: str, month: int, table: pa.Table) -> None:
        """Append rows to a fact's month."""
        name = month_table(fact, month)
        if (fact, month) not in self.months:
            connection.execute(
                sql.SQL(
                    "CREATE TABLE {} (LIKE public.{} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS"
                    " INCLUDING STORAGE INCLUDING COMPRESSION)"
                ).format(staged(name), sql.Identifier(fact))
            )
            with self._lock:
                self.months.add((fact, month))
        copy_table(connection, staged(name), table)
        connection.commit()
        with self._lock:
            self.rows[fact] += table.num_rows

    def write_aside(self, connection: Session, fact: str, table: pa.Table) -> None:
        """Append rows that will go through the triggers of the fact, in the order of the column `arrival`."""
        target = staged(f"{fact}_live")
        connection.execute(
            sql.SQL("CREATE TABLE IF NOT EXISTS {} (LIKE public.{} INCLUDING DEFAULTS, arrival bigint)").format(
                target, sql.Identifier(fact)
            )
        )
        copy_table(connection, target, table)
        connection.commit()

    def finish(self, fact: str, month: int) -> None:
        """Build the indexes of a month that is complete, in the background."""
        self._indexing.append(self._indexers.submit(self._index, fact, month))

    def wait(self) -> None:
        """Until all indexes are built; an error in the background is raised here."""
        self._indexers.shutdown()
        for future in self._indexing:
            future.result()

    def _index(self, fact: str, month: int) -> None:
        name = month_table(fact, month)
        with session(self.engine) as connection:
            for definition, is_primary in connection.execute(_INDEXES, (fact,)).fetchall():
                connection.execute(_on_month(str(definition), bool(is_primary), name).encode())
            if fact == "email_events":
                connection.execute(sql.SQL(_FINGERPRINTS).format(staged(name)), (self.remembered_from,))
            connection.commit()


def month_table(fact: str, month: int) -> str:
    """The name that `make_partitions_between` gives to a month."""
    return f"{fact}_{first_of_month(month):%Y_%m}"


def staged(name: str) -> sql.Composable:
    """A table of the schema where history is built."""
    return sql.Identifier(STAGING, name)


def _on_month(definition: str, is_primary: bool, name: str) -> str:
    """The statement that gives a month the index that its parent has."""
    if is_primary:
        columns = definition[definition.index("(") :]
        return f"ALTER TABLE {STAGING}.{name} ADD PRIMARY KEY {columns}"
    return re.sub(r"INDEX \S+ ON (ONLY )?\S+", f"INDEX ON {STAGING}.{name}", definition, count=1)


def insert_rows(connection: Session, table: str, rows: list[Row]) -> int:
    """Add rows of a small table."""
    if not rows:
        return 0
    columns = columns_of(rows)
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    with _waiting_room(connection, table, names) as room:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(room, names)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([as_text(row.get(column)) for column in columns])
    return len(rows)


def insert_table(connection: Session, table: str, rows: pa.Table) -> int:
    """Add the rows of an Arrow table."""
    names = sql.SQL(", ").join(sql.Identifier(column) for column in rows.column_names)
    with _waiting_room(connection, table, names) as room:
        copy_table(connection, room, rows)
    return int(rows.num_rows)


@contextmanager
def search_indexes_last(connection: Session, table: str) -> Iterator[None]:
    """Build a table's GIN indexes once, after its rows: row by row they take longer than everything else of a row."""
    found = connection.execute(_SEARCH_INDEXES, (table,)).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", str(name))))
    yield
    for _, definition in found:
        connection.execute(str(definition).encode())


@contextmanager
def _waiting_room(connection: Session, table: str, names: sql.Composable) -> Iterator[sql.Composable]:
    # COPY refuses a table with row level security, also from its owner: rows wait next door and are inserted.
    room, target = staged(f"{table}_new"), sql.Identifier("public", table)
    connection.execute(
        sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(room, names, target)
    )
    yield room
    connection.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(target, names, names, room))
    connection.execute(sql.SQL("DROP TABLE {}").format(room))


def remember_events(connection: Session) -> None:
    """The fingerprints of recent history; rows in the order of their time, as the index on it wants them."""
    connection.execute(
        sql.SQL("INSERT INTO public.email_event_keys SELECT * FROM {} ORDER BY seen_at ON CONFLICT DO NOTHING").format(
            staged("email_event_keys")
        )
    )


def analyze(connection: Session) -> Iterator[tuple[int, int]]:
    """Statistics of every table, before triggers plan their work on rows that nobody has counted yet."""
    tables = connection.execute(
        """
        SELECT c.relname
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND pg_get_userbyid(c.relowner) = current_user
        ORDER BY c.relname
        """
    ).fetchall()
    connection.execute("SET default_statistics_target = 40")
    for done, (table,) in enumerate(tables, 1):
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("public", str(table))))
        yield done, len(tables)


def insert_live(connection: Session, fact: str, batch: int) -> Iterator[int]:
    """Let the staged recent rows of a fact through its triggers, batch by batch; yields how many went."""
    columns = [
        str(column)
        for (column,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.' || %s) AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('row_xid', 'row_changed') ORDER BY attnum",
            (fact,),
        )
    ]
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    source = staged(f"{fact}_live")
    connection.execute(sql.SQL("CREATE INDEX ON {} (arrival)").format(source))
    ((last,),) = connection.execute(sql.SQL("SELECT COALESCE(MAX(arrival), -1) FROM {}").format(source)).fetchall()
    assert isinstance(last, int)  # noqa: S101 - an aggregate of bigint
    for start in range(0, last + 1, batch):
        done = connection.execute(
            sql.SQL(
                "INSERT INTO public.{} ({}) SELECT {} FROM {} WHERE arrival >= %s AND arrival < %s ORDER BY arrival"
            ).format(sql.Identifier(fact), names, names, source),
            (start, start + batch),
        )
        yield done.rowcount
    connection.execute(sql.SQL("DROP TABLE {}").format(source))


def attach_months(connection: Session, months: Iterable[tuple[str, int]]) -> Iterator[None]:
    """Make the staged months partitions; attaching checks all their foreign keys at once."""
    for fact, month in sorted(months):
        name = month_table(fact, month)
        _make_room(connection, fact, name)
        connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA public").format(staged(name)))
        connection.execute(
            sql.SQL("ALTER TABLE public.{} ATTACH PARTITION public.{} FOR VALUES FROM ({}) TO ({})").format(
                sql.Identifier(fact),
                sql.Identifier(name),
                sql.Literal(first_of_month(month).isoformat()),
                sql.Literal(first_of_month(month + 1).isoformat()),
            )
        )
        yield


def _make_room(connection: Session, fact: str, name: str) -> None:
    """Drop the partition that stands in the place; rows that are in it, the house's own, move over."""
    if connection.execute("SELECT to_regclass('public.' || %s)", (name,)).fetchone() == (None,):
        return
    columns = [
        str(column)
        for (column,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.' || %s) AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            (fact,),
        )
    ]
    names = sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    old = sql.Identifier("public", name)
    connection.execute(sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(staged(name), names, names, old))
    connection.execute(sql.SQL("DROP TABLE {}").format(old))
