"""What is written as a file: rows that come some at a time, their types, and the receipt that goes with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from app.exports.live import Whole
from app.metrics.answer import Answer
from app.metrics.metric import Metric, Unit
from app.metrics.receipt import Receipt

Rows = list[dict[str, Any]]
_ROWS_AT_ONCE = 2_000
_FORMATS = {Unit.PERCENT: "0.00%", Unit.MONEY: "#,##0.00", Unit.TIMES: "0.00", Unit.SECONDS: "0.00"}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`lines` and `facts` tell the receipt when all rows have been read; `pinned` columns stay in sight."""

    receipt: str
    schema: pa.Schema
    pages: Iterable[Rows]
    lines: Callable[[], list[tuple[str, str]]]
    facts: Callable[[], Mapping[str, Any]]
    formats: Mapping[str, str] = field(default_factory=dict)
    pinned: int = 0


def sheet_of_answer(answer: Answer) -> Sheet:
    """Figures as they are, unrounded."""
    names = answer.table.column_names
    units = {name: unit for name in names if (unit := _unit(answer.metrics, name)) in _FORMATS}
    return Sheet(
        receipt=answer.receipt.id,
        schema=answer.table.schema,
        pages=_pages(answer.table),
        lines=lambda: receipt_lines(answer.receipt),
        facts=answer.receipt.as_dict,
        formats={name: _FORMATS[unit] for name, unit in units.items()},
        pinned=len(answer.by),
    )


def sheet_of_list(whole: Whole) -> Sheet:
    """Rows as they stand in Postgres, read while they are written."""
    return Sheet(
        receipt=whole.receipt.id,
        schema=whole.schema,
        pages=whole.pages(),
        lines=lambda: whole.receipt.lines(whole.rows),
        facts=lambda: dict(whole.receipt.lines(whole.rows)),
    )


def _pages(table: pa.Table) -> Iterator[Rows]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield batch.to_pylist()


def receipt_lines(receipt: Receipt) -> list[tuple[str, str]]:
    """A receipt as names and texts."""
    since, until = receipt.period
    lines = [
        ("Receipt", receipt.id),
        ("Period", f"from {since} up to, without, {until}; days in {receipt.zone}"),
        ("Data through", receipt.data_through.isoformat()),
        ("Loaded at", receipt.loaded_at.isoformat()),
        ("Lake version", str(receipt.lake_version)),
        ("Rollups", ", ".join(f"{one.name} at version {one.version}" for one in receipt.rollups)),
        ("Rows read", str(receipt.rows_read)),
        ("Currency", receipt.currency or "none"),
        *receipt.made_by,
    ]
    lines += [(one.name, f"{one.meaning} Formula: {one.formula}.") for one in receipt.definitions]
    lines += [("Caveat", caveat) for caveat in receipt.caveats]
    parameters = "; ".join(f"{name} = {value}" for name, value in receipt.parameters.items())
    return [*lines, ("SQL", receipt.sql), ("Parameters", parameters)]


def _unit(metrics: tuple[Metric, ...], column: str) -> Unit | None:
    for metric in metrics:
        if column == f"{metric.name}_change":
            return Unit.PERCENT
        if column.removesuffix("_complete").removesuffix("_before") == metric.name:
            return metric.unit
    return None
