"""Tables that were worked out of several answers are written as they stand, with the receipts of all of them."""

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from app.exports.address import Kind
from app.exports.files import WRITERS
from app.exports.worked_out import sheet_of_rows
from tests.exports.test_files import answer  # noqa: F401 - a fixture
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures

NAMES = {"day": "Day", "figure": "Figure", "now": "Now", "share": "Share"}
ROWS = [
    {"day": date(2026, 1, 1), "figure": "=1+1", "now": Decimal("2.50"), "share": 0.5, "hidden": "x"},
    {"day": date(2026, 1, 2), "figure": None, "now": 3, "share": None},
]


@pytest.fixture
def written(answer):  # noqa: F811 - a fixture
    def write(kind):
        sheet = sheet_of_rows(ROWS, NAMES, [answer.receipt])
        return sheet, b"".join(WRITERS[kind](sheet))

    return write


def test_the_columns_that_are_shown_are_written_under_their_names(written):
    _, told = written(Kind.CSV)
    assert list(csv.reader(io.StringIO(told.decode()))) == [
        ["Day", "Figure", "Now", "Share"],
        ["2026-01-01", "'=1+1", "2.50", "0.5"],
        ["2026-01-02", "", "3", ""],
    ]


def test_a_column_has_one_type_however_its_figures_came(written):
    sheet, told = written(Kind.PARQUET)
    table = pq.read_table(io.BytesIO(told))
    assert table["Now"].to_pylist() == [2.5, 3.0]
    assert table["Day"].to_pylist() == [date(2026, 1, 1), date(2026, 1, 2)]
    assert table.schema.metadata[b"sightline.receipt"].decode() == sheet.receipt


def test_the_receipts_of_all_answers_go_with_it(written, answer):  # noqa: F811 - a fixture
    sheet, told = written(Kind.XLSX)
    book = zipfile.ZipFile(io.BytesIO(told))
    receipt = book.read("xl/worksheets/sheet2.xml").decode()
    assert sheet.receipt in receipt
    assert answer.receipt.id in receipt
    assert sheet.receipt == written(Kind.CSV)[0].receipt


def test_a_table_without_rows_is_a_file_without_rows(answer):  # noqa: F811 - a fixture
    sheet = sheet_of_rows([], NAMES, [answer.receipt])
    assert pq.read_table(io.BytesIO(b"".join(WRITERS[Kind.PARQUET](sheet)))).num_rows == 0
