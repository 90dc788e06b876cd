"""Brings one table's changes into the lake exactly once: rows, removals and how far it came land in one commit."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from app.lake.duck import literal, parquet
from app.lake.origin import Origin, Stored, as_pulled, typed
from app.lake.source import BLOB, Source
from app.lake.state import held
from app.lake.storage import NewFile, Opened, Table
from app.lake.versions import CHANGES, ROWS, Part
from db.errors import SightlineError

# ruff: noqa: S608 - the SQL is made of our own names and numbers

_GONE = 0
# Without a campaign in the lake there is no send in it either that could have been deleted.
_NO_CODES = "(SELECT '' AS id, 0 AS code WHERE FALSE)"
# Of a tombstone; times in a key are not compared as text.
_KEYS = ("id", "campaign_id", "contact_id")
_RULES = "machine_rules_version"


@dataclass(frozen=True)
class Month:
    """How far one month of a table is copied. Tables without months have one, named by no date."""

    file: int  # of Postgres: another one holds other rows
    of: str  # the database it was copied from
    watermark: int = 0  # rows of earlier transactions are in
    pull: int = 0  # the last one that brought something
    replaced: int = 0  # the last pull that brought the whole month

    @property
    def is_gone(self) -> bool:
        return self.file == _GONE

    def written(self) -> list[Any]:
        return [self.file, self.of, self.watermark, self.pull, self.replaced]


@dataclass
class Progress:
    """How far a table is copied; written into each commit beside what it brought."""

    # Of the table of the lake: one that was lost and made again is another one to what was made from it.
    born: str = field(default_factory=lambda: uuid.uuid4().hex)
    pull: int = 0
    tombstones: int = 0
    # The newest row that was copied, by its primary key: a database that does not know it is not the one we copied.
    witness: dict[str, str] | None = None
    witness_xid: int = 0
    # The newest set of rules by which opens of machines were told from those of people.
    machine_rules: int | None = None
    months: dict[date | None, Month] = field(default_factory=dict)

    @classmethod
    def of(cls, opened: Opened) -> "Progress":
        kept = opened.state
        if not kept:
            return cls()
        months = {
            date.fromisoformat(month) if month else None: Month(*values) for month, values in kept["months"].items()
        }
        return cls(**{**kept, "months": months})

    def written(self) -> dict[str, Any]:
        return {
            "born": self.born,
            "pull": self.pull,
            "tombstones": self.tombstones,
            "witness": self.witness,
            "witness_xid": self.witness_xid,
            "machine_rules": self.machine_rules,
            "months": {month.isoformat() if month else "": kept.written() for month, kept in self.months.items()},
        }

    @property
    def watermark(self) -> int:
        """From here on, some month may lack rows."""
        return min((kept.watermark for kept in self.months.values()), default=0)


@dataclass
class Copy:
    """A table of the lake on its way from one version to the next."""

    source: Source
    table: Table
    opened: Opened
    progress: Progress
    adds: list[NewFile] = field(default_factory=list)
    removes: list[Part] = field(default_factory=list)
    is_touched: bool = False

    def parts_of(self, month: date | None) -> list[Part]:
        return [part for part in self.opened.parts if part.month == month]

    def stale(self, stored: dict[date | None, Stored], identity: str) -> list[date | None]:
        """Months that must be copied whole: new ones, truncated or restored ones, or those of another database."""
        kept = self.progress.months
        return [
            month
            for month, at in stored.items()
            if month not in kept
            or kept[month].file != at.file
            or kept[month].of != identity
            or not self.source.is_stamped
        ]

    def is_of_others(self, identity: str) -> bool:
        """Whether nothing of this database is in it yet."""
        return all(kept.of != identity for kept in self.progress.months.values() if not kept.is_gone)

    def commit(self, schema: pa.Schema) -> Opened:
        """Make the next version, if there is anything to it."""
        if not (self.adds or self.removes or self.is_touched):
            return self.opened
        written = self.progress.written()
        return self.table.commit(self.opened, schema, adds=self.adds, removes=self.removes, state=written)


class Pull:
    """One pull: a number, a snapshot of the database, and a DuckDB to put rows in order with."""

    def __init__(self, origin: Origin, duck: duckdb.DuckDBPyConnection, number: int) -> None:
        self.origin = origin
        self.number = number
        self._duck = duck

    def whole(self, copy: Copy, months: Sequence[date | None]) -> None:
        """Copy months whole. Where the lake holds the same rows already, it keeps its files."""
        if not months:
            return
        source = copy.source
        newest = deleted = 0
        conditions = "TRUE"
        if source.is_stamped:
            if copy.is_of_others(self.origin.identity):
                self.origin.refuse_restored(source.name)
            conditions = f"{self.origin.window(0)} AND ({' OR '.join(_in(source, month) for month in months)})"
            newest, deleted = self.origin.newest({source.name: (0, 0)}, among=conditions)[source.name]
        if copy.is_of_others(self.origin.identity):
            # What was deleted before the first row is copied needs no mark, and another database counts from elsewhere.
            copy.progress.tombstones = deleted + 1
        self._duck.execute(f"CREATE OR REPLACE TEMP TABLE pulled AS {_empty(source)}")
        self._fetch(copy, conditions)
        arrived = {month for (month,) in self._duck.execute("SELECT DISTINCT in_month FROM pulled").fetchall()}
        for month in months:
            # Most months of most tables are empty, and writing a file without rows takes as long as one with some.
            path = self._written(copy, month) if month in arrived else None
            self._replace_month(copy, month, path, newest + 1)

    def drop_gone(self, copy: Copy) -> None:
        """Take out the months that the database has no more."""
        stored = self.origin.files[copy.source.name]
        for month, kept in copy.progress.months.items():
            if month in stored or kept.is_gone:
                continue
            copy.removes += copy.parts_of(month)
            copy.progress.months[month] = Month(_GONE, "", kept.watermark, self.number, self.number)
            self._touch(copy)

    def news(self, copy: Copy, written: int, removed: int, codes: Mapping[str, Sequence[str]]) -> None:
        """Copy what transactions up to two given ones wrote and deleted since the last pull; 0 stands for none.

        `codes` are the files in which the codes of deleted rows' campaigns and contacts are found.
        """
        if not (written or removed):
            return
        self._duck.execute(f"CREATE OR REPLACE TEMP TABLE pulled AS {_empty(copy.source)}")
        if written:
            for condition in self._unread(copy):
                self._fetch(copy, condition)
        if removed:
            self._mark_removed(copy, codes)
        self._write(copy)
        if written:
            self._advance(copy, written)
        if removed:
            copy.progress.tombstones = removed + 1
            self._touch(copy)

    def _written(self, copy: Copy, month: date | None) -> Path:
        """A file of all rows of a month that were pulled."""
        path = copy.table.new_path(month)
        self._save(
            f"SELECT {', '.join(copy.source.names)}, CAST({self.number} AS BIGINT) AS pull FROM pulled"
            f" WHERE {_of(month)} ORDER BY {', '.join(copy.source.order)}",
            path,
        )
        return path

    def _replace_month(self, copy: Copy, month: date | None, path: Path | None, watermark: int) -> None:
        """The file takes the place of what is held of a month; one without rows has none."""
        stored = self.origin.files[copy.source.name][month]
        before = copy.progress.months.get(month)
        now = Month(stored.file, self.origin.identity, watermark, self.number, self.number)
        if before and self._holds_same(copy, month, path):
            if path:
                path.unlink()
            now = replace(now, pull=before.pull, replaced=before.replaced)
        else:
            copy.removes += copy.parts_of(month)
            copy.adds += [NewFile(path, month)] if path else []
        if now != before:
            copy.progress.months[month] = now
            self._touch(copy)

    def _holds_same(self, copy: Copy, month: date | None, path: Path | None) -> bool:
        names = ", ".join(copy.source.names)
        kept = held(copy.source, copy.parts_of(month), "kept")
        if path is None or not kept.files:
            return path is None and not kept.files
        for name, files in kept.files.items():
            self._duck.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {parquet(files)}")
        fresh = f"SELECT {names} FROM {parquet([str(path)])}"
        old = f"SELECT {names} FROM ({kept.live()})"
        (differs,) = self._duck.execute(
            f"SELECT EXISTS ({fresh} EXCEPT ALL {old}) OR EXISTS ({old} EXCEPT ALL {fresh})"
        ).fetchall()[0]
        return not differs

    def _unread(self, copy: Copy) -> list[str]:
        """Conditions on the rows to read: of the table at once where all its months are as far, else of each month."""
        stored = self.origin.files[copy.source.name]
        months = {month: kept for month, kept in copy.progress.months.items() if not self._is_settled(kept)}
        marks = {kept.watermark for kept in months.values()}
        if len(marks) == 1 and len(months) == len(stored):
            return [self.origin.window(marks.pop())]
        return [f"{self.origin.window(kept.watermark)} AND {_in(copy.source, month)}" for month, kept in months.items()]

    def _is_settled(self, kept: Month) -> bool:
        """Whether a month was copied whole in this pull, or is gone: news of it is in that."""
        return kept.replaced == self.number or kept.is_gone

    def _fetch(self, copy: Copy, condition: str) -> None:
        source = copy.source
        month = f"CAST(DATE_TRUNC('month', {source.month_column}) AS DATE)" if source.month_column else "NULL"
        with self.origin.stream(as_pulled(source, where=condition)) as reader:
            self._duck.register("arriving", reader)
            changed = "row_changed" if source.is_stamped else "FALSE"
            try:
                self._duck.execute(
                    f"INSERT INTO pulled SELECT {typed(source)}, {changed}, FALSE, {month} FROM arriving"
                )
            except duckdb.InvalidInputException as error:
                # Nothing of the lake is read here: it is the stream that broke.
                raise SightlineError(
                    "The database stopped answering while its rows were copied.",
                    why=str(error).splitlines()[0],
                    fix="Nothing is lost: once it answers, the next refresh goes on from there.",
                ) from error
            finally:
                self._duck.unregister("arriving")
        if _RULES in source.names:
            (rules,) = self._duck.execute(f"SELECT MAX({_RULES}) FROM pulled").fetchall()[0]
            copy.progress.machine_rules = max(rules or 0, copy.progress.machine_rules or 0) or None

    def _mark_removed(self, copy: Copy, codes: Mapping[str, Sequence[str]]) -> None:
        """A mark per removed row; one that was added anew and then changed is its own newer version."""
        source = copy.source
        self._duck.register("removals", self.origin.removed(source.name, copy.progress.tombstones))
        # A month that was copied whole since has what was added anew under the key of an earlier removal.
        self._duck.execute(
            f"CREATE OR REPLACE TEMP VIEW tombstones AS SELECT t.* FROM removals AS t"
            f" JOIN ({_watermarks(copy.progress)}) AS m"
            " ON m.month IS NOT DISTINCT FROM t.in_month AND m.watermark <= t.removed_by"
        )
        keys = ", ".join(source.key)
        same = " AND ".join(f"p.{key} = k.{key}" for key in source.key)
        self._duck.execute(
            f"INSERT INTO pulled ({keys}, row_changed, removed, in_month)"
            f" SELECT DISTINCT {keys}, TRUE, TRUE, in_month FROM ({_removed_keys(source, codes)}) AS k"
            f" WHERE NOT EXISTS (SELECT 1 FROM pulled AS p WHERE p.row_changed AND {same})"
        )
        self._duck.execute("DROP VIEW tombstones")
        self._duck.unregister("removals")

    def _write(self, copy: Copy) -> None:
        """Files of each month that has news."""
        for (month,) in self._duck.execute("SELECT DISTINCT in_month FROM pulled").fetchall():
            kept = copy.progress.months.get(month)
            if kept is None or self._is_settled(kept):
                continue
            for layer in (ROWS, CHANGES):
                self._write_layer(copy, month, layer)
            copy.progress.months[month] = replace(kept, pull=self.number)
            self._touch(copy)

    def _write_layer(self, copy: Copy, month: date | None, layer: str) -> None:
        names, order = ", ".join(copy.source.names), ", ".join(copy.source.order)
        removed, chosen = (", removed", "row_changed") if layer == CHANGES else ("", "NOT row_changed")
        path = copy.table.new_path(month, layer)
        written = self._save(
            f"SELECT {names}, CAST({self.number} AS BIGINT) AS pull{removed} FROM pulled"
            f" WHERE {_of(month)} AND {chosen} ORDER BY {order}",
            path,
        )
        if written:
            copy.adds.append(NewFile(path, month, layer))

    def _save(self, sql: str, path: Path) -> int:
        """Write rows to a file, which is not there when there are none."""
        copying = f"COPY ({sql}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        (written,) = self._duck.execute(copying).fetchall()[0]
        if not written:
            path.unlink()
        return int(written)

    def _advance(self, copy: Copy, newest: int) -> None:
        """All months are as far now; the newest row will be asked for before the next pull."""
        copy.progress.months = {
            month: replace(kept, watermark=newest + 1) for month, kept in copy.progress.months.items()
        }
        key = ", ".join(f"CAST(t.{column} AS text) AS {column}" for column in copy.source.primary_key)
        (copy.progress.witness,) = self.origin.ask(
            f"SELECT {key} FROM {copy.source.name} AS t WHERE t.row_xid = CAST('{newest}' AS xid8) LIMIT 1"
        )
        copy.progress.witness_xid = newest
        self._touch(copy)

    def _touch(self, copy: Copy) -> None:
        copy.progress.pull = self.number
        copy.is_touched = True


def lost_witness(copy: Copy, origin: Origin) -> bool:
    """Whether the database no longer knows the newest row that was copied from it, nor that it was deleted."""
    witness = copy.progress.witness
    if witness is None or not _still_stored(copy, origin):
        return False
    name = copy.source.name
    place = " AND ".join(f"t.{column} = '{value}'" for column, value in witness.items())
    key = " AND ".join(f"t.row_key ->> '{column}' = '{witness[column]}'" for column in _KEYS if column in witness)
    (found,) = origin.ask(
        f"SELECT EXISTS (SELECT FROM {name} AS t WHERE {place}"
        f" AND t.row_xid >= CAST('{copy.progress.witness_xid}' AS xid8))"
        f" OR EXISTS (SELECT FROM fact_tombstones AS t WHERE t.fact = '{name}' AND {key}"
        f" AND t.row_xid >= CAST('{copy.progress.witness_xid}' AS xid8)) AS is_known"
    )
    return not found["is_known"]


def _still_stored(copy: Copy, origin: Origin) -> bool:
    """A witness whose month was dropped or truncated testifies to nothing."""
    witness, column = copy.progress.witness or {}, copy.source.month
    month = date.fromisoformat(witness[column][:10]).replace(day=1) if column else None
    kept, stored = copy.progress.months.get(month), origin.files[copy.source.name].get(month)
    return kept is not None and stored is not None and kept.file == stored.file


def _in(source: Source, month: date | None) -> str:
    """A condition by which Postgres looks at one partition alone."""
    if source.month is None or month is None:
        return "TRUE"
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return f"t.{source.month} >= '{month}' AND t.{source.month} < '{following}'"


def _of(month: date | None) -> str:
    """The same on the rows that were pulled."""
    return f"in_month = DATE '{month}'" if month else "in_month IS NULL"


def _empty(source: Source) -> str:
    columns = ", ".join(f"CAST(NULL AS {column.type}) AS {column.name}" for column in source.columns)
    return f"SELECT {columns}, TRUE AS row_changed, FALSE AS removed, CAST(NULL AS DATE) AS in_month WHERE FALSE"


def _watermarks(progress: Progress) -> str:
    rows = (
        f"(CAST({literal(str(month)) if month else 'NULL'} AS DATE), {kept.watermark})"
        for month, kept in progress.months.items()
    )
    return f"SELECT month, watermark FROM (VALUES {', '.join(rows)}) AS known (month, watermark)"


def _removed_keys(source: Source, codes: Mapping[str, Sequence[str]]) -> str:
    """The keys of the lake for what tombstones name."""
    if source.key == ("campaign_code", "contact_code"):
        known = {
            name: f"(SELECT DISTINCT id, code FROM {parquet(files)} WHERE code IS NOT NULL)" if files else _NO_CODES
            for name, files in codes.items()
        }
        return (
            f"SELECT c.code AS campaign_code, p.code AS contact_code, t.in_month FROM tombstones AS t"
            f" JOIN {known['campaigns']} AS c ON c.id = t.campaign_id"
            f" JOIN {known['contacts']} AS p ON p.id = t.contact_id"
        )
    key = "unhex(replace(t.id, '-', ''))" if source.columns[0].type == BLOB else "t.id"
    return f"SELECT {key} AS id, t.in_month FROM tombstones AS t"
