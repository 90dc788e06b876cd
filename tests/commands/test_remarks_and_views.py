"""Remarks and saved views: written by one, read by those who may, and kept in the audit log."""

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.commands.annotations import change_remark, delete_remark, remarks, write_remark
from app.commands.stale import StaleEditError
from app.commands.views import delete_view, save_view, views
from db.errors import SightlineError
from tests.db import rows

DAY, NEXT = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def team(database):
    """Two workspaces, and three people: Ada sees both, Bob and Cy one each."""
    with database.setup.begin() as connection:
        homes = [rows.workspace(connection).id for _ in range(2)]
        people = {}
        for name, role, seen in (("ada", "admin", None), ("bob", "viewer", homes[:1]), ("cy", "viewer", homes[1:])):
            key = connection.scalar(
                text(
                    "INSERT INTO team_members (email, name, roles, workspace_ids)"
                    " VALUES (:email, :name, ARRAY[:role], :seen) RETURNING id"
                ),
                {"email": f"{name}@team.example", "name": name, "role": role, "seen": seen},
            )
            people[name] = Viewer(
                f"{name}@team.example", frozenset({Role(role)}), frozenset(seen or homes), UUID(str(key))
            )
        slugs = [connection.scalar(text("SELECT slug FROM workspaces WHERE id = :id"), {"id": home}) for home in homes]
    return database, people, slugs


def engine_of(team):
    """As the app's role, whose rows are limited by the database besides."""
    return team[0].rw


def told(team, who, **where):
    return [one.text for one in remarks(engine_of(team), team[1][who], DAY, NEXT, where)]


def test_a_remark_is_read_by_those_who_see_its_workspace(team):
    _, people, slugs = team
    write_remark(engine_of(team), people["ada"], text="For all", starts_on=DAY)
    write_remark(engine_of(team), people["ada"], text="Of the first", starts_on=DAY, workspace_slug=slugs[0])
    assert told(team, "ada") == ["For all", "Of the first"]
    assert told(team, "bob") == ["For all", "Of the first"]
    assert told(team, "cy") == ["For all"]
    assert told(team, "ada", workspace=[slugs[1]]) == ["For all"]


def test_who_is_limited_writes_of_their_own_workspaces_alone(team):
    _, people, slugs = team
    with pytest.raises(SightlineError, match="Choose a workspace"):
        write_remark(engine_of(team), people["bob"], text="To everyone", starts_on=DAY)
    with pytest.raises(SightlineError, match="No workspace that you see"):
        write_remark(engine_of(team), people["bob"], text="Of others", starts_on=DAY, workspace_slug=slugs[1])


def test_a_remark_is_changed_by_its_author_or_an_admin_and_never_unseen(team):
    _, people, slugs = team
    key = write_remark(engine_of(team), people["bob"], text="Lanch", starts_on=DAY, workspace_slug=slugs[0])
    change_remark(engine_of(team), people["bob"], key, revision=1, text="Launch", starts_on=DAY)
    with pytest.raises(StaleEditError, match="It now says: “Launch”"):
        change_remark(engine_of(team), people["ada"], key, revision=1, text="Start", starts_on=DAY)
    with pytest.raises(SightlineError):
        delete_remark(engine_of(team), people["cy"], key, revision=2)
    delete_remark(engine_of(team), people["ada"], key, revision=2)
    assert told(team, "bob") == []


def test_a_remark_on_a_campaign_is_of_its_workspace_and_stands_there_alone(team):
    database, people, slugs = team
    with database.setup.begin() as connection:
        home = connection.scalar(text("SELECT id FROM workspaces WHERE slug = :slug"), {"slug": slugs[0]})
        mine, other = (rows.campaign(connection, home, "email", name=name).id for name in ("Spring", "Autumn"))
    write_remark(engine_of(team), people["bob"], text="A new letter", starts_on=DAY, campaign_id=mine)
    assert told(team, "bob", campaign=[str(mine)]) == ["A new letter"]
    assert told(team, "bob", campaign=[str(other)]) == told(team, "bob") == []
    assert told(team, "cy", campaign=[str(mine)]) == []
    [found] = remarks(engine_of(team), people["ada"], DAY, NEXT, {"campaign": [mine]})
    assert (found.campaign, found.workspace is not None) == ("Spring", True)
    for who, more in (("cy", {}), ("ada", {"workspace_slug": slugs[1]})):
        with pytest.raises(SightlineError, match="No campaign that you see"):
            write_remark(engine_of(team), people[who], text="Of it", starts_on=DAY, campaign_id=mine, **more)


def test_a_remark_on_a_channel_stands_where_the_channel_does(team):
    write_remark(engine_of(team), team[1]["ada"], text="Of ads", starts_on=DAY, channel="ads")
    assert told(team, "ada") == told(team, "ada", channel=["ads"]) == ["Of ads"]
    assert told(team, "ada", channel=["web"]) == []


@pytest.mark.parametrize("words", ["", " \n\t", "x" * 301])
def test_a_remark_says_something_short(team, words):
    with pytest.raises(SightlineError, match="remark"):
        write_remark(engine_of(team), team[1]["ada"], text=words, starts_on=DAY)


def test_a_teams_view_names_nothing_that_its_reader_may_not_see(team):
    _, people, _ = team
    engine = engine_of(team)
    save_view(engine, people["ada"], page="email", name="Plain", query=[("period", "Last 7 days")], is_shared=True)
    save_view(engine, people["ada"], page="email", name="Of Acme", query=[("workspace", "Acme")], is_shared=True)
    save_view(engine, people["ada"], page="email", name="Domain", query=[("domain", "secret.example")], is_shared=True)
    save_view(engine, people["ada"], page="email", name="Private", query=[])
    assert [one.name for one in views(engine, people["bob"], "email", {"Acme"})] == ["Of Acme", "Plain"]
    assert [one.name for one in views(engine, people["cy"], "email", {"Birch"})] == ["Plain"]
    assert len(views(engine, people["ada"], "email", ())) == 4
    assert views(engine, people["ada"], "ads", ()) == []


def test_one_view_of_a_page_opens_by_itself_and_only_for_its_owner(team):
    _, people, _ = team
    engine = engine_of(team)
    first = save_view(engine, people["ada"], page="email", name="First", query=[], is_shared=True, is_default=True)
    save_view(engine, people["ada"], page="email", name="Second", query=[], is_shared=True, is_default=True)
    assert [one.name for one in views(engine, people["ada"], "email", ()) if one.is_default] == ["Second"]
    assert [one.name for one in views(engine, people["bob"], "email", ()) if one.is_default] == []
    with pytest.raises(NotPermittedError):
        delete_view(engine, people["bob"], first)
    delete_view(engine, people["ada"], first)
    assert [one.name for one in views(engine, people["bob"], "email", ())] == ["Second"]


def test_the_audit_log_knows_who_wrote_what(team):
    database, people, _ = team
    write_remark(engine_of(team), people["ada"], text="A launch", starts_on=DAY)
    save_view(engine_of(team), people["ada"], page="email", name="Mine", query=[("period", "Last 7 days")])
    with database.setup.connect() as connection:
        kept = connection.execute(
            text(
                "SELECT actor, action, after ->> 'text', after ->> 'name' FROM audit_log"
                " WHERE table_name IN ('annotations', 'saved_views') ORDER BY position"
            )
        ).all()
    assert kept == [("ada@team.example", "insert", "A launch", None), ("ada@team.example", "insert", None, "Mine")]
