"""Usage that was goes through another plan by the rule that calls are let through with.

Every case says by hand what is refused, and the engine itself is asked the same calls at the same moments.
"""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.quotas.shop import colleague
from tests.simulations.past import Past, at


@pytest.fixture
def past(database):
    return Past(database)


def test_a_hard_limit_refuses_what_is_beyond_it_until_the_period_ends(each_database):
    """Two a month, and four are made; the next month begins anew. On the oldest Postgres as on the newest."""
    past = Past(each_database)
    past.limit(2)
    past.generated(at(1), at(2), at(3), at(4), at(33))
    assert past.refused() == [(at(3), 1, 1), (at(4), 1, 1)]
    assert past.agrees()


def test_a_soft_limit_refuses_nothing_and_flags_what_is_beyond_it(past):
    past.limit(2, enforcement="soft")
    past.generated(at(1), at(2), at(3))
    assert [(row.at, row.verdict, row.amount) for row in past.replayed()] == [(at(3), "over_soft_limit", 1)]
    assert past.agrees()


def test_grace_allows_so_much_more_for_the_period(past):
    """Two, and one in grace without an end of its own: the fourth is refused."""
    past.limit(2, grace_amount=1)
    past.generated(at(1), at(2), at(3), at(9))
    assert [(row.at, row.verdict) for row in past.replayed()] == [(at(3), "in_grace"), (at(9), "refused")]
    assert past.agrees()


def test_grace_ends_so_many_days_after_the_limit_was_passed(past):
    """Passed on day three, two days of grace: day five at the same hour is too late, a second before is not."""
    past.limit(2, grace_amount=9, grace_days=2)
    past.generated(at(1), at(2), at(3), at(5) - timedelta(seconds=1), at(5))
    assert past.refused() == [(at(5), 1, 1)]
    assert past.agrees()


def test_what_is_left_of_a_month_goes_into_the_next(past):
    """Three a month, one used in the first: five in the second, and the sixth is refused."""
    past.limit(3, rolls_over=True)
    past.generated(at(1), *(at(days) for days in (31, 32, 33, 34, 35, 36)))
    assert past.refused() == [(at(36), 1, 1)]
    assert past.agrees()


def test_days_and_months_are_both_kept(past):
    """Two a day and three in the month: the third of a day is refused by the day, the fourth in all by the month."""
    past.limit(2, period="day")
    past.limit(3)
    past.generated(at(1, 9), at(1, 10), at(1, 11), at(2, 9), at(3, 9))
    told = [(row.at, row.period) for row in past.replayed() if row.verdict == "refused"]
    assert told == [(at(1, 11), "day"), (at(3, 9), "month")]
    assert past.agrees()


def test_an_override_that_holds_takes_the_place_of_the_limit(past):
    """One, but three from the second day to the fifth: with three used, nothing fits when it has ended."""
    past.limit(1)
    past.shop.override(3, starts_at=at(2), ends_at=at(5))
    past.generated(at(1), at(1, 13), at(2), at(3), at(4), at(5))
    assert past.refused() == [(at(1, 13), 1, 1), (at(4), 1, 1), (at(5), 1, 1)]
    assert past.agrees()


def test_what_has_no_limit_is_never_refused(past):
    past.limit(None)
    past.generated(*(at(1, hours) for hours in range(12, 20)))
    assert past.replayed() == []
    assert past.agrees()


def test_a_plan_that_says_nothing_of_a_meter_does_not_limit_it(past):
    past.generated(at(1), at(2))
    assert past.replayed() == []
    assert past.agrees()


def test_a_failed_call_asks_for_room_and_uses_none(past):
    """One a month: the failed one leaves it free, the next takes it, and a failed one after that is refused."""
    past.limit(1)
    past.generated(at(1), status="failed")
    past.generated(at(2))
    past.generated(at(3), status="failed")
    assert past.refused() == [(at(3), 1, 1)]
    assert past.agrees()


def test_attempts_of_one_request_are_one_call(past):
    """Three attempts, one call: of two in a month both requests fit."""
    past.limit(1)
    key = past.shop.workspace
    for attempt, status in ((1, "failed"), (2, "failed"), (3, "completed")):
        past.generated(at(1) + timedelta(seconds=attempt), status=status, request_key=key, attempt=attempt)
    assert [(one.times, one.uses_it) for one in past.calls()] == [(1, True)]
    assert past.replayed() == []
    assert past.agrees()


def test_a_smaller_call_fits_where_a_larger_one_did_not(past):
    """Of ten, eight are used: three don't fit, two do."""
    past.limit(10, meter="api_calls")
    past.logged("api_call", (at(1), 8), (at(2), 3), (at(3), 2), (at(4), 1))
    assert past.refused() == [(at(2), 1, 3), (at(4), 1, 1)]
    assert past.agrees()


def test_a_service_limits_each_customer_by_the_day(past):
    """One picture a day each: the second of the owner is refused, and the colleague's first is not."""
    past.shop.do("INSERT INTO settings (key, value) VALUES ('ai_service_limits', '{\"imagen\": 1}')"
        " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value")  # fmt: skip
    other = colleague(past.shop)
    pictures = {"model": "imagen-4", "provider": "google", "images": 1}
    past.generated(at(1, 9), at(1, 10), **pictures)
    past.generated(at(1, 11), customer=other, **pictures)
    assert past.refused() == [(at(1, 10), 1, 1)]
    assert past.agrees()


def test_a_day_of_a_zone_begins_at_its_midnight_also_when_clocks_change(database):
    """Berlin, 29 March: the day has 23 hours, from 23:00 to 22:00 UTC."""
    began = datetime(2026, 3, 1, 12, tzinfo=UTC)
    database.setup.connect().close()
    with database.setup.begin() as connection:
        connection.execute(text("SELECT make_partitions_between('2026-03-01', '2026-04-01')"))
    past = Past(database, zone="Europe/Berlin", began=began)
    past.limit(1, period="day")
    last, first, end, after = (
        datetime(2026, 3, day, hour, minute, tzinfo=UTC)
        for day, hour, minute in ((28, 22, 59), (28, 23, 0), (29, 21, 59), (29, 22, 0))
    )
    past.generated(last, first, end, after)
    assert past.refused() == [(end, 1, 1)]
    assert past.agrees()


def test_what_was_used_before_the_window_stays_used(past):
    """Two a month, of which one was used before: the second within the window is one too many."""
    past.limit(2)
    past.generated(at(1), at(5), at(6))
    assert past.refused(since=at(3)) == [(at(6), 1, 1)]


def test_several_meters_of_one_call_are_taken_together_or_not_at_all(past):
    """A picture needs a generation and a picture; where no picture is left, no generation is used either."""
    past.limit(3)
    past.limit(1, meter="image_generations")
    past.generated(at(1), at(2), generation_type="image")
    past.generated(at(3), at(4), at(5))
    assert [(row.at, row.meter) for row in past.replayed()] == [(at(2), "image_generations"), (at(5), "generations")]
    assert past.agrees()
