"""An answer as a file: CSV, a workbook or Parquet, each in a form that no spreadsheet runs as a formula."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xlsxwriter

from app.metrics.answer import Answer
from app.metrics.metric import Metric, Unit
from app.metrics.receipt import Receipt
from db.errors import SightlineError

# A spreadsheet takes a text that begins with one of these for a formula, or passes over the sign to the next.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
MOST_WORKBOOK_ROWS = 1_048_575
_ROWS_AT_ONCE = 2_000
_FORMATS = {Unit.PERCENT: "0.00%", Unit.MONEY: "#,##0.00", Unit.TIMES: "0.00", Unit.SECONDS: "0.00"}


def harmless(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    """A text that a spreadsheet would run gets an apostrophe before it; figures stay what they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def csv_pieces(answer: Answer) -> Iterator[bytes]:
    """Figures as they are, unrounded, some thousand rows at a time."""
    yield _csv_lines([answer.table.column_names])
    for batch in answer.table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield _csv_lines([[_plain(harmless(value)) for value in row.values()] for row in batch.to_pylist()])


def write_workbook(answer: Answer, path: Path) -> None:
    """One sheet of figures, and one with their receipt."""
    if answer.table.num_rows > MOST_WORKBOOK_ROWS:
        raise SightlineError(
            f"The answer has {answer.table.num_rows:,} rows, which no workbook holds.",
            why=f"A sheet has at most {MOST_WORKBOOK_ROWS:,}.",
            fix="Download it as CSV or Parquet.",
        )
    # Rows go to the disk as they come, and nothing is read as a formula or an address.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        _write_figures(book, answer)
        _write_receipt(book, answer.receipt)


def write_parquet(answer: Answer, path: Path) -> None:
    """Typed columns as they are, with the receipt beside them in the file's metadata."""
    told = {
        "sightline.receipt": answer.receipt.id,
        "sightline.receipt.json": json.dumps(answer.receipt.as_dict(), default=str),
    }
    named = answer.table.replace_schema_metadata({**(answer.table.schema.metadata or {}), **told})
    pq.write_table(named, path)


def _write_figures(book: xlsxwriter.Workbook, answer: Answer) -> None:
    sheet = book.add_worksheet("Figures")
    sheet.freeze_panes(1, len(answer.by))
    heading = book.add_format({"bold": True, "bottom": 1})
    formats: dict[Unit | None, Any] = {None: None} | {
        unit: book.add_format({"num_format": text}) for unit, text in _FORMATS.items()
    }
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    units = [_unit(answer.metrics, name) for name in answer.table.column_names]
    sheet.set_column(0, len(units) - 1, 18)
    for column, name in enumerate(answer.table.column_names):
        sheet.write_string(0, column, name, heading)
    number = 0
    for batch in answer.table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        for row in batch.to_pylist():
            number += 1
            for column, value in enumerate(row.values()):
                style = days if isinstance(value, date) else formats.get(units[column])
                _write_cell(sheet, number, column, value, style)


def _write_cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:  # noqa: ANN401 - xlsxwriter's own
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, style)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, value, style)
    else:
        sheet.write_string(row, column, harmless(str(value)))


def _write_receipt(book: xlsxwriter.Workbook, receipt: Receipt) -> None:
    sheet = book.add_worksheet("Receipt")
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 110)
    for row, (name, value) in enumerate(receipt_lines(receipt)):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, str(harmless(value)))


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
        ("Currency", receipt.currency or "none"),
    ]
    lines += [(one.name, f"{one.meaning} Formula: {one.formula}.") for one in receipt.definitions]
    lines += [("Caveat", caveat) for caveat in receipt.caveats]
    parameters = "; ".join(f"{name} = {value}" for name, value in receipt.parameters.items())
    # A cell holds no more than this.
    return [*lines, ("SQL", receipt.sql[:32_000]), ("Parameters", parameters[:32_000])]


def _unit(metrics: tuple[Metric, ...], column: str) -> Unit | None:
    for metric in metrics:
        if column == f"{metric.name}_change":
            return Unit.PERCENT
        if column.removesuffix("_complete").removesuffix("_before") == metric.name:
            return metric.unit
    return None


def _csv_lines(rows: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    return format(value, "f") if isinstance(value, Decimal) else value
