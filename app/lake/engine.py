"""What an engine is asked: a SQL text over Parquet files. DuckDB answers here, Spark on a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Work:
    """One text and what it reads: files under a name each, and views over them in the order of their making."""

    sql: str
    zone: str
    files: Mapping[str, Sequence[str]]
    views: Sequence[tuple[str, str]] = field(default=())


class Engine(Protocol):
    """Runs a text. Days in it are days of the work's zone, whatever zone the machine is in."""

    def answer(self, work: Work) -> pa.RecordBatchReader: ...
