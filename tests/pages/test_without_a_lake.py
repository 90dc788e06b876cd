"""Pages without figures say so, and what to do: each view of the team's pages, where the lake is gone or broken."""

import pytest

from app.lake.lake import LATEST
from app.settings import settings
from tests.pages.every_view import TEAM_PAGES, every_view


@pytest.fixture
def gone(pages, monkeypatch, tmp_path):
    """Another folder takes the lake's place."""
    monkeypatch.setenv("SIGHTLINE_LAKE", str(tmp_path / "lake"))
    settings.cache_clear()
    yield tmp_path / "lake"
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("what", ["missing", "damaged"])
@pytest.mark.parametrize("name", TEAM_PAGES)
def test_no_view_fails_and_the_badge_is_red(pages, gone, name, what):
    if what == "damaged":
        gone.mkdir()
        (gone / LATEST).write_text("{")
    for view, page in every_view(pages, name):
        drawn = "".join(one.proto.body for one in page.get("html"))
        assert 'class="sl-badge red"' in drawn, (name, view)
        assert "<code>sightline refresh" in drawn, (name, view)
        assert "`" not in drawn, (name, view)
