"""Marks anew what was restored from a dump: its rows carry the transactions of another server's count."""

from sqlalchemy import Connection, text

# ruff: noqa: S608 - the names are the catalog's

_STAMPED = """
SELECT c.oid::regclass::text
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'row_xid' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY 1
"""
# What a statement sees was written by transactions that are numbered below its snapshot's end, or elsewhere.
_FROM_ELSEWHERE = "row_xid >= pg_snapshot_xmax(pg_current_snapshot())"
_TOMBSTONES = "fact_tombstones"


def mark_restored(connection: Connection) -> list[str]:
    """Give such rows this transaction's number, and say in which tables they were; there are none but after a restore.

    The lake reads what lies below the horizon of running transactions: it would pass over them until the count of this
    server has come as far, and then take them for news.
    """
    tables = connection.scalars(text(_STAMPED)).all()
    restored = [name for name in tables if connection.scalar(text(_exists(name)))]
    for name in restored:
        if name == _TOMBSTONES:
            # The rows that they tell of are not in the dump.
            connection.execute(text(f"DELETE FROM {name} WHERE {_FROM_ELSEWHERE}"))
            continue
        # Nothing that counts or wakes is to be told: the rows say what they said.
        connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE {name} SET row_xid = pg_current_xact_id() WHERE {_FROM_ELSEWHERE}"))
        connection.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
    return restored


def _exists(name: str) -> str:
    return f"SELECT EXISTS (SELECT 1 FROM {name} WHERE {_FROM_ELSEWHERE})"
