"""A period beside another: only days that are over are compared, and as many of them on both sides."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.metrics.small_lake import money, sent

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)


@pytest.fixture
def daily(lake):
    """10 e-mails a day in January's first week, 5 a day in the week before, 2 a day a year before; 3 so far today."""
    for number in range(7):
        lake.add(
            "email_days",
            sent(date(2026, 1, 1) + timedelta(days=number), delivered=10, opened=5),
            sent(date(2025, 12, 25) + timedelta(days=number), delivered=5, opened=1),
            sent(date(2025, 1, 1) + timedelta(days=number), delivered=2, opened=2),
        )
    lake.add("email_days", sent(date(2026, 1, 8), delivered=3))
    return lake


def test_the_period_before_is_as_long(daily, asking):
    ask = asking(data_through=NOON)
    answer = ask.answer(["sent", "open_rate"], date(2026, 1, 1), date(2026, 1, 8), compare="previous")
    (row,) = answer.rows()
    assert (row["emails_sent"], row["emails_sent_before"], row["emails_sent_change"]) == (70, 35, 1.0)
    # Percentages change by points: from 20 % to 50 % is 30 points.
    assert row["open_rate_change"] == pytest.approx(0.3)
    assert answer.receipt.before == (date(2025, 12, 25), date(2026, 1, 1))
    assert answer.receipt.running_day is None


def test_a_running_day_is_shown_and_never_compared(daily, asking):
    ask = asking(data_through=NOON)
    answer = ask.answer("sent", date(2026, 1, 2), date(2026, 1, 9), compare="previous")
    (row,) = answer.rows()
    # Six complete days of 10 and 3 so far; six days before: one of 10, five of 5.
    assert row == {
        "emails_sent": 63,
        "emails_sent_complete": 60,
        "emails_sent_before": 35,
        "emails_sent_change": pytest.approx(25 / 35),
    }
    assert answer.receipt.running_day == date(2026, 1, 8)
    assert answer.receipt.compared == (date(2026, 1, 2), date(2026, 1, 8))
    assert "6 complete days" in " ".join(answer.receipt.caveats)


def test_the_running_day_is_a_day_of_the_reporting_zone(lake, asking):
    """At 20:00 UTC it is the next day already in Kolkata, five and a half hours ahead."""
    lake.zone = "Asia/Kolkata"
    lake.add("email_days", sent(date(2026, 1, 8), delivered=1))
    ask = asking(data_through=datetime(2026, 1, 8, 20, tzinfo=UTC))
    assert ask.answer("sent", date(2026, 1, 8), date(2026, 1, 9)).receipt.running_day is None
    assert ask.answer("sent", date(2026, 1, 8), date(2026, 1, 10)).receipt.running_day == date(2026, 1, 9)


def test_a_year_ago_are_the_same_dates(daily, asking):
    answer = asking().answer("sent", date(2026, 1, 1), date(2026, 1, 8), compare="year")
    (row,) = answer.rows()
    assert (row["emails_sent"], row["emails_sent_before"], row["emails_sent_change"]) == (70, 14, 4.0)


def test_a_leap_day_is_told(lake, asking):
    lake.add("email_days", sent(date(2028, 2, 29), delivered=1))
    ask = asking(data_through=datetime(2030, 1, 1, tzinfo=UTC))
    answer = ask.answer("sent", date(2029, 2, 1), date(2029, 3, 1), compare="year")
    assert answer.value("emails_sent_before") == 1
    assert "29 days" in " ".join(answer.receipt.caveats)


@pytest.mark.parametrize("compare", ["previous", "year"])
def test_days_stand_under_the_days_that_they_are_compared_with(daily, asking, compare):
    rows = asking().rows("sent", date(2026, 1, 1), date(2026, 1, 8), by="day", compare=compare)
    assert [row["day"].day for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert {row["emails_sent"] for row in rows} == {10}
    assert {row["emails_sent_before"] for row in rows} == {5 if compare == "previous" else 2}


def test_what_was_there_only_before_is_shown_with_nothing_now(lake, asking):
    lake.add("email_days", sent(date(2025, 12, 30), 2, delivered=4))
    rows = asking().rows("sent", date(2026, 1, 1), date(2026, 1, 8), by="campaign", compare="previous")
    assert [(row["campaign_name"], row["emails_sent"], row["emails_sent_change"]) for row in rows] == [
        ("Landing", 0, -1.0)
    ]


def test_from_nothing_there_is_no_change_to_tell(lake, asking):
    lake.add("email_days", sent(date(2026, 1, 3), delivered=4))
    (row,) = asking().rows("sent", date(2026, 1, 1), date(2026, 1, 8), compare="previous")
    assert (row["emails_sent_before"], row["emails_sent_change"]) == (0, None)


def test_a_period_of_the_running_day_alone_has_nothing_to_compare(daily, asking):
    answer = asking(data_through=NOON).answer("sent", date(2026, 1, 8), date(2026, 1, 9), compare="previous")
    assert (answer.value("sent"), answer.value("emails_sent_change")) == (3, None)
    assert "nothing to compare" in " ".join(answer.receipt.caveats)


def test_stocks_and_people_are_compared_too(lake, asking):
    lake.add(
        "audience_days",
        {"workspace_code": 1, "day": date(2025, 12, 1), "contacts_added": 8},
        {"workspace_code": 1, "day": date(2026, 1, 2), "contacts_added": 2},
    )
    lake.add(
        "email_contact_days", {"workspace_code": 1, "contact_code": 1, "day": date(2026, 1, 2), "opened_events": 1}
    )
    (row,) = asking().rows(["contacts", "unique_openers"], date(2026, 1, 1), date(2026, 1, 8), compare="previous")
    assert (row["contacts"], row["contacts_before"], row["contacts_change"]) == (10, 8, 0.25)
    assert (row["unique_openers"], row["unique_openers_before"]) == (1, 0)


def test_two_years_and_the_two_a_year_ago_share_a_year(lake, asking):
    """1 in 2024, 2 in 2025, 4 in 2026: the last two years have 6, the two a year before 3."""
    for year, number in ((2024, 1), (2025, 2), (2026, 4)):
        lake.add("email_days", sent(date(year, 3, 1), delivered=number))
    ask = asking()
    (row,) = ask.rows("sent", date(2025, 1, 1), date(2026, 6, 1), compare="year")
    assert (row["emails_sent"], row["emails_sent_before"]) == (6, 3)
    rows = ask.rows("sent", date(2025, 1, 1), date(2026, 6, 1), compare="year", by="year")
    assert [(row["emails_sent"], row["emails_sent_before"]) for row in rows] == [(2, 1), (4, 2)]


def test_what_came_and_what_went_before_do_not_cancel_each_other(lake, asking):
    """100 now and a credit note of 100 before are two things to show."""
    for day, amount in ((date(2026, 1, 3), "100"), (date(2025, 12, 30), "-100")):
        lake.add(
            "revenue_days", {"workspace_code": 1, "day": day, "currency": "USD", "recognised_revenue": money(amount)}
        )
    (row,) = asking().rows("revenue", date(2026, 1, 1), date(2026, 1, 8), by="workspace", compare="previous")
    assert (row["recognised_revenue"], row["recognised_revenue_before"]) == (100, -100)
