"""Unusual days are found with who made them so; ordinary ones, weekends and single dear calls are not."""

from datetime import date, timedelta
from decimal import Decimal

from app.money.anomalies import Cause, DayOfUse, Use, anomalies

MONDAY = date(2026, 6, 1)
NEXT = MONDAY + timedelta(days=1)


def used(day, workspace, model, *use):
    """Calls, what they count by, their cost, and how many of them failed."""
    calls, units, cost, *failed = use
    return DayOfUse(day, workspace, model, Use(calls, Decimal(units), Decimal(cost), *failed))


def ordinary(day):
    """Two workspaces: 100 calls of 10 tokens for 50 dollars, and 20 calls of 10 tokens for 10."""
    return [used(day, "acme", "small", 100, 1000, 50), used(day, "birch", "small", 20, 200, 10)]


def weeks(until=MONDAY, count=8):
    return [one for back in range(1, count * 7 + 1) for one in ordinary(until - timedelta(days=back))]


def judged(*today, history=None):
    return anomalies([*(weeks() if history is None else history), *today], MONDAY, NEXT)


def test_an_ordinary_day_is_not_told():
    assert judged(*ordinary(MONDAY)) == ()


def test_more_calls_of_one_workspace_are_its_volume():
    """120 calls instead of 20, each for half a dollar: 50 more, all of it by volume."""
    (found,) = judged(used(MONDAY, "acme", "small", 100, 1000, 50), used(MONDAY, "birch", "small", 120, 1200, 60))
    assert (found.day, found.cost, round(found.expected, 6)) == (MONDAY, 110, 60)
    driver = found.driver
    assert (driver.workspace, driver.model, driver.cause) == ("birch", "small", Cause.VOLUME)
    assert [round(part, 6) for part in (driver.by_volume, driver.by_size, driver.by_price)] == [50, 0, 0]


def test_larger_calls_are_told_from_more_of_them():
    """20 calls as ever, of 60 tokens instead of 10: 50 more by size."""
    (found,) = judged(used(MONDAY, "acme", "small", 100, 1000, 50), used(MONDAY, "birch", "small", 20, 1200, 60))
    driver = found.driver
    assert (driver.workspace, driver.cause) == ("birch", Cause.SIZE)
    assert [round(part, 6) for part in (driver.by_volume, driver.by_size, driver.by_price)] == [0, 50, 0]


def test_a_price_that_tripled_is_told_of_the_model_and_not_of_each_workspace():
    """All as ever, and each token costs 15 cents instead of 5: 120 more by price; acme alone made five sixths of it."""
    (found,) = judged(used(MONDAY, "acme", "small", 100, 1000, 150), used(MONDAY, "birch", "small", 20, 200, 30))
    assert {one.cause for one in found.drivers} == {Cause.PRICE}
    assert sum(one.by_price for one in found.drivers) >= 100
    even = [used(one.day, f"w{place}", "small", 10, 100, 5) for one in weeks()[::2] for place in range(12)]
    (found,) = judged(*(used(MONDAY, f"w{place}", "small", 10, 100, 15) for place in range(12)), history=even)
    assert [(one.workspace, one.model, one.cause) for one in found.drivers] == [(None, "small", Cause.PRICE)]


def test_what_fell_away_is_told_as_less():
    (found,) = judged(used(MONDAY, "birch", "small", 20, 200, 10))
    assert (found.driver.workspace, found.driver.cause, round(found.driver.difference)) == ("acme", Cause.VOLUME, -50)


def test_calls_that_failed_are_told_with_what_was_not_spent_for_them():
    """36 of 120 calls of half a dollar were refused: 18 less, and neither their size nor their price is another."""
    (found,) = judged(used(MONDAY, "acme", "small", 100, 700, 35, 30), used(MONDAY, "birch", "small", 20, 140, 7, 6))
    (driver,) = found.drivers
    assert (driver.workspace, driver.model, driver.cause) == (None, "small", Cause.FAILURES)
    assert [round(part, 6) for part in (driver.by_volume, driver.by_failures, driver.by_size, driver.by_price)] == [
        0, -18, 0, 0,
    ]  # fmt: skip


def test_a_busy_day_does_not_hide_that_calls_failed():
    """Half as many calls again, and a third of all failed: 60 as ever, where 90 would have been spent."""
    (found,) = judged(used(MONDAY, "acme", "small", 150, 1000, 50, 50), used(MONDAY, "birch", "small", 30, 200, 10, 10))
    driver = found.driver
    assert (found.cost, round(driver.difference, 6), round(driver.by_cause, 6)) == (60, 0, -30)
    assert driver.cause is Cause.FAILURES


