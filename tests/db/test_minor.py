"""Minor units: what an invoice counts in, and what people read."""

import re
from decimal import Decimal

import pytest

from app.settings import PROJECT
from db.minor import DIGITS, major


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [(1999, "USD", "19.99"), (1999, "JPY", "1999"), (1999, "KWD", "1.999"), (-5, "EUR", "-0.05"), (0, "CLF", "0.0000")],
)
def test_an_amount_has_as_many_places_as_its_currency(minor, currency, amount):
    assert str(major(minor, currency)) == amount
    assert major(minor, currency) == Decimal(amount)


@pytest.mark.parametrize("rollup", ["invoice_days", "revenue_days"])
def test_rollups_count_places_as_we_do(rollup):
    text = (PROJECT / "app" / "rollups" / f"{rollup}.sql").read_text()
    listed = [set(re.findall(r"[A-Z]{3}", group)) for group in re.findall(r"currency IN \(([^)]*)\)", text)]
    ours = [{name for name, digits in DIGITS.items() if digits == places} for places in (0, 3, 4)]
    assert listed == ours
