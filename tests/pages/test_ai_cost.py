"""AI cost: every figure equals what the rows give, in two scopes and several filters, and parts add up to the whole."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.metrics.metric import Unit
from app.money.anomalies import DayOfUse, Use, anomalies
from app.money.forecast import back_test, following_month, forecast, run_rate
from app.ui.words import day as told_day
from app.ui.words import figure, spelled
from tests.pages.oracles import FINANCE_ROLES, Choice, choices, same

PAGE = "ai_cost.py"
CHOICES = choices("web_builder")
TODAY = datetime.now(UTC).date()
# Attempts with what they cost and saved, and corrections of closed months on the first of these.
_ENTRIES = """(
    SELECT workspace_id, user_id, product, provider, model, generation_type, service_tier, status, created_at AS at,
        1 AS attempts, attempt, COALESCE(cost, 0) AS cost, 0 AS correction,
        COALESCE(cache_saving, 0) AS cached, COALESCE(batch_saving, 0) AS batched,
        CASE WHEN accepted THEN 1 ELSE 0 END AS accepted,
        CASE WHEN cost IS NULL AND status IN ('completed', 'failed', 'cancelled') THEN 1 ELSE 0 END AS unpriced
    FROM ai_generations
    UNION ALL
    SELECT workspace_id, NULL, product, provider, model, generation_type, NULL, NULL, month, 0, 0, amount, amount,
        0, 0, 0, 0
    FROM ai_cost_corrections
)"""


def money(amount):
    return figure(amount, Unit.MONEY)


def summed(pages, choice, role, key="NULL", joins=""):
    """Of each key: cost, corrections, attempts, kept, unpriced, saved by caches and by batches, failed, repeated."""
    rows = pages.rows(f"""
        SELECT {key}, SUM(t.cost), SUM(t.correction), SUM(t.attempts), SUM(t.accepted), SUM(t.unpriced),
            SUM(t.cached), SUM(t.batched), COALESCE(SUM(t.cost) FILTER (WHERE t.status = 'failed'), 0),
            COALESCE(SUM(t.cost) FILTER (WHERE t.attempt > 1), 0)
        FROM {_ENTRIES} AS t {joins}
        WHERE {choice.holds("t.at", role, product="t.product")} GROUP BY 1
    """)
    names = ("cost", "correction", "attempts", "accepted", "unpriced", "cached", "batched", "failed", "repeated")
    return {key: dict(zip(names, values, strict=True)) for key, *values in rows}


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_tiles_show_what_the_rows_give(pages, role, chosen):
    choice = CHOICES[chosen]
    shown = pages.open(PAGE, choice.address, role).tiles
    (found,) = summed(pages, choice, role).values()
    ((converted,),) = pages.rows(
        "SELECT COUNT(*) FROM conversions AS t"
        " JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
        f" WHERE {choice.holds('t.occurred_at', role)}"
    )
    cost = found["cost"]
    expected = {
        "ai_cost": cost,
        "cost_per_accepted": cost / found["accepted"] if found["accepted"] else None,
        "cost_per_conversion": cost / converted if converted else None,
        "ai_savings": found["cached"] + found["batched"],
        "ai_failed_cost_share": found["failed"] / cost,
        "ai_retry_cost_share": found["repeated"] / cost,
        "unpriced_generations": found["unpriced"],
        "ai_cost_corrections": found["correction"],
    }
    told = {name: Decimal(value) if value else None for name, value in shown.items()}
    assert {name: value for name, value in told.items() if not same(value, expected[name], within=1e-8)} == {}
    assert told.keys() == expected.keys()


KEYS = {
    "Model": ("t.model", ""),
    "Provider": ("t.provider", ""),
    "Product": ("t.product", ""),
    "Type": ("t.generation_type", ""),
    "Tier": ("t.service_tier", ""),
    "Workspace": ("w.name", "JOIN workspaces AS w ON w.id = t.workspace_id"),
    "User": ("COALESCE(u.name, u.email)", "LEFT JOIN users AS u ON u.id = t.user_id"),
}


@pytest.mark.parametrize("split", KEYS)
@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_parts_show_what_the_rows_give_and_add_up(pages, role, split):
    """The totals row is the sum of all parts, those on further pages of the table among them."""
    choice = CHOICES["product"]
    query = urlencode({"by": split, "compare": "Off"})
    shown = pages.open(PAGE, f"{choice.address}&{query}", role).cards[f"By {split.lower()}"]
    found = summed(pages, choice, role, *KEYS[split])
    spells = split in {"Product", "Type", "Tier", "Provider"}
    expected = Counter(
        (
            "(none)" if name is None else spelled(name) if spells else name,
            money(values["cost"]),
            f"{values['attempts']:,}",
            f"{values['unpriced']:,}",
        )
        for name, values in found.items()
    )
    place = [shown.head.index(name) for name in ("AI cost, USD", "Generations", "Unpriced generations")]
    told = Counter((row[0], *(row[at] for at in place)) for row in shown.rows)
    assert told - expected == Counter()
    assert len(shown.rows) == min(25, len(found))
    whole = [sum(values[name] for values in found.values()) for name in ("cost", "attempts", "unpriced")]
    assert [shown.total[at] for at in place] == [money(whole[0]), f"{whole[1]:,}", f"{whole[2]:,}"]


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_savings_and_losses_show_what_the_rows_give(pages, role):
    choice = CHOICES["picked"]
    found = summed(pages, choice, role, "t.model")
    saved = pages.open(PAGE, f"{choice.address}&show=Savings", role).cards["Saved"].table()
    lost = pages.open(PAGE, f"{choice.address}&{urlencode({'show': 'Failed and repeated'})}", role)
    lost = lost.cards["Failed and repeated attempts"].table()
    del saved["Together"], lost["Together"]
    assert {name: (row["Cache savings, USD"], row["Batch savings, USD"]) for name, row in saved.items()} == {
        name: (money(values["cached"]), money(values["batched"])) for name, values in found.items()
    }
    assert {name: (row["AI failed cost, USD"], row["AI retry cost, USD"]) for name, row in lost.items()} == {
        name: (money(values["failed"]), money(values["repeated"])) for name, values in found.items()
    }


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_months_show_calls_and_corrections_apart_and_together(pages, role):
    year = Choice("", TODAY - timedelta(days=364), TODAY + timedelta(days=1))
    shown = pages.open(PAGE, urlencode({"show": "Months", "period": "Last 365 days"}), role).cards["Months"]
    found = summed(pages, year, role, "CAST(DATE_TRUNC('month', t.at AT TIME ZONE 'UTC') AS DATE)")
    assert [row[1:4] for row in shown.rows] == [
        [money(values["cost"] - values["correction"]), money(values["correction"]), money(values["cost"])]
        for _, values in sorted(found.items(), reverse=True)
    ]


def test_use_without_a_price_is_listed_with_its_reason_and_leads_to_the_book(pages):
    choice = CHOICES["product"]
    everything = Choice("", choice.since, choice.until)
    seen = pages.open(PAGE, urlencode({"show": "Without a price", "period": "Last 90 days"}), "finance")
    counted = pages.rows(f"""
        SELECT t.model, COUNT(*) FROM ai_generations AS t
        WHERE {everything.holds("t.created_at", "finance")} AND t.cost IS NULL
            AND t.status IN ('completed', 'failed', 'cancelled')
        GROUP BY t.model, t.provider, t.service_tier, t.unpriced_because
    """)
    card = seen.cards["Use without a price"]
    rows = {row["Model"]: row["Calls"] for row in card.table().values()}
    assert rows == {model: f"{count:,}" for model, count in counted}
    assert rows
    assert all(row["Why"] for row in card.table().values())
    assert [to for text, to in seen.links if text == "Add a price" and to.startswith("./price_book?")]


def costs(pages, role):
    """What each day cost, by the attempts alone."""
    everything = Choice("", TODAY - timedelta(days=400), TODAY + timedelta(days=1))
    rows = pages.rows(f"""
        SELECT CAST(t.created_at AT TIME ZONE 'UTC' AS DATE), SUM(COALESCE(t.cost, 0)) FROM ai_generations AS t
        WHERE {everything.holds("t.created_at", role)} GROUP BY 1
    """)
    return dict(rows)


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_the_month_shows_what_was_spent_what_is_expected_and_how_good_that_is(pages, role):
    seen = pages.open(PAGE, "", role)
    daily = costs(pages, role)
    since, until = TODAY.replace(day=1), following_month(TODAY)
    running = daily.pop(TODAY, Decimal(0))
    found = forecast(daily, since, until, TODAY, spent_today=running)
    told = dict(re.findall(r"(Month to date|Expected at its end|At the plain rate so far)([\d.,]+) USD", seen.texts))
    expected = {"Month to date": found.spent, "Expected at its end": found.expected}
    if (plain := run_rate(daily, since, until, TODAY)) is not None:
        expected["At the plain rate so far"] = plain
    assert told == {name: money(value) for name, value in expected.items()}
    assert f"{money(found.low)} to {money(found.high)} USD" in seen.texts
    past = back_test(daily, TODAY)
    off = f"off by {figure(past.error, Unit.PERCENT)} on average; the plain rate of the days so far by "
    assert off + figure(past.run_rate_error, Unit.PERCENT) in seen.texts
    tried = pages.open(PAGE, "show=Forecasts", role).cards["Forecasts of past months"]
    assert len(tried.rows) == min(25, len(past.tries))
    assert tried.rows[0][1:4] == [money(getattr(past.tries[-1], name)) for name in ("forecast", "run_rate", "actual")]


def test_a_month_is_held_against_the_budget_of_what_is_looked_at(pages):
    """The company's without filters, a provider's where it alone is chosen; and none where somebody sees a part."""
    budgets = dict(
        pages.rows("""
            SELECT COALESCE(scope_value, scope), MIN(amount) FROM budgets
            WHERE is_active AND deleted_at IS NULL AND period = 'month' AND scope IN ('company', 'provider') GROUP BY 1
        """)
    )
    whole = pages.open(PAGE, "", "finance").texts
    assert f"{money(budgets['company'])} USD; expected:" in whole
    one = pages.open(PAGE, urlencode({"provider": spelled("openai")}), "finance").texts
    assert f"{money(budgets['openai'])} USD; expected:" in one
    for query, role in (("", "limited-finance"), ("provider=OpenAI&provider=Google", "finance")):
        assert "Budgetnone of exactly this" in pages.open(PAGE, query, role).texts


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_unusual_days_are_those_of_the_rows(pages, role):
    choice = Choice("", TODAY - timedelta(days=89), TODAY + timedelta(days=1))
    before = Choice("", choice.since - timedelta(days=56), choice.until)
    rows = pages.rows(f"""
        SELECT CAST(t.created_at AT TIME ZONE 'UTC' AS DATE), CAST(t.workspace_id AS TEXT), t.model, COUNT(*),
            SUM(t.input_tokens + t.cached_input_tokens / 4.0 + t.cache_write_tokens * 1.25 + t.output_tokens * 5
                + t.reasoning_tokens * 5 + t.images + t.audio_seconds + t.video_seconds), SUM(COALESCE(t.cost, 0)),
            COUNT(*) FILTER (WHERE t.status = 'failed')
        FROM ai_generations AS t WHERE {before.holds("t.created_at", role)} GROUP BY 1, 2, 3
    """)
    history = [DayOfUse(day, workspace, model, Use(*use)) for day, workspace, model, *use in rows]
    found = anomalies(history, choice.since, TODAY)
    expected = [
        [told_day(one.day), driver.model, *map(money, (driver.difference, driver.by_failures, one.cost, one.expected))]
        for one in reversed(found)
        for driver in one.drivers
    ]
    seen = pages.open(PAGE, urlencode({"show": "Unusual days", "period": "Last 90 days"}), role).cards["Unusual days"]
    told = [[row[0], row[2], *row[4:6], *row[9:11]] for row in seen.rows]
    assert told == expected[:25]
    if role == "finance":
        assert told


def test_a_link_to_one_day_shows_that_day(pages):
    """Named as the first day and the last; nothing of four weeks is shown instead."""
    ((day,),) = pages.rows("SELECT CAST(MAX(created_at) AS DATE) - 9 FROM ai_generations WHERE cost > 0")
    query = urlencode([("period", "Custom"), ("days", day.isoformat()), ("days", day.isoformat())])
    (found,) = summed(pages, Choice("", day, day + timedelta(days=1)), "finance").values()
    assert Decimal(pages.open(PAGE, query, "finance").tiles["ai_cost"]) == found["cost"] > 0


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    seen = pages.open(PAGE, urlencode({"show": "Nowhere", "by": "Star sign", "model": "<b>"}), "finance")
    assert all(part in " ".join(seen.notices) for part in ("show=Nowhere", "by=Star sign", "model=<b>"))
    assert len(seen.cards["By model"].rows) > 1
