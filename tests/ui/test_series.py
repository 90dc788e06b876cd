"""Lines and bars: which points there are, whose they are, and what was noted on them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from app.metrics.dimensions import dimension
from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.ui import field, plots, words
from app.ui.field import HEIGHT
from app.ui.grid import mood
from app.ui.scope import Note
from app.ui.series import OverTime, Series, next_of, over_time

MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)
MIDNIGHT = datetime.combine(MONDAY, time())
# In Berlin it is a quarter past two in the afternoon.
QUARTER_PAST_ONE = datetime(2026, 3, 10, 13, 15, tzinfo=UTC)


def answer(rows, by, *, through=QUARTER_PAST_ONE, running=TUESDAY, zone="Europe/Berlin"):
    receipt = SimpleNamespace(period=(MONDAY, date(2026, 3, 16)), data_through=through, running_day=running, zone=zone)
    table = SimpleNamespace(column_names=())
    return SimpleNamespace(rows=lambda: rows, by=[dimension(one) for one in by], receipt=receipt, table=table)


def test_hours_that_have_not_come_are_no_points():
    shown = over_time(answer([{"day": MONDAY, "hour": 0, "views": 4}], ("day", "hour")), [metric("views")])
    assert (shown.points[0], shown.points[-1]) == (MIDNIGHT, MIDNIGHT + timedelta(hours=38))
    assert shown.running == len(shown.points) - 1 == 24 + 14
    assert shown.series[0].values == (4.0, *[0.0] * 38)


def test_an_hour_that_is_just_over_is_the_last_one():
    through = datetime(2026, 3, 10, 13, tzinfo=UTC)
    shown = over_time(answer([], ("day", "hour"), through=through), [metric("views")])
    assert shown.points[-1] == MIDNIGHT + timedelta(hours=37)


def test_two_campaigns_of_one_name_are_two_lines():
    rows = [
        {"day": MONDAY, "campaign": f"0197-{key}", "campaign_name": name, "views": views}
        for key, name, views in (("aaaaaaaa", "Sale", 5), ("bbbbbbbb", "Sale", 3), ("cccccccc", "Other", 1))
    ]
    shown = over_time(answer(rows, ("day", "campaign")), [metric("views")])
    assert {one.name: one.values for one in shown.series} == {
        "Sale (…aaaaaaaa)": (5.0, 0.0),
        "Sale (…bbbbbbbb)": (3.0, 0.0),
        "Other": (1.0, 0.0),
    }


def test_things_of_one_name_in_two_dimensions_are_told_apart():
    told = words.told_apart({("k1", "mailer"): "A", ("k2", "mailer"): "A", ("k3", None): "B"})
    assert list(told.values()) == ["A (…k1 · mailer)", "A (…k2 · mailer)", "B"]


@pytest.mark.parametrize(
    ("grain", "point", "following"),
    [
        ("hour", date(2026, 1, 31), date(2026, 2, 1)),
        ("day", date(2026, 1, 31), date(2026, 2, 1)),
        ("week", MONDAY, date(2026, 3, 16)),
        ("month", date(2026, 1, 1), date(2026, 2, 1)),
        ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2024, 1, 1), date(2025, 1, 1)),
    ],
)
def test_one_stretch_begins_where_the_one_before_ends(grain, point, following):
    assert next_of(grain, point) == following


def test_a_remark_on_the_last_day_of_a_month_is_on_that_month_alone():
    note = Note("Sale", date(2026, 1, 31), date(2026, 1, 31))
    months = (date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1))
    assert [field._is_noted(note, month, "month") for month in months] == [False, True, False]


def test_a_change_that_is_shown_is_good_or_bad():
    """0.04 points of a rate are shown; 0.04 % of a count are shown as nothing."""
    assert mood(metric("open_rate"), 0.0004) == "sl-good"
    assert mood(metric("open_rate"), 0.00004) == "sl-muted"
    assert mood(metric("views"), 0.0004) == "sl-muted"


def test_what_is_below_zero_hangs_from_there_and_lifts_nothing_above_it():
    """2 and 6, and 4 with -4 in the day after: on a scale from -5 to 10, columns from 0 to 8, and from -4 to 4."""
    shown = OverTime(
        "day",
        (MONDAY, TUESDAY),
        (Series("paid", Unit.MONEY, (2.0, -4.0)), Series("open", Unit.MONEY, (6.0, 4.0))),
        None,
    )
    drawn = unquote(plots.stacked(shown, label="Invoiced", columns=True))
    edges = [
        (round(1 - (float(top) + float(high)) / HEIGHT, 2), round(1 - float(top) / HEIGHT, 2))
        for top, high in re.findall(r'y="([\d.]+)" height="([\d.]+)"', drawn)
    ]
    low, high = 5 / 15, 1 / 15
    assert edges == [
        (round(low + since * high, 2), round(low + until * high, 2))
        for since, until in ((0, 2), (-4, 0), (2, 8), (0, 4))
    ]
