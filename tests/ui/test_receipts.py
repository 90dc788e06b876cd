"""What a receipt says to people, on pages and in files: by which rates, prices and rules a figure was made."""

from datetime import date

import pytest

from app.exports.sheets import receipt_lines
from app.ui.receipts import _facts
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import sent
from tests.metrics.test_currencies import FIRST, rate, spend
from tests.pages.parsed import told, tree


def on_page(receipt):
    facts = [told(one) for one in tree(_facts(receipt)).iter() if one.tag in {"dt", "dd"}]
    return dict(zip(facts[::2], facts[1::2], strict=True))


@pytest.mark.parametrize("shown", [on_page, lambda receipt: dict(receipt_lines(receipt))], ids=["page", "file"])
def test_rates_price_book_and_rules_are_told_where_they_made_the_figure(asking, lake, shown):  # noqa: F811 - fixtures
    lake.add("email_days", sent(date(2026, 1, 3), delivered=4, opened=1))
    lake.add("fx_rates", rate(FIRST, "EUR", "1.1"))
    lake.add("ad_days", spend(FIRST, "10", "EUR"))
    ask = asking()
    opened, spent = (shown(ask.answer(name).receipt) for name in ("open_rate", "spend"))
    assert opened["Rules for machines' opens"] == "version 7"
    assert "Rules for machines' opens" not in spent
    assert spent["Rate of EUR"] == "1.1000000000, 2026-01-10 to 2026-01-10, by bank"
    assert spent["Price book"] == "version 1"
    assert "Rate of EUR" not in opened
    assert (opened["Rows read"], opened["Rollups"]) == ("1", "email_days at version 1")
