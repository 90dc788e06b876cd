"""Margin: every figure equals what the rows give, in two scopes and several filters, and parts add up to the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app import serving
from app.access import operator
from app.lake.lake import the_lake
from app.metrics.desk import Desk
from app.metrics.metric import Unit
from app.metrics.question import question
from app.ui.words import PRODUCT_NAMES, figure
from tests.oracles.rollups import mrr_days
from tests.pages.oracles import FINANCE_ROLES, IN_DOLLARS, Choice, same

TOMORROW = datetime.now(UTC).date() + timedelta(days=1)
NINETY = Choice("", TOMORROW - timedelta(days=90), TOMORROW)
CHOICES = {
    "first": NINETY,
    "product": Choice(
        urlencode({"period": "Last 365 days", "product": PRODUCT_NAMES["craft_ads"]}),
        TOMORROW - timedelta(days=365),
        TOMORROW,
        "craft_ads",
    ),
    "month": Choice(
        urlencode({"period": "Last month"}),
        ((TOMORROW - timedelta(days=1)).replace(day=1) - timedelta(days=1)).replace(day=1),
        (TOMORROW - timedelta(days=1)).replace(day=1),
    ),
}
_RATE = IN_DOLLARS.format(currency="t.currency", day="t.day")
# Each line's worth without tax, an equal part on each of its days, cut to millionths as it runs up.
_EARNED = """(
    SELECT l.workspace_id, l.product, l.plan_id, CAST(l.currency AS TEXT) AS currency,
        CAST(l.period_start AS DATE) + n - 1 AS day,
        TRUNC(worth.of * n / span.days, 6) - TRUNC(worth.of * (n - 1) / span.days, 6) AS amount
    FROM invoice_lines AS l
    JOIN invoices AS i ON i.workspace_id = l.workspace_id AND i.id = l.invoice_id
    CROSS JOIN LATERAL (
        SELECT (l.amount_minor - l.discount_minor) * CASE i.kind WHEN 'credit_note' THEN -0.01 ELSE 0.01 END
    ) AS worth (of)
    CROSS JOIN LATERAL (SELECT CAST(l.period_end AS DATE) - CAST(l.period_start AS DATE)) AS span (days)
    CROSS JOIN LATERAL GENERATE_SERIES(1, span.days) AS n
    WHERE i.status NOT IN ('draft', 'void')
)"""
_SPENT = """(
    SELECT workspace_id, product, provider, model, generation_type, CAST(created_at AS DATE) AS day, cost AS amount,
        CASE WHEN accepted THEN 1 ELSE 0 END AS accepted
    FROM ai_generations
    UNION ALL
    SELECT workspace_id, product, provider, model, generation_type, month, amount, 0 FROM ai_cost_corrections
)"""


def earned(pages, choice, role, key="NULL"):
    return dict(
        pages.rows(f"""
            SELECT {key}, SUM(t.amount * {_RATE}) FROM {_EARNED} AS t JOIN workspaces AS w ON w.id = t.workspace_id
            LEFT JOIN plans AS p ON p.id = t.plan_id
            WHERE {choice.holds("t.day", role, product="t.product")} GROUP BY 1
        """)
    )


def spent(pages, choice, role, key="NULL"):
    return dict(
        pages.rows(f"""
            SELECT {key}, COALESCE(SUM(t.amount), 0) FROM {_SPENT} AS t JOIN workspaces AS w ON w.id = t.workspace_id
            WHERE {choice.holds("t.day", role, product="t.product")} GROUP BY 1
        """)
    )


def counted(pages, choice, role):
    """Every tile but MRR."""
    revenue = earned(pages, choice, role).get(None, Decimal(0))
    cost = spent(pages, choice, role).get(None, Decimal(0))
    ((accepted,),) = pages.rows(
        f"SELECT COALESCE(SUM(t.accepted), 0) FROM {_SPENT} AS t"
        f" WHERE {choice.holds('t.day', role, product='t.product')}"
    )
    ((converted,),) = pages.rows(
        "SELECT COUNT(*) FROM conversions AS t"
        " JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
        f" WHERE {choice.holds('t.occurred_at', role)}"
    )
    return {
        "recognised_revenue": revenue,
        "ai_cost": cost,
        "margin": revenue - cost,
        "margin_rate": (revenue - cost) / revenue if revenue else None,
        "ai_cost_share": cost / revenue if revenue else None,
        "cost_per_accepted": cost / accepted if accepted else None,
        "cost_per_conversion": cost / converted if converted else None,
    }


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_tiles_show_what_the_rows_give(pages, role, chosen):
    choice = CHOICES[chosen]
    shown = pages.open("margin.py", choice.address, role).tiles
    told = {name: Decimal(value) if value else None for name, value in shown.items()}
    expected = counted(pages, choice, role) | {"mrr": recurring(pages, choice, role)["mrr"]}
    assert {name: value for name, value in told.items() if not same(value, expected[name], within=1e-8)} == {}
    assert told.keys() == expected.keys()


def money(amount):
    return figure(amount, Unit.MONEY)


@pytest.mark.parametrize("role", FINANCE_ROLES)
@pytest.mark.parametrize(
    ("view", "title", "key"), [("Products", "Products", "t.product"), ("Customers", "Customers", "w.name")]
)
def test_parts_show_what_the_rows_give(pages, role, view, title, key):
    shown = pages.open("margin.py", urlencode({"show": view, "compare": "Off"}), role).cards[title]
    revenue, cost = earned(pages, NINETY, role, key), spent(pages, NINETY, role, key)
    names = PRODUCT_NAMES if view == "Products" else {}
    expected = {
        names.get(name, name): [
            money(revenue.get(name, Decimal(0))),
            money(cost.get(name, Decimal(0))),
            money(revenue.get(name, Decimal(0)) - cost.get(name, Decimal(0))),
        ]
        for name in {*revenue, *cost}
    }
    rows = {row[0]: row[1:4] for row in shown.rows}
    listed = int(shown.counted.split(" ")[0]) if shown.counted else len(rows)
    assert listed == len(expected)
    assert {name: row for name, row in rows.items() if expected[name] != row} == {}


def test_plans_show_revenue_by_what_was_paid_for_and_cost_by_what_was_had(pages):
    """Written apart: of the subscriptions that a workspace had on a day, the one that began last."""
    shown = pages.open("margin.py", urlencode({"compare": "Off"}), "finance").cards["Plans"]
    revenue = earned(pages, NINETY, "finance", "p.id")
    cost = dict(
        pages.rows(f"""
            SELECT s.plan_id, SUM(t.amount) FROM {_SPENT} AS t
            LEFT JOIN LATERAL (
                SELECT s.plan_id FROM subscriptions AS s
                WHERE s.workspace_id = t.workspace_id AND s.product = t.product AND CAST(s.started_at AS DATE) <= t.day
                    AND (s.ends_at IS NULL AND s.status NOT IN ('cancelled', 'expired')
                        OR CAST(COALESCE(s.ends_at, s.cancelled_at, s.started_at) AS DATE) >= t.day)
                    AND NOT EXISTS (
                        SELECT FROM subscriptions AS n
                        WHERE n.workspace_id = s.workspace_id AND n.product = s.product
                            AND (n.started_at, CAST(n.id AS TEXT)) > (s.started_at, CAST(s.id AS TEXT))
                            AND CAST(n.started_at AS DATE) <= t.day
                    )
            ) AS s ON true
            WHERE {NINETY.holds("t.day", "finance", product="t.product")} GROUP BY 1
        """)
    )
    expected = sorted(
        (money(revenue.get(plan, Decimal(0))), money(cost.get(plan) or Decimal(0))) for plan in {*revenue, *cost}
    )
    (whole,) = [shown.total]
    assert whole[1] == money(sum(revenue.values()))
    assert whole[2] == money(sum(value for value in cost.values() if value))
    told = sorted((row[1], row[2]) for row in shown.rows)
    assert set(told) <= set(expected)
    assert len(told) == min(25, len(expected))


def recurring(pages, choice, role):
    """What moved MRR in the period, and where it stood: followed from day to day, in dollars of each day."""
    seen = choice.holds("DATE 'today'", role, product="'x'").split(" AND ")[2] if role.startswith("limited") else ""
    inside = {
        code
        for (code,) in pages.rows(
            f"SELECT t.code FROM workspaces AS t WHERE t.kind = 'customer' AND t.deleted_at IS NULL"
            f"{' AND ' + seen.replace('t.workspace_id', 't.id') if seen else ''}"
        )
    }
    rates = Rates(pages)
    moved = dict.fromkeys((*mrr_days.MOVES, "mrr_change"), Decimal(0)) | {"mrr": Decimal(0), "mrr_at_start": Decimal(0)}
    with serving.engines().pipe.connect() as connection:
        for row in mrr_days.answer(connection, "UTC"):
            if row["workspace_code"] not in inside or "mrr_change" not in row:
                continue
            if choice.product and row["product"] != choice.product:
                continue
            rate = rates.on(row["currency"], row["day"])
            if row["day"] < choice.until:
                moved["mrr"] += row["mrr_change"] * rate
            if row["day"] < choice.since:
                moved["mrr_at_start"] += row["mrr_change"] * rate
            elif row["day"] < choice.until:
                for name in (*mrr_days.MOVES, "mrr_change"):
                    moved[name] += row.get(name, Decimal(0)) * rate
    return moved


@dataclass
class Rates:
    """What a currency was worth on a day, or on the last one before it that is known."""

    pages: object

    def __post_init__(self):
        rows = self.pages.rows("SELECT currency, day, rate FROM fx_rates WHERE reporting_currency = 'USD'")
        self.known = {(currency, day): rate for currency, day, rate in rows}
        self.last = max(day for _, day in self.known)

    def on(self, currency: str, day: date) -> Decimal:
        return self.known[currency, min(day, self.last)]


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_movements_lead_from_where_mrr_stood_to_where_it_stands(pages, role):
    choice = CHOICES["product"]
    shown = pages.open("margin.py", f"{choice.address}&show=Recurring+revenue", role)
    told = dict(shown.cards["What moved MRR"].ranked)
    expected = recurring(pages, choice, role)
    assert expected["mrr_at_start"] + expected["mrr_change"] == expected["mrr"]

    def signed(name):
        value = expected[name]
        return money(value) if value < 0 or name in {"mrr", "mrr_at_start"} else f"+{money(value)}"

    titles = {"mrr_at_start": "MRR at start", "mrr": "MRR"} | {
        name: f"MRR {name.removeprefix('mrr_')}" for name in mrr_days.MOVES
    }
    assert {name: figure.removesuffix(" USD") for name, figure in told.items()} == {
        title: signed(name) for name, title in titles.items()
    }
    months = shown.cards["Movements by month"]
    assert months.total[-2:] == [money(expected["mrr_churn"]), money(expected["mrr"])]


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_only_customers_that_cost_more_than_they_pay_are_listed(pages, role):
    shown = pages.open("margin.py", "show=Below+cost&compare=Off", role).cards["Customers that cost more than they pay"]
    revenue, cost = earned(pages, NINETY, role, "w.name"), spent(pages, NINETY, role, "w.name")
    losses = {
        name: (revenue.get(name, Decimal(0)), cost[name]) for name in cost if revenue.get(name, Decimal(0)) < cost[name]
    }
    rows = {row[0]: row[1:4] for row in shown.rows}
    assert rows == {name: [money(paid), money(cost), money(paid - cost)] for name, (paid, cost) in losses.items()}


@pytest.fixture(scope="module")
def desks(pages) -> Iterator[dict[str, Desk]]:
    """The same figures in three currencies."""
    made = {currency: Desk(the_lake(), currency=currency) for currency in ("USD", "EUR", "INR")}
    yield made
    for desk in made.values():
        desk.close()


_MONEY = ("recognised_revenue", "ai_cost", "margin")
_MRR = (*mrr_days.MOVES, "mrr_change")
_INVOICED = ("invoices", "credit_notes", "invoiced", "invoiced_paid", "invoiced_unpaid", "invoiced_tax")
_CREDITS = ("credits_purchased", "credits_granted", "credits_spent", "credits_expired", "credits_refunded",
    "credits_moved", "credits_balance")  # fmt: skip
_ATTRIBUTED = tuple(
    f"attributed_{what}{model}" for what in ("conversions", "value") for model in ("", "_first", "_linear")
)
BREAKDOWNS = [
    (_MONEY, ("plan", "product", "workspace", "tier", "workspace_country")),
    (("ai_cost", "generations_accepted"), ("model", "provider", "generation_type", "user", "status", "service_tier")),
    (_MRR, ("product", "workspace", "tier")),
    (_INVOICED, ("workspace", "invoice_status", "invoice_kind")),
    (_CREDITS, ("workspace", "user", "transaction_type")),
    (_ATTRIBUTED, ("campaign", "product", "workspace")),
]
_TODAY = TOMORROW - timedelta(days=1)
PERIODS = [
    (_TODAY.replace(day=1), TOMORROW),
    (TOMORROW - timedelta(days=90), TOMORROW),
    (TOMORROW - timedelta(days=365), TOMORROW),
]


@pytest.mark.parametrize("currency", ["USD", "EUR", "INR"])
def test_parts_of_every_breakdown_add_up_to_the_whole_in_every_currency_and_period(desks, currency):
    viewer = operator(serving.engines().pipe, "a test")
    desk, apart, checked = desks[currency], [], 0
    for since, until in PERIODS:
        for names, splits in BREAKDOWNS:
            whole = desk.ask(question(names, since, until), viewer)
            for split in splits:
                parts = desk.ask(question(names, since, until, by=split), viewer).rows()
                for name in names:
                    added = sum((row[name] or 0 for row in parts), Decimal(0))
                    checked += 1
                    if added != (whole.value(name) or 0):
                        apart.append((currency, since, split, name, added, whole.value(name)))
            flows = [name for name in names if name != "credits_balance"]
            months = desk.ask(question(flows, since, until, grain="month"), viewer).rows()
            for name in flows:
                added = sum((row[name] or 0 for row in months), Decimal(0))
                if added != (whole.value(name) or 0):
                    apart.append((currency, since, "month", name, added, whole.value(name)))
    assert apart == []
    assert checked > 150


@pytest.mark.parametrize("currency", ["USD", "EUR", "INR"])
@pytest.mark.parametrize("period", PERIODS)
def test_levels_and_movements_fit_to_the_last_digit(desks, currency, period):
    viewer = operator(serving.engines().pipe, "a test")
    moves = ("mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation")
    asked = ("mrr_at_start", *moves, "mrr_change", "mrr", "credits_at_start", "credits_moved", "credits_balance")
    came = ("credits_purchased", "credits_granted", "credits_promoted", "credits_refunded")
    went = ("credits_spent", "credits_expired", "credits_taken_back")
    found = desks[currency].ask(question((*asked, *came, *went), *period), viewer)
    value = found.value
    assert sum(value(name) for name in moves) == value("mrr_change")
    assert value("mrr_at_start") + value("mrr_change") == value("mrr")
    before = desks[currency].ask(question("mrr", period[0] - timedelta(days=1), period[0]), viewer)
    assert before.value("mrr") == value("mrr_at_start")
    assert sum(value(name) for name in came) - sum(value(name) for name in went) == value("credits_moved")
    assert value("credits_at_start") + value("credits_moved") == value("credits_balance")


@pytest.mark.parametrize("currency", ["USD", "EUR", "INR"])
@pytest.mark.parametrize("period", PERIODS)
def test_every_way_of_attribution_gives_away_all_conversions_and_no_more(desks, currency, period):
    viewer = operator(serving.engines().pipe, "a test")
    value = desks[currency].ask(question(("conversions", "conversion_value", *_ATTRIBUTED), *period), viewer).value
    assert value("conversions") > 0
    for model in ("", "_first", "_linear"):
        assert value(f"attributed_conversions{model}") == value("conversions")
        assert value(f"attributed_value{model}") == value("conversion_value")


def test_receipts_name_the_rates_and_their_source(desks):
    viewer = operator(serving.engines().pipe, "a test")
    found = desks["EUR"].ask(question("margin", *PERIODS[1]), viewer)
    assert {rate.currency for rate in found.receipt.rates} >= {"USD", "INR"}
    assert all(rate.sources == ("demo",) and rate.least > 0 for rate in found.receipt.rates)


def test_nothing_of_a_period_is_a_rate_of_nothing(desks):
    """Where nothing was earned, the rates are empty, and what it cost is told."""
    viewer = operator(serving.engines().pipe, "a test")
    parts = desks["USD"].ask(question(("margin", "margin_rate", "recognised_revenue"), *PERIODS[1], by="plan"), viewer)
    free = [row for row in parts.rows() if not row["recognised_revenue"]]
    assert free
    assert {row["margin_rate"] for row in free} == {None}
    assert all(row["margin"] <= 0 for row in free)
