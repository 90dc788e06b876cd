"""Budgets beside the time that went by."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.pacing import Pace, Plan, pacing

START = date(2026, 4, 1)
APRIL = Plan(START, date(2026, 4, 30), Decimal(3000), None)


def spent(*amounts):
    return {START + timedelta(days=n): Decimal(amount) for n, amount in enumerate(amounts)}


def test_a_third_of_the_time_and_half_of_the_money_is_too_fast():
    """150 a day for ten days of thirty: 1,500 of 3,000 where 1,000 were due; the rest lasts ten days."""
    found = pacing(APRIL, spent(*[150] * 10), date(2026, 4, 10))
    assert found.pace is Pace.OVER
    assert (found.spent, found.due, found.projected) == (1500, 1000, 4500)
    assert (found.time_share, found.spent_share) == (Decimal(10) / 30, Decimal("0.5"))
    assert found.runs_out_on == date(2026, 4, 20)
    assert found.left_per_day == 75


def test_spending_evenly_is_on_track_and_does_not_run_out():
    found = pacing(APRIL, spent(*[100] * 10), date(2026, 4, 10))
    assert (found.pace, found.projected, found.left_per_day) == (Pace.ON, 3000, 100)
    # The money ends with the campaign, on its last day.
    assert found.runs_out_on == date(2026, 4, 30)


@pytest.mark.parametrize(
    ("daily", "pace"),
    [(89, Pace.UNDER), (90, Pace.ON), (110, Pace.ON), (111, Pace.OVER), (0, Pace.UNDER), (300, Pace.SPENT)],
)
def test_a_tenth_off_is_still_on_track(daily, pace):
    assert pacing(APRIL, spent(*[daily] * 10), date(2026, 4, 10)).pace is pace


def test_the_end_is_projected_from_the_last_seven_days_with_days_of_nothing():
    """Seven days of 140, then seven of which two spent 70: 20 a day for the sixteen left."""
    found = pacing(APRIL, spent(*[140] * 7, 70, 0, 0, 70), date(2026, 4, 14))
    assert (found.per_day, found.spent, found.projected) == (20, 1120, 1120 + 16 * 20)


def test_a_daily_budget_without_an_end_is_held_against_its_days():
    found = pacing(Plan(START, None, None, Decimal(50)), spent(*[80] * 5), date(2026, 4, 5))
    assert (found.pace, found.due, found.budget, found.projected) == (Pace.OVER, 250, None, None)


def test_daily_budgets_up_to_an_end_are_a_total():
    plan = Plan(START, date(2026, 4, 10), None, Decimal(50))
    assert pacing(plan, spent(50), START).budget == 500


def test_a_total_without_an_end_tells_when_it_runs_out():
    found = pacing(Plan(START, None, Decimal(1000), None), spent(100, 100), date(2026, 4, 2))
    assert (found.pace, found.due, found.runs_out_on) == (Pace.UNKNOWN, None, date(2026, 4, 10))


def test_before_the_start_and_after_the_end():
    assert pacing(APRIL, {}, date(2026, 3, 31)).pace is Pace.OPEN
    late = pacing(APRIL, spent(*[90] * 30), date(2026, 6, 1))
    assert (late.pace, late.spent, late.projected, late.left_per_day) == (Pace.ENDED, 2700, 2700, None)


def test_without_any_budget_there_is_no_pace():
    found = pacing(Plan(START, None, None, None), spent(5), START)
    assert (found.pace, found.budget, found.due, found.spent_share) == (Pace.UNKNOWN, None, None, None)


def test_a_trickle_of_money_never_leaves_the_calendar():
    found = pacing(Plan(START, None, Decimal(10**12), None), spent(Decimal("0.01")), START)
    assert found.runs_out_on is None


@given(
    st.lists(st.decimals(0, 500, places=2), min_size=1, max_size=30),
    st.decimals(1, 10_000, places=2),
)
def test_who_spends_what_is_left_per_day_ends_on_the_budget(amounts, total):
    plan = Plan(START, START + timedelta(days=39), total, None)
    found = pacing(plan, spent(*amounts), START + timedelta(days=len(amounts) - 1))
    if found.pace is not Pace.SPENT:
        left = found.left_per_day * (40 - len(amounts))
        assert float(found.spent + left) == pytest.approx(float(total))
