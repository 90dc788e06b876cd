"""How late figures are is told by a colour and a sentence, and what mends it is named."""

from datetime import UTC, datetime, timedelta

import pytest

from app.lake.lake import LATEST, the_lake
from app.settings import settings
from app.ui import freshness as shown
from app.ui.freshness import badge, freshness
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A home in which no lake lies."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def loaded(elsewhere, asking, monkeypatch):  # noqa: F811 - fixtures
    """Figures that tell everything up to so many minutes ago."""

    def load(minutes):
        desk = asking(data_through=datetime.now(UTC) - timedelta(minutes=minutes)).desk
        monkeypatch.setattr(shown, "the_desk", lambda: desk)

    return load


@pytest.mark.parametrize(("minutes", "colour"), [(14, "green"), (16, "amber"), (119, "amber"), (121, "red")])
def test_a_quarter_of_an_hour_is_late_and_two_hours_are_very_late(loaded, minutes, colour):
    loaded(minutes)
    fresh = freshness(None)
    assert fresh.colour == colour
    told = badge(fresh)
    assert ("late" in told) is (colour != "green")
    assert ("<code>sightline refresh</code>" in told) is (colour != "green")
    assert (f'class="sl-badge {colour}"' in told) is (colour != "green")


def test_a_pinned_version_is_never_late(loaded):
    loaded(60 * 24 * 90)
    fresh = freshness(1)
    assert (fresh.colour, fresh.is_pinned) == ("green", True)
    assert "Pinned to version 1" in badge(fresh)
    assert "late" not in badge(fresh)


def test_where_no_figures_are_it_says_how_they_are_made(elsewhere):
    assert freshness(None).colour == "red"
    told = badge(freshness(None))
    assert 'class="sl-badge red"' in told
    assert "<code>sightline refresh</code>" in told


def test_what_can_not_be_read_is_said_also_by_whoever_holds_older_figures(loaded):
    """Old answers stay: nobody should take them for the newest."""
    loaded(1)
    newest = the_lake().folder / LATEST
    newest.parent.mkdir(parents=True)
    newest.write_text("{")
    fresh = freshness(None)
    assert fresh.colour == "red"
    assert "<code>sightline refresh --rebuild</code>" in badge(fresh)
