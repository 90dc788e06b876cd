"""The rows of a source at a version, as SQL over its files: what was written, less what was changed or removed since.

Rows are appended. A change is a newer version of a row, a removal a mark; both lie in a layer of their own, with the
number of the pull that brought them, and hide every version of an earlier pull. Compaction folds them in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.lake.source import Source
from app.lake.versions import CHANGES, ROWS, Part

# ruff: noqa: S608 - the SQL is made of our own names


@dataclass(frozen=True)
class Held:
    """Some files of a source, by layer, each layer under a name that SQL reads."""

    source: Source
    rows: tuple[str, ...]
    changes: tuple[str, ...]
    prefix: str

    @property
    def files(self) -> dict[str, tuple[str, ...]]:
        """The files by the names that the SQL uses; a layer without files has no name."""
        layers = {self._rows: self.rows, self._changes: self.changes}
        return {name: files for name, files in layers.items() if files}

    @property
    def _rows(self) -> str:
        return f"{self.prefix}_{self.source.name}_rows"

    @property
    def _changes(self) -> str:
        return f"{self.prefix}_{self.source.name}_changes"

    def live(self, columns: Sequence[str] | None = None, *, among: Sequence[int] = ()) -> str:
        """The rows as they stand, with the pull that brought them; or those whose key begins with one of these."""
        listed = [*(columns or self.source.names), "pull"]
        begins = f"v.{self.source.key[0]} IN ({', '.join(map(str, among))})" if among else "TRUE"
        if not self.changes:
            return f"{self._written(listed)} AS v WHERE {begins}" if self.rows else _nothing(self.source, listed)
        same = " AND ".join(f"s.{key} = v.{key}" for key in self.source.key)
        keys = ", ".join(self.source.key)
        shown = ", ".join(f"v.{name}" for name in listed)
        latest = f"(SELECT {keys}, MAX(pull) AS pull FROM {self._changes} AS v WHERE {begins} GROUP BY {keys})"
        changed = (
            f"SELECT {shown} FROM {self._changes} AS v JOIN {latest} AS s ON {same}"
            f" WHERE v.pull = s.pull AND NOT v.removed AND {begins}"
        )
        if not self.rows:
            return changed
        return (
            f"SELECT {shown} FROM {self._rows} AS v LEFT JOIN {latest} AS s ON {same}"
            f" WHERE (s.pull IS NULL OR s.pull <= v.pull) AND {begins} UNION ALL {changed}"
        )

    def touched(self, after: int) -> str:
        """The keys of rows that a later pull changed or removed."""
        keys = ", ".join(self.source.key)
        if not self.changes:
            return _nothing(self.source, self.source.key)
        return f"SELECT DISTINCT {keys} FROM {self._changes} WHERE pull > {after}"

    def _written(self, listed: Sequence[str]) -> str:
        return f"SELECT {', '.join(listed)} FROM {self._rows}"


def held(source: Source, parts: Sequence[Part], prefix: str, months: frozenset[date | None] | None = None) -> Held:
    """The files of some months, or of all."""
    chosen = [part for part in parts if months is None or part.month in months]
    return Held(
        source,
        tuple(part.path for part in chosen if part.layer == ROWS),
        tuple(part.path for part in chosen if part.layer == CHANGES),
        prefix,
    )


def _nothing(source: Source, listed: Sequence[str]) -> str:
    types = {column.name: column.type for column in source.columns} | {"pull": "BIGINT"}
    nulls = ", ".join(f"CAST(NULL AS {_portable(types[name])}) AS {name}" for name in listed)
    return f"SELECT {nulls} WHERE FALSE"


def _portable(kind: str) -> str:
    """As both engines name a type."""
    return {"VARCHAR": "STRING", "TIMESTAMPTZ": "TIMESTAMP", "BLOB": "BINARY"}.get(kind, kind)
