"""Amounts of several currencies: converted at the rate of their day, or not at all."""

from datetime import date
from decimal import Decimal

from app.metrics.rates import Known, rates_into
from tests.metrics.small_lake import money

FIRST, SECOND = date(2026, 1, 10), date(2026, 1, 11)


def rate(day, currency, value, quote="USD"):
    return {"day": day, "currency": currency, "reporting_currency": quote, "rate": Decimal(value), "source": "bank"}


def spend(day, amount, currency, workspace=1, campaign=1):
    base = {"workspace_code": workspace, "campaign_code": campaign, "day": day, "breakdown": "none"}
    return base | {"spend": money(amount), "currency": currency, "impressions": 1000}


def test_amounts_are_converted_at_the_rate_of_their_day(lake, asking):
    """10 EUR at 1.10 and 10 EUR at 1.20 are 23 dollars, and 5 dollars are 5."""
    lake.add("fx_rates", rate(FIRST, "EUR", "1.1"), rate(SECOND, "EUR", "1.2"))
    lake.add("ad_days", spend(FIRST, "10", "EUR"), spend(SECOND, "10", "EUR"), spend(FIRST, "5", "USD"))
    answer = asking().answer(["spend", "cpm"])
    assert answer.value("spend") == 28
    assert isinstance(answer.value("spend"), Decimal)
    # 28 dollars for three thousand impressions.
    assert answer.value("cpm") == money("9.333333333333")
    receipt = answer.receipt
    assert receipt.currency == "USD"
    assert [(used.currency, used.since, used.least, used.greatest, used.sources) for used in receipt.rates] == [
        ("EUR", date(2026, 1, 10), Decimal("1.1"), Decimal("1.2"), ("bank",))
    ]


def test_a_day_without_a_rate_takes_the_last_one_before(lake, asking):
    """Also days after the last rate that is known."""
    lake.add("fx_rates", rate(FIRST, "EUR", "2"))
    lake.add("ad_days", spend(date(2026, 1, 25), "10", "EUR"))
    assert asking().one("spend") == 20


def test_an_amount_before_the_first_rate_makes_the_figure_unknown_rather_than_wrong(lake, asking):
    lake.add("fx_rates", rate(SECOND, "EUR", "2"))
    lake.add("ad_days", spend(FIRST, "10", "EUR"), spend(SECOND, "10", "EUR"), spend(FIRST, "5", "USD", campaign=2))
    ask = asking()
    answer = ask.answer(["spend", "impressions", "cpm"])
    assert (answer.value("spend"), answer.value("cpm"), answer.value("impressions")) == (None, None, 3000)
    assert answer.receipt.unconverted == 1
    assert "1 amounts have no exchange rate" in " ".join(answer.receipt.caveats)
    assert [row["spend"] for row in ask.rows("spend", by="campaign", order="campaign")] == [None, 5]


def test_amounts_of_a_currency_without_any_rate_are_not_lost_in_silence(lake, asking):
    lake.add("ad_days", spend(FIRST, "10", "GBP"))
    answer = asking().answer("spend")
    assert (answer.value("spend"), answer.receipt.unconverted) == (None, 1)


def test_split_by_currency_amounts_are_their_own(lake, asking):
    lake.add("ad_days", spend(FIRST, "10", "EUR"), spend(FIRST, "5", "USD"))
    answer = asking().answer("spend", by="currency")
    assert answer.rows() == [{"currency": "EUR", "spend": 10}, {"currency": "USD", "spend": 5}]
    assert answer.receipt.currency is None


def test_the_reporting_currency_can_be_another(lake, asking):
    """10 dollars at two dollars a euro are 5 euros; AI cost, kept in dollars, is converted as well."""
    lake.add("fx_rates", rate(FIRST, "EUR", "2"), rate(FIRST, "USD", "1"))
    lake.add("ad_days", spend(FIRST, "10", "USD"), spend(FIRST, "1", "EUR"))
    lake.add("ai_days", {"workspace_code": 1, "day": FIRST, "generations": 1, "ai_cost": money("4")})
    answer = asking("EUR").answer(["spend", "ai_cost"])
    assert (answer.value("spend"), answer.value("ai_cost")) == (6, 2)
    assert answer.receipt.currency == "EUR"


def test_recurring_revenue_is_converted_at_the_day_of_each_change(lake, asking):
    """100 EUR begun at 1.10 stay 110 dollars when the euro rises: the movements add up to the stock."""
    lake.add("fx_rates", rate(FIRST, "EUR", "1.1"), rate(SECOND, "EUR", "1.5"))
    base = {"workspace_code": 1, "product": "mailer", "tier": "pro", "day": FIRST, "currency": "EUR"}
    lake.add("mrr_days", base | {"mrr_new": money("100"), "mrr_change": money("100")})
    ask = asking()
    assert ask.one("mrr") == ask.one("mrr_new") == 110


def test_rates_go_by_way_of_a_currency_that_both_are_quoted_in():
    known = [Known(FIRST, "EUR", "USD", Decimal("1.2"), "a"), Known(FIRST, "INR", "USD", Decimal("0.012"), "b")]
    listed = {one.currency: one for one in rates_into("EUR", known).listed}
    assert (listed["INR"].rate, listed["INR"].source) == (Decimal("0.0100000000"), "b and a")
    # Nobody quotes dollars in euros: euros in dollars are turned around.
    assert listed["USD"].rate == Decimal("0.8333333333")


def test_every_day_between_two_rates_has_the_earlier_one():
    known = [
        Known(FIRST, "EUR", "USD", Decimal("1.2"), "a"),
        Known(date(2026, 1, 13), "EUR", "USD", Decimal("1.3"), "a"),
    ]
    assert [(one.day.day, one.rate) for one in rates_into("USD", known).listed] == [
        (10, Decimal("1.2")),
        (11, Decimal("1.2")),
        (12, Decimal("1.2")),
        (13, Decimal("1.3")),
    ]
