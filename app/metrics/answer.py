"""An answer: a table whose columns know what they are, and its receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from app.metrics.dimensions import Dimension
from app.metrics.glossary import metric
from app.metrics.metric import Metric
from app.metrics.receipt import Receipt


@dataclass(frozen=True)
class Answer:
    """Rows by key. `keys_found` counts them all, also those that a limit left out."""

    table: pa.Table
    metrics: tuple[Metric, ...]
    by: tuple[Dimension, ...]
    keys_found: int
    receipt: Receipt

    @property
    def is_empty(self) -> bool:
        """Nothing was counted: no key was found, or no row was read."""
        return self.keys_found == 0 or self.receipt.rows_read == 0

    def frame(self) -> pd.DataFrame:
        """A frame of one's own; amounts in it are decimals."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def value(self, column: str) -> Any:  # noqa: ANN401 - a figure is a whole number, a decimal or a float
        """The one figure of an answer that is not split."""
        if self.by:
            raise LookupError(f"{column} has a value for each {', '.join(one.name for one in self.by)}")
        name = column if column in self.table.column_names else metric(column).name
        return self.table.column(name)[0].as_py()


def table_of(names: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows as an Arrow table of DuckDB's types."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [pa.array(values, type=_arrow(kind)) for values, kind in zip(columns, types, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))


def _arrow(kind: str) -> pa.DataType:
    if kind.startswith("DECIMAL"):
        width, scale = kind[len("DECIMAL(") : -1].split(",")
        return pa.decimal128(int(width), int(scale))
    return {
        "BIGINT": pa.int64(),
        # The sum of no amounts: nothing told DuckDB how many places they have.
        "HUGEINT": pa.decimal128(38, 0),
        "INTEGER": pa.int32(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
    }.get(kind, pa.string())
