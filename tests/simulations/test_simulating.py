"""A simulation by hand: who is refused what and when, what everybody pays and costs, and who may ask for one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.access import NotPermittedError, Role, Viewer, all_workspaces
from app.commands.simulations import review_publication
from app.records.simulations import hits_by_day, limits_passed, simulated_workspaces, simulations
from db.errors import SightlineError
from tests.simulations.company import HOUR, NOW, PUBLISHED, Company, publish


@pytest.fixture
def company(database):
    return Company(database)


def test_revenue_cost_and_margin_before_and_after(company):
    """30 days at 1.20 are 36, at 2.40 they are 72. Four calls cost 2.00; the draft refuses one, and 1.50 are left."""
    company.limit(3)
    company.generated(4, 3, 2, 1)
    found = company.simulated()
    sums = found.sums
    assert (sums.revenue_before, sums.revenue_after) == (36, 72)
    assert (sums.ai_cost_before, sums.ai_cost_after) == (2, Decimal("1.5"))
    assert (sums.margin_before, sums.margin_after) == (34, Decimal("70.5"))
    assert (sums.calls, sums.refused_before, sums.refused_after) == (4, 0, 1)
    assert (found.workspaces, found.workspaces_hit, found.workspaces_eased, found.currency) == (1, 1, 0, "USD")


def test_it_is_kept_with_each_workspace_and_the_draft_as_it_was(company):
    company.limit(3)
    company.generated(4, 3, 2, 1)
    found = company.simulated()
    [(revision, terms, margin)] = company.shop.ask("SELECT plan_revision, terms, margin_after FROM plan_simulations")
    [(now,)] = company.shop.ask("SELECT revision FROM plans WHERE id = :id", id=company.draft)
    assert (revision, margin) == (now, found.sums.margin_after)
    assert [(one["meter"], one["amount"]) for one in terms["limits"]] == [("generations", 3)]
    [(home, first, refused, details)] = company.shop.ask(
        "SELECT workspace_id, first_hit_at, refused_after, details FROM plan_simulation_workspaces"
    )
    assert (home, first, refused) == (company.shop.workspace, NOW - HOUR, 1)
    [limit] = details["after"]
    assert (limit["meter"], limit["calls"], limit["amount"], limit["action"]) == ("generations", 1, 1, "preview")
    assert limit["title"] == "All 3 generations of the plan are taken."
    assert [one["amount"] for one in details["prices"]] == ["36.5000", "73.0000"]


def test_an_audit_row_says_who_simulated(company):
    company.simulated()
    [(actor, action)] = company.shop.ask("SELECT actor, action FROM audit_log WHERE table_name = 'plan_simulations'")
    assert (actor, action) == ("Ada", "insert")


def test_who_gets_more_room_is_told_apart(company):
    """The plan refuses the second call, the draft does not; the neighbour made none, and neither changes for them."""
    company.limit(1, of=company.shop.plan)
    company.limit(5)
    company.generated(2, 1)
    company.neighbour()
    found = company.simulated()
    assert (found.workspaces, found.workspaces_hit_before, found.workspaces_hit, found.workspaces_eased) == (2, 1, 0, 1)
    assert (found.sums.ai_cost_before, found.sums.ai_cost_after) == (Decimal("0.5"), 1)


def test_who_subscribed_within_the_window_counts_from_then(company):
    """48 hours at 2.40 a day: 4.80 more. Their trial has not ended in the other case, and pays nothing."""
    # Of this moment: each minute since the module was read would count.
    since = datetime.now(UTC) - 48 * HOUR
    company.neighbour(price=73, started_at=since)
    company.neighbour(price=73, status="trialing", started_at=since)
    found = company.simulated()
    assert round(found.sums.revenue_before, 2) == Decimal("40.80")
    assert found.workspaces == 3


def test_another_tier_currency_or_period_is_left_out(company):
    company.shop.do("UPDATE plans SET tier = 'business' WHERE id = :id", id=company.shop.plan)
    assert company.simulated().workspaces == 0


def test_amounts_of_another_currency_count_by_the_rate_of_their_day(company):
    """A draft in euros at 2 dollars each: 30 days of 2.40 euros are 144 dollars."""
    company.shop.do("UPDATE plans SET currency = 'EUR'")
    company.shop.add("fx_rates", day=(NOW - 2000 * HOUR).date(), currency="EUR", reporting_currency="USD", rate=2,
        source="test")  # fmt: skip
    sums = company.simulated().sums
    assert (sums.revenue_before, sums.revenue_after) == (36, 144)


def test_without_a_rate_it_is_refused_in_a_sentence(company):
    company.shop.do("UPDATE plans SET currency = 'EUR'")
    with pytest.raises(SightlineError, match="one EUR is worth in USD"):
        company.simulated()


@pytest.mark.parametrize("days", [0, 29, 91])
def test_a_window_is_from_30_to_90_days(company, days):
    with pytest.raises(SightlineError, match="can't be replayed"):
        company.simulated(days=days)


def test_only_drafts_are_simulated(company):
    company.draft = company.shop.plan
    with pytest.raises(SightlineError, match="published, and no draft"):
        company.simulated()


def test_only_admins_simulate(company):
    viewer = Viewer("Vera", frozenset({Role.VIEWER, Role.FINANCE}), all_workspaces(company.database.pipe))
    with pytest.raises(NotPermittedError, match=r"plans\.manage"):
        company.simulated(by=viewer)


def test_an_admin_of_some_workspaces_does_not_simulate_for_all(company):
    limited = company.shop.add("team_members", email="l@team.example", roles=["admin"],
        workspace_ids=[company.shop.workspace]).id  # fmt: skip
    some = Viewer("Lim", frozenset({Role.ADMIN}), frozenset({company.shop.workspace}), limited)
    with pytest.raises(NotPermittedError, match="limited to some workspaces"):
        company.simulated(by=some)


def test_a_draft_that_changes_meanwhile_is_not_kept(company):
    def somebody_edits(_done, _all):
        company.shop.do("UPDATE plans SET price = 74 WHERE id = :id", id=company.draft)

    with pytest.raises(SightlineError, match="changed the draft while"):
        company.simulated(progress=somebody_edits)
    assert company.shop.ask("SELECT 1 FROM plan_simulations") == []


def test_the_truth_of_two_weeks_is_found_the_way_the_forecast_was(company):
    """14 days at 2.40 are 33.60, by the version before 16.80; two calls cost 1.00, the third is of another time."""
    company.limit(9, period="lifetime")
    company.generated(19 * 24, 10 * 24, 2 * 24)
    publish(company)
    found = review_publication(company.database.rw, company.admin(), company.draft)
    sums = found.sums
    assert (found.since, found.until) == (PUBLISHED, PUBLISHED + timedelta(days=14))
    assert (sums.revenue_before, sums.revenue_after) == (Decimal("16.8"), Decimal("33.6"))
    assert (sums.ai_cost_after, sums.calls, sums.refused_after) == (1, 2, 0)
    assert company.shop.ask("SELECT kind FROM plan_simulations") == [("outcome",)]


def test_who_used_a_limit_up_in_the_two_weeks_is_told(company):
    company.limit(2, period="lifetime")
    publish(company)
    company.shop.add("quota_balances", workspace_id=company.shop.workspace, product="web_builder", meter="generations",
        period="lifetime", period_start=NOW - timedelta(days=300), limit_amount=2, used=2, opening_used=2)  # fmt: skip
    review_publication(company.database.rw, company.admin(), company.draft)
    [one] = simulations(company.database.ro, company.admin(), company.draft)
    assert (one.kind, one.workspaces, one.reached, one.hit) == ("outcome", 1, 1, 0)


def test_the_truth_waits_for_two_weeks(company):
    publish(company)
    company.shop.do("UPDATE plans SET published_at = now() - interval '13 days' WHERE id = :id", id=company.draft)
    with pytest.raises(SightlineError, match="live since"):
        review_publication(company.database.rw, company.admin(), company.draft)


def test_a_draft_has_no_truth(company):
    with pytest.raises(SightlineError, match="not published"):
        review_publication(company.database.rw, company.admin(), company.draft)


def test_a_page_reads_what_was_kept(company):
    """Three fit, one is refused: the workspace, the limit, and the day."""
    company.limit(3)
    company.generated(4, 3, 2, 1)
    company.neighbour()
    key = company.simulated().id
    ro, by = company.database.ro, company.admin()
    [one] = simulations(ro, by, company.draft)
    assert (one.workspaces, one.hit, one.refused_after, one.is_current) == (2, 1, 1, True)
    assert (one.margin_before, one.margin_after) == (34, Decimal("70.5") + 72)
    first, second = simulated_workspaces(ro, by, key).rows
    assert (first.refused_after, first.first_hit_at, first.limit) == (1, NOW - HOUR, "generations lifetime")
    assert (first.price_before, first.price_after, second.refused_after) == (Decimal("36.5"), 73, 0)
    page = simulated_workspaces(ro, by, key, limit=1)
    assert [row.id for row in simulated_workspaces(ro, by, key, after=page.next).rows] == [second.id]
    [limit] = limits_passed(ro, by, key)
    assert (limit.verdict, limit.workspaces, limit.calls, limit.action) == ("refused", 1, 1, "preview")
    assert [day.workspaces for day in hits_by_day(ro, by, key, zone="UTC")] == [1]
    assert simulations(ro, Viewer("Nobody", frozenset({Role.ADMIN}), frozenset()), company.draft)[0].workspaces == 0
