"""Periods partition time exactly: in every zone, over clocks that change, and for anchors on days that months lack."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from sqlalchemy import text


def periods(database, period, anchor, zone, moments):
    with database.setup.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text(
                    "SELECT p.starts_at, p.ends_at FROM unnest(CAST(:moments AS TIMESTAMPTZ[])) WITH ORDINALITY"
                    " AS m (at, place) CROSS JOIN LATERAL quota_period(:period, :anchor, :zone, m.at) AS p"
                    " ORDER BY m.place"
                ),
                {"moments": list(moments), "period": period, "anchor": anchor, "zone": zone},
            )
        ]


def first_days(database, period, anchor, *moments, zone="UTC"):
    return [start.astimezone(ZoneInfo(zone)).date() for start, _ in periods(database, period, anchor, zone, moments)]


def at(year, month, day, hour=12):
    return datetime(year, month, day, hour, tzinfo=UTC)


def test_the_31st_is_the_end_of_a_shorter_month_and_the_31st_again_after_it(database):
    anchor = at(2026, 1, 31)
    asked = (at(2026, 2, 27), at(2026, 2, 28), at(2026, 3, 30), at(2026, 3, 31), at(2026, 4, 30), at(2026, 5, 1))
    assert first_days(database, "month", anchor, *asked) == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
        date(2026, 4, 30),
    ]  # fmt: skip


def test_a_leap_day_is_the_28th_in_other_years(database):
    asked = (at(2025, 2, 27), at(2025, 2, 28), at(2028, 2, 28), at(2028, 2, 29))
    found = first_days(database, "year", at(2024, 2, 29), *asked)
    assert found == [date(2024, 2, 29), date(2025, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]


def test_a_period_begins_at_midnight_of_the_zone_and_its_length_follows_the_clock(database):
    """Berlin: clocks go forward on 29 March 2026 and back on 25 October."""
    spring, autumn = (
        periods(database, "day", at(2026, 1, 1), "Europe/Berlin", [moment])[0]
        for moment in (at(2026, 3, 29), at(2026, 10, 25))
    )
    assert (spring[0], spring[1] - spring[0]) == (at(2026, 3, 28, 23), timedelta(hours=23))
    assert (autumn[0], autumn[1] - autumn[0]) == (at(2026, 10, 24, 22), timedelta(hours=25))


def test_a_midnight_that_is_left_out_or_comes_twice_still_begins_the_day(database):
    """Cairo 2026-04-24 has no midnight; Havana 2025-11-02 has two; Apia had no 30 December 2011."""
    [cairo] = periods(database, "day", at(2026, 1, 1), "Africa/Cairo", [at(2026, 4, 24)])
    assert cairo[0] == datetime(2026, 4, 23, 22, tzinfo=UTC)
    [havana] = periods(database, "day", at(2026, 1, 1), "America/Havana", [datetime(2025, 11, 2, 4, 30, tzinfo=UTC)])
    assert havana == (datetime(2025, 11, 2, 4, tzinfo=UTC), datetime(2025, 11, 3, 5, tzinfo=UTC))
    [apia] = periods(database, "day", at(2026, 1, 1), "Pacific/Apia", [datetime(2011, 12, 30, 9, 59, tzinfo=UTC)])
    assert apia == (datetime(2011, 12, 29, 10, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC))


@pytest.mark.parametrize("period", ["day", "month", "year"])
def test_in_every_zone_each_moment_is_in_one_period_and_periods_follow_each_other(database, period):
    """A moment is in its period; the moment of its end is in the next, which begins there.

    A fifth of the zones, those whose days are hardest among them; names without a slash are abbreviations to Postgres.
    """
    known = 0
    hardest = ["Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe"]
    for number, zone in enumerate(hardest + sorted(one for one in available_timezones() if "/" in one)[::5]):
        anchor = at(2025, 1, 31) + timedelta(hours=number % 24)
        moments = [anchor + timedelta(hours=97 * step + number) for step in range(40)]
        try:
            found = periods(database, period, anchor, zone, moments)
        except Exception as error:
            if "not recognized" not in str(error):
                raise
            continue  # Python's list of zones has some that Postgres' has not.
        known += 1
        for moment, (start, end) in zip(moments, found, strict=True):
            assert start <= moment < end, (zone, moment)
        following = periods(database, period, anchor, zone, [end for _, end in found])
        before_end = periods(database, period, anchor, zone, [end - timedelta(microseconds=1) for _, end in found])
        assert [start for start, _ in following] == [end for _, end in found], zone
        assert before_end == found, zone
        if period == "day":
            first = [
                datetime.combine(moment.astimezone(ZoneInfo(zone)).date(), time(), ZoneInfo(zone)).astimezone(UTC)
                for moment in moments
            ]
            assert [start for start, _ in found] == first, zone
    assert known > 100
