"""Texts that come again and again, held as entries of a dictionary: rows are grouped by them twice as fast.

An entry is compared and shown as its text, and they stand in the order of their texts. Relations of different
dictionaries may be put together: that is text again, right all the same.
"""

from dataclasses import dataclass

import duckdb

from app.lake.duck import literal

# ruff: noqa: S608 - the SQL is made of our own names

# Of more texts than this, most come once.
_ENTRIES = 1000


@dataclass(frozen=True)
class _Dictionary:
    kind: str
    entries: frozenset[str]


class Dictionaries:
    """One for each name of a column, in whichever relation it stands; it grows by what is met."""

    def __init__(self) -> None:
        self._known: dict[str, _Dictionary] = {}
        self._made = 0

    def told(self, cursor: duckdb.DuckDBPyConnection, query: str) -> str:
        """The same rows, with entries for texts."""
        described = cursor.execute(f"DESCRIBE {query}").fetchall()
        columns = [name for name, kind, *_ in described if kind == "VARCHAR" or kind.startswith("ENUM")]
        if not columns:
            return query
        few = (
            f"(SELECT list(text) FROM (SELECT DISTINCT CAST({name} AS VARCHAR) AS text FROM ({query})"
            f" WHERE {name} IS NOT NULL LIMIT {_ENTRIES + 1}))"
            for name in columns
        )
        found = cursor.execute(f"SELECT {', '.join(few)}").fetchone() or ()
        casts = [
            f"CAST({name} AS {self._kind(cursor, name, frozenset(texts))}) AS {name}"
            for name, texts in zip(columns, found, strict=True)
            if texts and len(texts) <= _ENTRIES
        ]
        return f"SELECT * REPLACE ({', '.join(casts)}) FROM ({query})" if casts else query

    def _kind(self, cursor: duckdb.DuckDBPyConnection, column: str, texts: frozenset[str]) -> str:
        """The type of a column that holds these texts."""
        known = self._known.get(column)
        if known is None or not texts <= known.entries:
            self._made += 1
            entries = texts | known.entries if known and len(texts | known.entries) <= _ENTRIES else texts
            known = _Dictionary(f"texts_{self._made}", entries)
            cursor.execute(f"CREATE TYPE {known.kind} AS ENUM ({', '.join(map(literal, sorted(entries)))})").fetchall()
            self._known[column] = known
        return known.kind