def test_models_that_failed_together_are_told_together():
    """Of three small models, none of which shows in the company's day, each lost a third of its five dollars."""
    models = ("small-a", "small-b", "small-c")
    before = [used(one.day, "cedar", model, 30, 30, 5) for one in weeks()[::2] for model in models]
    lost = [used(MONDAY, "cedar", model, 30, 15, "2.5", 15) for model in models]
    (found,) = judged(*ordinary(MONDAY), *lost, history=[*weeks(), *before])
    assert [(one.model, one.is_failing) for one in found.drivers] == [(model, True) for model in models]
    assert judged(*ordinary(MONDAY), *lost[:1], *(used(MONDAY, "cedar", model, 30, 30, 5) for model in models[1:]),
                  history=[*weeks(), *before]) == ()  # fmt: skip


def test_failures_that_are_usual_or_cost_as_much_as_ever_are_not_told():
    """A third fails every day; and calls that were paid for although they failed saved nothing."""
    often = [used(one.day, one.workspace, one.model, one.use.calls, one.use.units, one.use.cost, one.use.calls // 3)
             for one in weeks()]  # fmt: skip
    today = [used(MONDAY, "acme", "small", 100, 1000, 50, 33), used(MONDAY, "birch", "small", 20, 200, 10, 6)]
    assert judged(*today, history=often) == ()
    few = [used(MONDAY, "acme", "small", 100, 950, "47.5", 5), used(MONDAY, "birch", "small", 20, 200, 10)]
    assert judged(*few) == ()


def test_a_model_whose_units_are_not_counted_adds_up_too():
    before = [used(one.day, "cedar", "speech", 40, 0, 20) for one in weeks()[::2]]
    today = used(MONDAY, "cedar", "speech", 160, 0, 80)
    (found,) = judged(*ordinary(MONDAY), today, history=[*weeks(), *before])
    assert (found.driver.cause, round(found.driver.difference, 6)) == (Cause.VOLUME, 60)


def test_the_parts_add_up_to_the_difference():
    (found,) = judged(
        used(MONDAY, "acme", "small", 90, 1000, 51, 10), used(MONDAY, "birch", "small", 150, 2400, 200, 3)
    )
    for driver in found.drivers:
        assert abs(driver.difference - (driver.cost - driver.expected)) < Decimal("1e-12")


def test_a_single_dear_call_of_a_new_model_is_chance():
    """One film for 20 dollars may be the first of many or the only one: four of them are as little to go by."""
    assert judged(*ordinary(MONDAY), used(MONDAY, "birch", "film", 1, 8, 20)) == ()
    (found,) = judged(*ordinary(MONDAY), used(MONDAY, "birch", "film", 60, 480, 1200))
    assert (found.driver.model, found.driver.cause, found.driver.expected) == ("film", Cause.VOLUME, 0)


def test_what_does_not_show_in_the_company_is_not_told():
    """A tenth of a usual day of 60 is 6: ten times as many calls for 5 dollars more are below it."""
    history = [*weeks(), *(used(one.day, "cedar", "tiny", 10, 10, "0.5") for one in weeks()[::2])]
    assert judged(*ordinary(MONDAY), used(MONDAY, "cedar", "tiny", 100, 100, 5), history=history) == ()
    (found,) = judged(*ordinary(MONDAY), used(MONDAY, "cedar", "tiny", 200, 200, 10), history=history)
    assert found.driver.workspace == "cedar"


def test_quiet_weekends_are_usual():
    """Nothing on Saturdays and Sundays for eight weeks, and nothing on this one."""
    history = [one for one in weeks(MONDAY + timedelta(days=5), 10) if one.day.weekday() < 5]
    assert anomalies(history, MONDAY, MONDAY + timedelta(days=7)) == ()


def test_the_first_four_weeks_are_not_judged():
    wild = used(MONDAY, "birch", "small", 500, 5000, 250)
    assert anomalies([*weeks(count=3), wild], MONDAY, NEXT) == ()
    assert anomalies([], MONDAY, NEXT) == ()


def test_the_end_of_what_was_unusual_is_no_news():
    """A week of six times as many calls, then as ever: seven days are told, and none after them."""
    wild = [
        one
        for ahead in range(7)
        for one in (
            used(MONDAY + timedelta(days=ahead), "acme", "small", 100, 1000, 50),
            used(MONDAY + timedelta(days=ahead), "birch", "small", 120, 1200, 60),
        )
    ]
    after = [one for ahead in range(7, 28) for one in ordinary(MONDAY + timedelta(days=ahead))]
    found = anomalies([*weeks(), *wild, *after], MONDAY, MONDAY + timedelta(days=28))
    assert [one.day for one in found] == [MONDAY + timedelta(days=ahead) for ahead in range(7)]
    assert {one.driver.workspace for one in found} == {"birch"}


def test_what_goes_on_becomes_usual():
    """Six times as many calls for good: told until it was so on more than ten days."""
    lasting = [
        one
        for ahead in range(40)
        for one in (
            used(MONDAY + timedelta(days=ahead), "acme", "small", 100, 1000, 50),
            used(MONDAY + timedelta(days=ahead), "birch", "small", 120, 1200, 60),
        )
    ]
    found = anomalies([*weeks(), *lasting], MONDAY, MONDAY + timedelta(days=40))
    assert [one.day for one in found] == [MONDAY + timedelta(days=ahead) for ahead in range(11)]
