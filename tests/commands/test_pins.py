"""Pinning a version keeps it for good: it is told in the audit log who did, and nobody pins without end."""

import pytest
from sqlalchemy import text

from app.commands import pins
from app.commands.pins import MOST_PINS, TooManyPinsError, pin_version
from app.commands.views import delete_view, views
from tests.commands.test_remarks_and_views import team  # noqa: F401 - a fixture


@pytest.fixture
def kept(monkeypatch):
    """The versions that the lake was asked to keep."""
    asked = []
    monkeypatch.setattr(pins, "keep_version", asked.append)
    monkeypatch.setattr(pins, "require_version", lambda _: None)
    return asked


def pin(team, who, version):  # noqa: F811 - a fixture
    database, people, _ = team
    pin_version(database.rw, people[who], page="ads", version=version, query=[("period", "Last 7 days")])


def test_a_pinned_version_stands_among_ones_views_and_in_the_audit_log(team, kept):  # noqa: F811 - a fixture
    database, people, slugs = team
    pin(team, "ada", 7)
    [view] = views(database.ro, people["ada"], "ads", slugs)
    assert (view.name, view.address) == ("Pinned to version 7", "period=Last+7+days&as_of=7")
    with database.setup.connect() as connection:
        told = connection.execute(
            text("SELECT actor, action, after ->> 'name' FROM audit_log WHERE table_name = 'saved_views'")
        ).all()
    assert [tuple(row) for row in told] == [("ada@team.example", "insert", "Pinned to version 7")]
    assert kept == [7]


def test_nobody_pins_without_end_and_everybody_has_pins_of_their_own(team, kept):  # noqa: F811 - a fixture
    """Twenty within thirty days, also when their views are forgotten; what one has pinned already is no new one."""
    database, people, slugs = team
    for number in range(MOST_PINS):
        pin(team, "ada", number)
    for view in views(database.ro, people["ada"], "ads", slugs):
        delete_view(database.rw, people["ada"], view.id)
    with pytest.raises(TooManyPinsError, match="you have pinned 20 within 30 days"):
        pin(team, "ada", MOST_PINS)
    pin(team, "ada", 3)
    pin(team, "bob", MOST_PINS)
    assert kept == [*range(MOST_PINS), 3, MOST_PINS]
    with database.setup.begin() as connection:
        connection.execute(text("ALTER TABLE saved_views DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE saved_views SET created_at = created_at - INTERVAL '31 days'"))
    pin(team, "ada", MOST_PINS)
