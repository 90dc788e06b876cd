"""Rows as a file, piece by piece: CSV, a workbook or Parquet, each in a form that no spreadsheet runs as a formula."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from app.exports.address import Kind
from app.exports.sheets import Rows, Sheet
from db.errors import SightlineError

# A spreadsheet takes a text that begins with one of these for a formula, or passes over the sign to the next.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
MOST_WORKBOOK_ROWS = 1_048_575
# A cell holds no more than this.
_LONGEST_TEXT = 32_000
_PIECE = 256 * 1024
_BOOK = {
    # Rows go to the disk as they come, and nothing is read as a formula or an address.
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "nan_inf_to_errors": True,
    "remove_timezone": True,
}


def harmless(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    """A text that a spreadsheet would run gets an apostrophe before it; figures stay what they are."""
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def csv_pieces(sheet: Sheet) -> Iterator[bytes]:
    """Some rows at a time, as they come."""
    yield _csv_lines([sheet.schema.names])
    for rows in sheet.pages:
        yield _csv_lines([[_plain(harmless(value)) for value in row.values()] for row in rows])


def parquet_pieces(sheet: Sheet) -> Iterator[bytes]:
    """Typed columns as they come; the receipt stands beside them in the file's metadata."""
    sink = _Sink()
    schema = sheet.schema.with_metadata({**(sheet.schema.metadata or {}), "sightline.receipt": sheet.receipt})
    with pq.ParquetWriter(sink, schema) as writer:
        for rows in sheet.pages:
            writer.write_batch(_batch(rows, schema))
            yield sink.taken()
        # How many rows there were is known now.
        writer.add_key_value_metadata({"sightline.receipt.json": json.dumps(sheet.facts(), default=str)})
    yield sink.taken()


def workbook_pieces(sheet: Sheet) -> Iterator[bytes]:
    """A sheet of rows and one of their receipt. The file is whole before its first piece, which leaves no half of one.

    Empty pieces tell that it is being written.
    """
    with tempfile.TemporaryDirectory(prefix="sightline-export-") as folder:
        path = Path(folder) / "file"
        with xlsxwriter.Workbook(str(path), _BOOK) as book:
            for _ in _write_rows(book, sheet):
                yield b""
            _write_receipt(book, sheet.lines())
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


WRITERS: Mapping[Kind, Callable[[Sheet], Iterator[bytes]]] = {
    Kind.CSV: csv_pieces,
    Kind.XLSX: workbook_pieces,
    Kind.PARQUET: parquet_pieces,
}


class _Sink(io.RawIOBase):
    """What a writer of files believes to be one; its bytes are taken away as they come."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        return True

    def write(self, given: Any) -> int:  # noqa: ANN401 - any buffer
        piece = bytes(given)
        self._kept.append(piece)
        self._place += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._place

    def taken(self) -> bytes:
        piece = b"".join(self._kept)
        self._kept.clear()
        return piece


def _batch(rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.array([_fitting(row[one.name], one.type) for row in rows], one.type) for one in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _fitting(value: Any, kind: pa.DataType) -> Any:  # noqa: ANN401 - a cell of any column
    """Amounts have a fixed number of places here, and a column one type."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value).quantize(Decimal(1).scaleb(-kind.scale))
    if pa.types.is_floating(kind):
        return float(value)
    return str(value) if pa.types.is_string(kind) else value


def _write_rows(book: xlsxwriter.Workbook, sheet: Sheet) -> Iterator[None]:
    page = book.add_worksheet("Figures")
    page.freeze_panes(1, sheet.pinned)
    names = sheet.schema.names
    page.set_column(0, len(names) - 1, 18)
    heading = book.add_format({"bold": True, "bottom": 1})
    for column, name in enumerate(names):
        page.write_string(0, column, name, heading)
    formats = {name: book.add_format({"num_format": told}) for name, told in sheet.formats.items()}
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    times = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    number = 0
    for rows in sheet.pages:
        _check_room(number + len(rows))
        for row in rows:
            number += 1
            for column, (name, value) in enumerate(row.items()):
                style = times if isinstance(value, datetime) else days if isinstance(value, date) else formats.get(name)
                _write_cell(page, number, column, value, style)
        yield


def _check_room(rows: int) -> None:
    if rows > MOST_WORKBOOK_ROWS:
        raise SightlineError(
            "There are more rows than a workbook holds.",
            why=f"A sheet has at most {MOST_WORKBOOK_ROWS:,}.",
            fix="Download it as CSV or Parquet, or choose a shorter period.",
        )


def _write_cell(page: Any, row: int, column: int, value: Any, style: Any) -> None:  # noqa: ANN401 - xlsxwriter's own
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, style)
    elif isinstance(value, int | float | Decimal):
        page.write_number(row, column, value, style)
    else:
        page.write_string(row, column, str(harmless(str(value)))[:_LONGEST_TEXT])


def _write_receipt(book: xlsxwriter.Workbook, lines: list[tuple[str, str]]) -> None:
    page = book.add_worksheet("Receipt")
    page.set_column(0, 0, 20)
    page.set_column(1, 1, 110)
    for row, (name, value) in enumerate(lines):
        page.write_string(row, 0, name)
        page.write_string(row, 1, str(harmless(value))[:_LONGEST_TEXT])


def _csv_lines(rows: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of any column
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime) else value
