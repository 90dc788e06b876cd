"""What the card of this month says of its budget."""

from datetime import date
from decimal import Decimal

import pytest

from app.money.forecast import ExpectedDay, Forecast
from app.records.month_budget import MonthBudget
from app.ui.month_end import _facts


def facts(amount):
    """100 spent by the 29th, 10 more expected on each of two days, give or take 15 at the end."""
    days = (
        ExpectedDay(date(2026, 6, 29), Decimal(10), Decimal(110), Decimal(105), Decimal(115)),
        ExpectedDay(date(2026, 6, 30), Decimal(10), Decimal(120), Decimal(105), Decimal(135)),
    )
    found = Forecast(
        since=date(2026, 6, 1), until=date(2026, 7, 1), today=date(2026, 6, 29), spent=Decimal(100),
        expected=Decimal(120), low=Decimal(105), high=Decimal(135), days=days,
    )  # fmt: skip
    budget = MonthBudget("All", Decimal(amount), "USD") if amount else None
    return {name: told for name, told, _ in _facts(found, Decimal(107), budget, "USD")}


def test_the_month_is_told_with_its_bounds_and_the_plain_rate():
    assert facts(None) == {
        "Month to date": "100.00 USD",
        "Expected at its end": "120.00 USD",
        "In four of five cases": "105.00 to 135.00 USD",
        "At the plain rate so far": "107.00 USD",
        "Budget": "none of exactly this",
    }


@pytest.mark.parametrize(
    ("amount", "share", "passing"),
    [
        (80, "150.00 %", "it has already"),
        (115, "104.35 %", "about 30 Jun 2026"),
        (130, "92.31 %", "perhaps: the upper bound is above it"),
        (200, "60.00 %", "not this month, as it looks"),
    ],
)
def test_a_budget_is_held_against_what_is_expected(amount, share, passing):
    told = facts(amount)
    assert told["Budget “All”"] == f"{amount}.00 USD; expected: {share} of it"
    assert told["Passes it"] == passing
