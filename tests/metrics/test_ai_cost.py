"""AI cost and corrections of closed months, apart and together: parts add up to the whole, whatever splits them."""

from datetime import date
from decimal import Decimal

import pytest

from tests.metrics.small_lake import money

FIRST, LATER = date(2026, 1, 1), date(2026, 1, 20)
AMOUNTS = (
    "ai_cost",
    "ai_cost_corrections",
    "ai_cost_of_calls",
    "ai_retry_cost",
    "ai_failed_cost",
    "cache_savings",
    "batch_savings",
    "ai_savings",
    "ai_cost_undiscounted",
)
SPLITS = (
    "workspace",
    "workspace_country",
    "user",
    "plan",
    "tier",
    "product",
    "provider",
    "model",
    "generation_type",
    "status",
    "service_tier",
    "weekday",
)
GRAINS = ("day", "week", "month", "quarter", "year")


def call(day, workspace, cost, **more):
    base = {
        "workspace_code": workspace,
        "user_code": 7,
        "day": day,
        "product": "mailer",
        "provider": "openai",
        "model": "small",
        "generation_type": "email",
        "status": "completed",
        "service_tier": "standard",
        "generations": 1,
    }
    return base | {"ai_cost": money(cost)} | more


def correction(workspace, amount, **more):
    """As a rollup has it: on the first of the month, of nobody."""
    of_nobody = {"user_code": None, "status": None, "service_tier": None, "generations": 0}
    return call(FIRST, workspace, amount, ai_cost_corrections=money(amount), **of_nobody, **more)


@pytest.fixture
def filled(lake):
    lake.add(
        "fx_rates",
        *(
            {"day": day, "currency": currency, "reporting_currency": "USD", "rate": Decimal(rate), "source": "bank"}
            for day, currency, rate in ((FIRST, "EUR", "2"), (FIRST, "USD", "1"), (LATER, "EUR", "4"))
        ),
    )
    lake.add("plans", {"id": "free-1", "name": "Free", "tier": "free"})
    lake.add(
        "ai_days",
        call(FIRST, 1, "10", cache_savings=money("2"), batch_savings=money("1")),
        call(LATER, 1, "4", status="failed", failed=1, model="large", provider="google"),
        call(LATER, 2, "6", retry_cost=money("5"), retries=1, service_tier="batch", batch_savings=money("6")),
        call(LATER, 2, "0", unpriced=1, product="craft_ads", generation_type="image"),
        correction(1, "-3", model="large", provider="google"),
        correction(2, "0.5"),
    )
    return lake


def test_corrections_are_in_the_cost_and_told_apart(filled, asking):
    """20 by the calls, 3 less and a half more by corrections: 17.50."""
    found = asking().answer(AMOUNTS).rows()[0]
    assert found == {
        "ai_cost": Decimal("17.5"),
        "ai_cost_corrections": Decimal("-2.5"),
        "ai_cost_of_calls": 20,
        "ai_retry_cost": 5,
        "ai_failed_cost": 4,
        "cache_savings": 2,
        "batch_savings": 7,
        "ai_savings": 9,
        "ai_cost_undiscounted": Decimal("26.5"),
    }


@pytest.mark.parametrize("currency", ["USD", "EUR"])
@pytest.mark.parametrize("split", [*SPLITS, *GRAINS])
def test_parts_add_up_to_the_whole(filled, asking, split, currency):
    """Whatever is split by, whatever is reported in: two euros to four dollars on the 20th, to two on the 1st."""
    ask = asking(currency)
    over = {"grain": split} if split in GRAINS else {"by": split}
    whole = ask.answer(AMOUNTS).rows()[0]
    parts = ask.rows(AMOUNTS, **over)
    for name in AMOUNTS:
        assert sum(row[name] for row in parts) == pytest.approx(whole[name], abs=Decimal("1e-15"))
    assert all(value is not None for value in whole.values())


@pytest.mark.parametrize(("since", "until"), [(FIRST, date(2026, 1, 10)), (date(2026, 1, 10), date(2026, 2, 1))])
def test_periods_that_meet_add_up(filled, asking, since, until):
    """The first ten days have one call of 10 and both corrections, the others the rest."""
    expected = {FIRST: Decimal("7.5"), date(2026, 1, 10): 10}
    assert asking().one("ai_cost", since, until) == expected[since]


def test_corrections_belong_to_no_user_status_or_tier(filled, asking):
    ask = asking()
    for split in ("user", "status", "service_tier"):
        rows = {row[split]: row for row in ask.rows(("ai_cost", "generations"), by=split)}
        assert (rows[None]["ai_cost"], rows[None]["generations"]) == (Decimal("-2.5"), 0)
    assert ask.one("ai_cost", where={"status": "completed"}) == 16


def test_corrections_belong_to_no_campaign(lake, asking):
    of_campaign = {"workspace_code": 1, "campaign_code": 1, "day": FIRST, "generations": 1, "ai_cost": money("10")}
    of_none = {"workspace_code": 1, "day": FIRST, "ai_cost": money("-3"), "ai_cost_corrections": money("-3")}
    lake.add("ai_campaign_days", of_campaign, of_none)
    rows = {row["campaign_name"]: row["ai_cost"] for row in asking().rows("ai_cost", by="campaign")}
    assert rows == {"Spring": 10, None: -3}


def test_shares_are_of_all_cost(filled, asking):
    """4 of 17.50 gave nothing, 5 of 17.50 were asked again, 9 of 26.50 were saved."""
    found = asking().answer(("ai_failed_cost_share", "ai_retry_cost_share", "ai_savings_rate")).rows()[0]
    assert found == pytest.approx(
        {"ai_failed_cost_share": 4 / 17.5, "ai_retry_cost_share": 5 / 17.5, "ai_savings_rate": 9 / 26.5}
    )


def test_margin_and_cost_per_result_are_of_the_corrected_cost(filled, asking):
    filled.add(
        "revenue_days", {"workspace_code": 1, "day": LATER, "currency": "USD", "recognised_revenue": money("30")}
    )
    filled.add("ai_days", call(LATER, 1, "0", accepted=5))
    ask = asking()
    assert ask.one("margin") == Decimal("12.5")
    assert ask.one("cost_per_accepted") == Decimal("3.5")


def test_what_an_attempt_cost_is_of_those_whose_cost_is_known(lake, asking):
    """Three for 6 dollars, and one that nobody has a price for; where none has one, there is nothing to tell."""
    lake.add("ai_days", call(LATER, 1, "6", generations=4, unpriced=1), call(LATER, 2, "0", generations=2, unpriced=2))
    rows = {
        row["workspace_name"]: row["cost_per_generation"]
        for row in asking().rows("cost_per_generation", by="workspace")
    }
    assert rows == {"Acme": 2, "Birch": None}
