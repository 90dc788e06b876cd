"""Schedules follow the clock of their zone: also on the days when it is moved."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.schedules import Daily, Every, Hourly

BERLIN = ZoneInfo("Europe/Berlin")
AT_HALF_PAST_TWO = Daily(time(2, 30), "Europe/Berlin")


def utc(*moment):
    return datetime(*moment, tzinfo=UTC)


def occurrences(schedule, start, end):
    found = []
    moment = schedule.following(start - timedelta(microseconds=1))
    while moment < end:
        found.append(moment)
        moment = schedule.following(moment)
    return found


def of_day(schedule, zone, year, month, day):
    start = datetime(year, month, day, tzinfo=zone)
    return occurrences(schedule, start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC))


def test_half_past_two_in_berlin_is_half_past_one_in_winter_and_half_past_midnight_in_summer():
    assert of_day(AT_HALF_PAST_TWO, BERLIN, 2026, 1, 10) == [utc(2026, 1, 10, 1, 30)]
    assert of_day(AT_HALF_PAST_TWO, BERLIN, 2026, 7, 10) == [utc(2026, 7, 10, 0, 30)]


def test_on_the_day_without_half_past_two_it_comes_once_an_hour_later_by_the_clock():
    assert of_day(AT_HALF_PAST_TWO, BERLIN, 2026, 3, 29) == [utc(2026, 3, 29, 1, 30)]
    assert utc(2026, 3, 29, 1, 30).astimezone(BERLIN).time() == time(3, 30)


def test_on_the_day_with_two_half_past_twos_it_comes_once_at_the_first():
    assert of_day(AT_HALF_PAST_TWO, BERLIN, 2026, 10, 25) == [utc(2026, 10, 25, 0, 30)]


def test_a_year_of_days_has_as_many_occurrences_as_days():
    assert len(occurrences(AT_HALF_PAST_TWO, utc(2026, 1, 1), utc(2027, 1, 1))) == 365


def test_a_day_that_a_zone_left_out_has_none_of_its_own():
    """Samoa went from the 29th of December 2011 to the 31st."""
    samoa = Daily(time(2, 30), "Pacific/Apia")
    found = occurrences(samoa, utc(2011, 12, 28), utc(2012, 1, 3))
    days = [moment.astimezone(ZoneInfo("Pacific/Apia")).day for moment in found]
    assert days == [28, 29, 31, 1, 2, 3]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 7, 1), 24)])
def test_hourly_comes_as_often_as_the_day_has_hours(day, hours):
    assert len(of_day(Hourly(15, "Europe/Berlin"), BERLIN, *day)) == hours


def test_hourly_follows_the_clock_of_zones_that_are_half_an_hour_off():
    assert Hourly(15, "Asia/Kolkata").following(utc(2026, 5, 1, 12, 0)) == utc(2026, 5, 1, 12, 45)
    assert Hourly(15, "Asia/Kolkata").latest(utc(2026, 5, 1, 12, 0)) == utc(2026, 5, 1, 11, 45)


def test_every_so_many_seconds_is_the_same_for_all_who_ask():
    assert Every(90).latest(utc(2026, 1, 1, 0, 1, 31)) == utc(2026, 1, 1, 0, 1, 30)
    assert Every(90).following(utc(2026, 1, 1, 0, 1, 30)) == utc(2026, 1, 1, 0, 3)


ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns"]
SCHEDULES = st.one_of(
    st.builds(Daily, st.times(timezones=st.none()), st.sampled_from(ZONES)),
    st.builds(Hourly, st.integers(0, 59), st.sampled_from(ZONES)),
    st.builds(Every, st.integers(1, 100_000)),
)


@given(SCHEDULES, st.integers(1_230_000_000, 2_050_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_between_the_last_and_the_next_occurrence_lies_the_moment_and_no_other_one(schedule, moment):
    last, following = schedule.latest(moment), schedule.following(moment)
    assert last <= moment < following
    assert schedule.following(last) == following
    assert schedule.latest(following) == following
