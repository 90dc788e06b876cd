"""Forecasts of a period's end: exact where days are alike, by weekday and trend where they are not, within bounds."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from app.money.forecast import back_test, forecast, run_rate

MONDAY = date(2026, 6, 1)
JUNE, JULY = MONDAY, date(2026, 7, 1)


def days(amounts, until):
    """The days before one with these amounts, the last one first given to the day before it."""
    return {
        until - timedelta(days=back): Decimal(amount)
        for back, amount in zip(range(len(amounts), 0, -1), amounts, strict=True)
    }


def alike(amount, count, until):
    return days([amount] * count, until)


def test_days_that_are_all_alike_go_on_like_that():
    """10 a day: on the 11th 100 is spent, 20 days are to come, and June ends at 300, give or take nothing."""
    found = forecast(alike(10, 60, date(2026, 6, 11)), JUNE, JULY, date(2026, 6, 11))
    assert (found.spent, found.expected, found.low, found.high) == (100, 300, 300, 300)
    assert [one.total for one in found.days[:2]] == [110, 120]
    assert (found.days[0].day, found.days[-1].day, len(found.days)) == (date(2026, 6, 11), date(2026, 6, 30), 20)


def test_what_today_has_cost_counts_when_it_is_more_than_was_expected():
    """25 by noon of a day of which 10 were expected: 15 more in all; 4 by noon change nothing."""
    daily, today = alike(10, 60, date(2026, 6, 11)), date(2026, 6, 11)
    more = forecast(daily, JUNE, JULY, today, spent_today=Decimal(25))
    less = forecast(daily, JUNE, JULY, today, spent_today=Decimal(4))
    assert (more.spent, more.expected) == (125, 315)
    assert (less.spent, less.expected) == (104, 300)


def test_weekdays_are_told_apart():
    """Twelve weeks of 100 from Monday to Friday and of nothing else: two days before a week-end, a run rate is lost."""
    today = date(2026, 6, 25)  # A Thursday; Thursday, Friday, Monday and Tuesday are to come.
    daily = days([100 if (today - timedelta(days=back)).weekday() < 5 else 0 for back in range(84, 0, -1)], today)
    found = forecast(daily, JUNE, JULY, today)
    assert found.spent == 1800
    assert float(found.expected) == pytest.approx(2200, rel=0.02)
    assert run_rate(daily, JUNE, JULY, today) == 2250
    weekend = sum(one.amount for one in found.days if one.day.weekday() > 4)
    assert weekend < 25


def test_a_rise_goes_on_but_not_for_ever():
    """From 1 to 60 in steps of 1: the next thirty days are above the last ones, and below the straight line."""
    today = JUNE
    found = forecast(days(list(range(1, 61)), today), JUNE, JULY, today)
    level, line = 30 * 50, sum(range(61, 91))
    assert level < found.expected < line


def test_bounds_grow_with_the_days_ahead_and_hold_what_was_spent():
    today = date(2026, 6, 11)
    daily = days([10 if back % 2 else 30 for back in range(120, 0, -1)], today)
    found = forecast(daily, JUNE, JULY, today)
    widths = [one.high - one.low for one in found.days]
    assert found.low < found.expected < found.high
    assert widths[0] < widths[-1]
    assert all(one.low >= found.spent for one in found.days)
    assert all(earlier.total <= later.total for earlier, later in pairwise(found.days))


def test_without_six_weeks_of_history_nothing_is_forecast():
    """Weekdays show after four weeks, and bounds after two more."""
    assert forecast({}, JUNE, JULY, date(2026, 6, 11)) is None
    assert forecast(alike(10, 41, JUNE), JUNE, JULY, JUNE) is None
    assert forecast(alike(10, 42, JUNE), JUNE, JULY, JUNE).expected == 300


def test_days_without_an_amount_had_none():
    """10 on every second day, the last one among them, is about 5 a day."""
    daily = days([10 if back % 2 else 0 for back in range(84, 0, -1)], JUNE)
    with_gaps = {day: amount for day, amount in daily.items() if amount}
    assert forecast(with_gaps, JUNE, JULY, JUNE).expected == forecast(daily, JUNE, JULY, JUNE).expected
    assert float(forecast(daily, JUNE, JULY, JUNE).expected) == pytest.approx(150, rel=0.1)


def test_a_period_that_is_over_is_what_it_was():
    found = forecast(alike(10, 90, date(2026, 7, 20)), JUNE, JULY, date(2026, 7, 20))
    assert (found.spent, found.expected, found.low, found.high, found.days) == (300, 300, 300, 300, ())


def test_a_limit_is_passed_on_a_day_to_come():
    """100 spent on the 11th, 10 a day: 125 is passed on the 13th, 300 is reached and not passed, 99 was passed."""
    found = forecast(alike(10, 60, date(2026, 6, 11)), JUNE, JULY, date(2026, 6, 11))
    assert found.exceeds(Decimal(299))
    assert not found.exceeds(Decimal(300))
    assert found.exceeds_on(Decimal(125)) == date(2026, 6, 13)
    assert found.exceeds_on(Decimal(300)) is None
    assert found.exceeds_on(Decimal(99)) is None


def test_one_wild_day_is_no_level():
    """1,000 among days of 10 is spent, and not expected again: less than a twentieth of it stays in the rest."""
    today = date(2026, 6, 11)
    daily = alike(10, 84, today) | {date(2026, 6, 5): Decimal(1000)}
    found = forecast(daily, JUNE, JULY, today)
    assert found.spent == 1090
    assert 1290 <= found.expected < 1600


def test_the_past_tells_how_far_off_forecasts_were():
    """10 a day in May, 20 in June: asked on 4 June, 60 of 600 are spent, so the plain rate is right there."""
    daily = alike(10, 70, JUNE) | alike(20, 30, JULY)
    past = back_test(daily, JULY)
    june = [one for one in past.tries if one.since == JUNE]
    assert [one.asked_on.day for one in june] == [4, 8, 11, 15, 18, 22]
    assert all(one.run_rate == one.actual == 600 for one in june)
    assert all(one.forecast < 600 for one in june)
    assert all(later.error < earlier.error for earlier, later in pairwise(june))


def test_a_past_that_is_too_short_tells_nothing():
    assert back_test({}, JULY) is None
    assert back_test(alike(10, 50, JULY), JULY) is None
