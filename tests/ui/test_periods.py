"""Periods by name, and the grain that suits them."""

from datetime import date

import pytest

from app.ui.periods import AUTOMATIC, PRESETS, grain_for, preset_of

LAST = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("Last 7 days", (date(2026, 2, 23), date(2026, 3, 2))),
        ("This month", (date(2026, 3, 1), date(2026, 3, 2))),
        ("Last month", (date(2026, 2, 1), date(2026, 3, 1))),
        ("This year", (date(2026, 1, 1), date(2026, 3, 2))),
    ],
)
def test_a_period_ends_with_the_last_day_that_has_data(name, days):
    assert PRESETS[name](LAST) == days


def test_a_page_names_its_usual_period_by_days():
    assert preset_of(28) == "Last 28 days"


def test_a_grain_gives_a_chart_some_dozens_of_points():
    grains = ("day", "week", "month")
    assert [grain_for(AUTOMATIC, days, grains) for days in (7, 90, 365, 2000)] == ["day", "day", "week", "month"]
    assert grain_for("month", 7, grains) == "month"
    assert grain_for(AUTOMATIC, 7, ("hour", "week")) == "week"


def test_hours_are_for_a_fortnight_at_most():
    grains = ("hour", "day", "week")
    assert [grain_for("hour", days, grains) for days in (1, 14, 15, 365)] == ["hour", "hour", "day", "week"]
