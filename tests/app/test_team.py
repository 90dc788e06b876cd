"""People are added by those who may, once each, and the audit says who did it without their secret."""

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Permission, Role, Viewer, all_workspaces, operator
from app.commands.team import add_member, members
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import workspace
from tests.servers import new_database

PASSWORD = "four random canary words"


@pytest.fixture(scope="module")
def team(server18):
    """One database for all: each test adds people of its own."""
    with new_database(server18) as fresh:
        yield fresh


@pytest.fixture
def admin(team):
    return operator(team.pipe, "Ada the admin")


def add(team, by, email, **changed):
    return add_member(team.rw, by, **{"email": email, "password": PASSWORD, "roles": [Role.VIEWER], **changed})


def stored(team, email):
    with team.setup.connect() as connection:
        return (
            connection.execute(text("SELECT * FROM team_members WHERE email = :email"), {"email": email})
            .mappings()
            .one()
        )


def refusal(team, by, email="new@team.example", **changed):
    """Why the person is not added; nothing is left of the attempt."""
    with team.setup.connect() as connection:
        before = connection.scalar(text("SELECT count(*) FROM team_members"))
    with pytest.raises(SightlineError) as caught:
        add(team, by, email, **changed)
    assert PASSWORD not in str(caught.value)
    with team.setup.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM team_members")) == before
    return caught.value


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_an_admin_may_add_people_or_see_who_is_there(team, role):
    by = Viewer("Vic", frozenset({role}), frozenset())
    error = refusal(team, by)
    assert isinstance(error, NotPermittedError)
    assert error.why == f"The roles {role} do not include it."
    with pytest.raises(NotPermittedError):
        members(team.rw, by)


def test_nobody_without_a_role_may_do_anything():
    nobody = Viewer("Nobody", frozenset(), frozenset())
    assert [permission for permission in Permission if nobody.may(permission)] == []


def test_an_admin_may_do_everything(admin):
    assert all(admin.may(permission) for permission in Permission)


def test_a_person_is_kept_with_a_hash_and_never_with_the_password(team, admin):
    add(team, admin, "hash@team.example", name="Hash", roles=[Role.FINANCE, Role.VIEWER, Role.VIEWER])
    kept = stored(team, "hash@team.example")
    assert kept["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (kept["name"], kept["roles"], kept["workspace_ids"]) == ("Hash", ["finance", "viewer"], None)
    assert PASSWORD not in str(dict(kept))


def test_without_a_password_there_is_no_hash(team, admin):
    add(team, admin, "single-sign-on@team.example", password=None)
    assert stored(team, "single-sign-on@team.example")["password_hash"] is None


def test_the_audit_names_who_added_whom_and_holds_neither_password_nor_hash(team, admin):
    key = add(team, admin, "audited@team.example")
    with team.setup.connect() as connection:
        rows = (
            connection.execute(
                text("SELECT * FROM audit_log WHERE table_name = 'team_members' AND CAST(row_key AS text) LIKE :key"),
                {"key": f"%{key}%"},
            )
            .mappings()
            .all()
        )
    assert [row["actor"] for row in rows] == ["Ada the admin"]
    assert "audited@team.example" in str(rows)
    assert "argon2" not in str(rows)
    assert PASSWORD not in str(rows)


def test_an_address_is_there_once_however_it_is_written(team, admin):
    add(team, admin, "Once@Team.example")
    assert "is in the team already" in refusal(team, admin, "once@tEAM.example").what


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@team.example", "ada@team", "a da@team.example", "ada@team.example\n"]
)
def test_what_is_no_address_is_refused(team, admin, email):
    assert "is not an e-mail address" in refusal(team, admin, email).what


def test_a_short_password_is_refused_and_twelve_characters_are_enough(team, admin):
    assert refusal(team, admin, password="x" * 11).why == "It has 11 characters; at least 12 are needed."
    add(team, admin, "twelve@team.example", password="x" * 12)


def test_a_person_needs_a_role(team, admin):
    assert refusal(team, admin, roles=[]).what == "A person needs a role."


def test_a_limited_person_is_kept_with_the_workspaces_and_listed_with_their_names(team):
    with team.setup.begin() as connection:
        first, second = workspace(connection, slug="first"), workspace(connection, slug="second")
    by = operator(team.pipe, "Ada the admin")
    add(team, by, "limited@team.example", workspace_slugs=["second", "first"])
    assert sorted(stored(team, "limited@team.example")["workspace_ids"]) == sorted([first.id, second.id])
    listed = {one.email: one.workspaces for one in members(team.rw, by)}
    assert listed["limited@team.example"] == ("first", "second")


def test_a_workspace_that_does_not_exist_is_named(team, admin):
    assert refusal(team, admin, workspace_slugs=["nowhere"]).what == "No workspace is called nowhere."


def test_nobody_is_limited_to_a_workspace_that_the_adder_does_not_see(team):
    with team.setup.begin() as connection:
        workspace(connection, slug="hidden")
    by = Viewer("Ada", frozenset({Role.ADMIN}), frozenset())
    assert refusal(team, by, workspace_slugs=["hidden"]).what == "No workspace is called hidden."


def test_the_list_is_in_order_and_leaves_out_who_was_removed(team, admin):
    for email in ("list-b@team.example", "List-A@team.example", "list-gone@team.example"):
        add(team, admin, email)
    with seeing(team.rw, admin.workspaces, actor="test") as connection:
        connection.execute(text("UPDATE team_members SET deleted_at = now() WHERE email = 'list-gone@team.example'"))
    listed = [one.email for one in members(team.rw, admin) if one.email.lower().startswith("list-")]
    assert listed == ["List-A@team.example", "list-b@team.example"]


def test_the_operator_sees_every_workspace_but_the_deleted_and_the_house(team):
    with team.setup.begin() as connection:
        kept, gone = workspace(connection), workspace(connection)
        connection.execute(text("UPDATE workspaces SET deleted_at = now() WHERE id = :key"), {"key": gone.id})
        house = connection.scalar(text("SELECT id FROM workspaces WHERE kind = 'house'"))
    seen = all_workspaces(team.pipe)
    assert kept.id in seen
    assert not {gone.id, house} & seen
