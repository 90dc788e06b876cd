"""What a source changed afterwards, figure by figure."""

from datetime import date
from decimal import Decimal

from app.analysis.restated import Restated, restated

FIRST, SECOND, THIRD = (date(2026, 4, day) for day in (1, 2, 3))


def told(day, spend, clicks=1):
    return {"day": day, "spend": None if spend is None else Decimal(spend), "clicks": clicks}


def test_only_what_differs_is_listed_and_the_newest_day_comes_first():
    """On the first day 10 became 12, on the second two clicks became three; the third stayed."""
    then = [told(FIRST, 10), told(SECOND, 5, clicks=2), told(THIRD, 7)]
    now = [told(FIRST, 12), told(SECOND, 5, clicks=3), told(THIRD, 7)]
    found = restated(then, now, ("spend", "clicks"))
    assert found == [Restated(SECOND, "clicks", 2, 3), Restated(FIRST, "spend", Decimal(10), Decimal(12))]
    assert [one.by for one in found] == [1, 2]


def test_a_day_that_came_or_went_had_nothing_on_the_other_side():
    found = restated([told(FIRST, 4)], [told(SECOND, 6)], ("spend",))
    assert [(one.day, one.then, one.now, one.by) for one in found] == [(SECOND, 0, 6, 6), (FIRST, 4, 0, -4)]


def test_an_amount_that_can_not_be_told_is_not_taken_for_zero():
    (found,) = restated([told(FIRST, None)], [told(FIRST, 3)], ("spend",))
    assert (found.then, found.now, found.by) == (None, 3, None)
