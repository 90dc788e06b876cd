"""Folds what refreshes have appended: changes into their months, and small files of a month into one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date

import duckdb

from app.lake.build import summed
from app.lake.duck import literal, parquet
from app.lake.source import Source
from app.lake.state import held
from app.lake.storage import NewFile, Opened, Table
from app.lake.versions import CHANGES, Part
from app.rollups import Rollup

# ruff: noqa: S608 - the SQL is made of our own names

# So many files of a month are slower to open than one.
_FILES = 24
# Changes beyond this share of a month's rows cost readers more than folding them in.
_SHARE = 0.2
_FEW_ROWS = 20_000

# What stands in a month, as SQL over its files.
Folded = Callable[[date | None, list[Part]], str]


def months_to_fold(parts: Iterable[Part]) -> dict[date | None, list[Part]]:
    """Months that are worth folding, with their files."""
    months: dict[date | None, list[Part]] = defaultdict(list)
    for part in parts:
        months[part.month].append(part)
    return {month: files for month, files in months.items() if _is_scattered(files)}


def _is_scattered(files: list[Part]) -> bool:
    rows = sum(part.rows for part in files)
    changes = sum(part.rows for part in files if part.layer == CHANGES)
    return len(files) > _FILES or changes > max(_FEW_ROWS, _SHARE * rows)


def fold_source(source: Source, table: Table, opened: Opened, duck: duckdb.DuckDBPyConnection) -> bool:
    """Write each scattered month of a source as it stands; every row keeps the pull that brought it."""

    def folded(_month: date | None, files: list[Part]) -> str:
        layers = held(source, files, "fold")
        for name, paths in layers.files.items():
            duck.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {parquet(paths)}")
        listed = ", ".join((*source.names, "pull"))
        return f"SELECT {listed} FROM ({layers.live()}) ORDER BY {', '.join(source.order)}"

    return _fold(table, opened, duck, folded)


def fold_rollup(rollup: Rollup, table: Table, opened: Opened, duck: duckdb.DuckDBPyConnection) -> bool:
    """Sum up each scattered month of a rollup."""

    def folded(month: date | None, files: list[Part]) -> str:
        relation = parquet([part.path for part in files])
        types: Mapping[str, str] = dict(
            duck.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {relation})").fetchall()
        )
        assert month is not None  # noqa: S101 - every row of a rollup has a day
        return summed(rollup, types, month, relation)

    return _fold(table, opened, duck, folded)


def _fold(table: Table, opened: Opened, duck: duckdb.DuckDBPyConnection, folded: Folded) -> bool:
    adds: list[NewFile] = []
    removes: list[Part] = []
    for month, files in months_to_fold(opened.parts).items():
        path = table.new_path(month)
        copying = f"COPY ({folded(month, files)}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"
        (written,) = duck.execute(copying).fetchall()[0]
        adds += [NewFile(path, month)] if written else []
        removes += files
    if not removes:
        return False
    table.commit(opened, None, adds=adds, removes=removes, state=opened.state)
    return True
