"""Figures, days and names are written the same everywhere."""

from datetime import date
from decimal import Decimal

import pytest

from app.metrics.dimensions import dimension
from app.metrics.glossary import metric, metrics
from app.metrics.metric import Unit
from app.ui import words


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1234567, Unit.COUNT, "1,234,567"),
        (Decimal("1234.565"), Unit.MONEY, "1,234.56 EUR"),
        (Decimal("0.00123"), Unit.MONEY, "0.0012 EUR"),
        (Decimal("0.0000123"), Unit.MONEY, "0.000012 EUR"),
        (-0.00000015, Unit.MONEY, "-0.00000015 EUR"),
        (0.25, Unit.PERCENT, "25.00 %"),
        (3.084, Unit.TIMES, "3.08×"),
        (1.5, Unit.SECONDS, "1.50 s"),
        (Decimal("2.5"), Unit.NUMBER, "2.50"),
        (None, Unit.MONEY, "–"),
    ],
)
def test_a_figure_is_written_with_its_unit(value, unit, told):
    assert words.figure(value, unit, "EUR") == told


def test_a_rate_changes_by_points_and_a_count_by_per_cent():
    """From 48.34 % to 48.20 % are 0.14 points, and not 0.14 %."""
    assert words.change(-0.0014, Unit.PERCENT) == "0.14 points"
    assert words.change(0.5, Unit.COUNT) == "50.0 %"


def test_ticks_have_as_many_places_as_their_step():
    assert words.tick(0.25, Unit.PERCENT, 0.05, 0.3) == "25 %"
    assert words.tick(0.025, Unit.PERCENT, 0.025, 0.1) == "2.5 %"
    assert words.tick(20_000, Unit.COUNT, 5_000, 25_000) == "20 k"
    assert words.tick(2_500_000, Unit.MONEY, 500_000, 2_500_000) == "2.5 M"


def test_all_ticks_of_an_axis_are_in_the_same_size():
    written = [words.tick(value, Unit.COUNT, 2_500, 10_000) for value in (0, 2_500, 5_000, 7_500, 10_000)]
    assert written == ["0", "2.5 k", "5.0 k", "7.5 k", "10.0 k"]


@pytest.mark.parametrize("name", metrics())
def test_every_metric_has_a_name_that_people_read(name):
    told = words.title(metric(name))
    assert "_" not in told
    assert told[0].isupper() or told[0].isdigit() or told.startswith("p")


def test_values_are_told_by_name():
    assert words.value_of(dimension("product"), "craft_ads") == "CraftAds"
    assert words.value_of(dimension("weekday"), 7) == "Sun"
    assert words.value_of(dimension("hour"), 9) == "09:00"
    assert words.value_of(dimension("quarter"), date(2026, 4, 1)) == "Q2 2026"
    assert words.value_of(dimension("domain"), None) == "(none)"
