"""Files of answers run nothing where they are opened, and say where they come from."""

import csv
import io
import zipfile
from datetime import date

import pyarrow.parquet as pq
import pytest

from app.exports.address import Kind
from app.exports.files import DANGEROUS, WRITERS, harmless
from app.exports.sheets import sheet_of_answer
from app.ui.markup import escaped
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import sent


@pytest.fixture
def answer(asking, lake):  # noqa: F811 - fixtures
    """Two e-mail campaigns, of which one bears the name of a formula."""
    lake.add(
        "campaigns",
        {
            "code": 9,
            "id": "9",
            "workspace_code": 1,
            "name": '=HYPERLINK("http://evil")',
            "product": "mailer",
            "channel": "email",
        },
    )
    lake.add(
        "email_days", sent(date(2026, 1, 3), 1, delivered=4, opened=1), sent(date(2026, 1, 3), 9, delivered=2, opened=1)
    )
    return asking().answer(("emails_delivered", "open_rate"), by="campaign")


def written(answer, kind):
    return b"".join(WRITERS[kind](sheet_of_answer(answer)))


@pytest.mark.parametrize("sign", DANGEROUS)
def test_a_text_that_would_run_gets_an_apostrophe(sign):
    assert harmless(f"{sign}1+1") == f"'{sign}1+1"


def test_numbers_stay_numbers():
    assert harmless(-5) == -5
    assert harmless(None) is None
    assert harmless("plain = text") == "plain = text"


def test_a_csv_is_read_back_with_its_figures_and_no_formula(answer):
    rows = list(csv.DictReader(io.StringIO(written(answer, Kind.CSV).decode())))
    assert {row["campaign_name"]: (row["emails_delivered"], row["open_rate"]) for row in rows} == {
        "Spring": ("4", "0.25"),
        '\'=HYPERLINK("http://evil")': ("2", "0.5"),
    }


def test_a_workbook_has_its_receipt_and_no_formula(answer):
    book = zipfile.ZipFile(io.BytesIO(written(answer, Kind.XLSX)))
    figures, receipt = (book.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2))
    assert "<f>" not in figures + receipt
    assert escaped("'=HYPERLINK").replace("&#x27;", "'") in figures
    assert answer.receipt.id in receipt


def test_parquet_keeps_types_and_its_receipt(answer):
    read = pq.read_table(io.BytesIO(written(answer, Kind.PARQUET)))
    assert read.schema.metadata[b"sightline.receipt"].decode() == answer.receipt.id
    assert sorted(read["emails_delivered"].to_pylist()) == [2, 4]
