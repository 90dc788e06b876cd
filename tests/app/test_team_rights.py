"""What people of the team may do is changed with a reason, and never so that nobody could change it any more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.commands import team_rights
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.commands.team import add_member, members
from app.commands.team_rights import Rights
from app.identity.accounts import SignInRefusedError, sign_in
from app.identity.sessions import Device, person_of
from db.errors import SightlineError
from tests.db.rows import workspace

PASSWORD = "a long enough password"


@pytest.fixture
def team(database):
    """Two admins of everything, one of one workspace, and somebody of finance."""
    with database.setup.begin() as connection:
        shop, other = workspace(connection, slug="shop").id, workspace(connection, slug="other").id
    by = Viewer("set-up", frozenset({Role.ADMIN}), frozenset({shop, other}))
    keys = {}
    for name, roles, scope in (
        ("ada", [Role.ADMIN], ()), ("ben", [Role.ADMIN], ()), ("lin", [Role.ADMIN], ("shop",)),
        ("fay", [Role.FINANCE], ("shop",)), ("vic", [Role.VIEWER], ()),
    ):  # fmt: skip
        keys[name] = add_member(database.rw, by, email=f"{name}@team.example", password=PASSWORD, roles=roles,
            workspace_slugs=scope)  # fmt: skip
    return Team(database, keys, frozenset({shop, other}))


class Team:
    def __init__(self, database, keys, workspaces):
        self.database, self.keys, self.workspaces = database, keys, workspaces

    def viewer(self, name, role=Role.ADMIN):
        return Viewer(f"{name}@team.example", frozenset({role}), self.workspaces, self.keys[name])

    def seen(self, name, by="ada"):
        return next(one for one in members(self.database.rw, self.viewer(by)) if one.id == self.keys[name])

    def rights(self, name):
        one = self.seen(name)
        return Rights(one.name, one.roles, one.workspaces)

    def change(self, name, wanted, by="ada", revision=None, made_on=None):
        revision = revision or self.seen(name).revision
        team_rights.change_member(self.database.rw, self.viewer(by), self.keys[name], wanted, revision=revision,
            reason="x", made_on=made_on)  # fmt: skip

    def do(self, what, name, by="ada", **more):
        if what != "end_sessions":
            more = {"revision": self.seen(name).revision, **more}
        act = getattr(team_rights, what)
        return act(self.database.rw, self.viewer(by), self.keys[name], **{"reason": "x", **more})

    def token(self, name, password=PASSWORD):
        return sign_in(self.database.rw, f"{name}@team.example", password, Device())


def test_roles_name_and_workspaces_are_changed_and_the_audit_says_why(team):
    team.change("vic", Rights("Vic", ("finance", "viewer"), ("other", "shop")))
    assert team.rights("vic") == Rights("Vic", ("finance", "viewer"), ("other", "shop"))
    team.change("vic", Rights("Vic", ("viewer",), None))
    assert team.rights("vic") == Rights("Vic", ("viewer",), None)
    with team.database.setup.connect() as connection:
        told = connection.execute(text("SELECT actor, reason, after FROM audit_log WHERE table_name = 'team_members'"
            " AND action = 'update' ORDER BY position")).all()  # fmt: skip
    assert [(one.actor, one.reason) for one in told] == [("ada@team.example", "x")] * 2
    assert told[0].after["roles"] == ["finance", "viewer"]


def test_who_is_deactivated_is_out_at_once_and_comes_back_without_the_old_sessions(team):
    token = team.token("fay")
    assert team.seen("fay").sessions == 1
    team.do("deactivate_member", "fay")
    assert person_of(team.database.rw, token) is None
    with pytest.raises(SignInRefusedError):
        team.token("fay")
    team.do("reactivate_member", "fay")
    assert person_of(team.database.rw, token) is None
    assert person_of(team.database.rw, team.token("fay")).roles == {Role.FINANCE}


def test_sessions_are_ended_and_a_new_password_ends_them_and_is_in_no_audit(team):
    first = team.token("vic")
    team.do("end_sessions", "vic")
    assert person_of(team.database.rw, first) is None
    second = team.token("vic")
    fresh = team.do("reset_password", "vic")
    assert person_of(team.database.rw, second) is None
    with pytest.raises(SignInRefusedError):
        team.token("vic")
    assert person_of(team.database.rw, team.token("vic", fresh)) is not None
    with team.database.setup.connect() as connection:
        audit = str(connection.execute(text("SELECT * FROM audit_log")).all())
    assert fresh not in audit
    assert "argon2" not in audit


def test_the_last_admin_of_everything_stays_one_whoever_tries(team):
    team.change("ben", Rights(None, ("viewer",), None))
    for attempt in (
        lambda: team.change("ada", Rights(None, ("finance",), None)),
        lambda: team.change("ada", Rights(None, ("admin",), ("shop",))),
        lambda: team.do("deactivate_member", "ada"),
    ):
        with pytest.raises(SightlineError, match="is the last admin who sees every workspace"):
            attempt()
    team.change("ben", Rights(None, ("admin",), None))
    team.do("deactivate_member", "ada")
    assert not team.seen("ada", by="ben").is_active


@pytest.mark.parametrize("what", ["change_member", "deactivate_member"])
def test_two_admins_who_take_each_others_role_at_once_leave_one(team, what):
    """Ten times, each from the beginning: whoever is second is refused."""
    for _ in range(10):
        both = Barrier(2)
        revisions = {name: team.seen(name, by="ada").revision for name in ("ada", "ben")}

        def take(by, other, revisions=revisions, both=both):
            both.wait()
            try:
                if what == "change_member":
                    team.change(other, Rights(None, ("viewer",), None), by=by, revision=revisions[other])
                else:
                    team.do(what, other, by=by, revision=revisions[other])
            except SightlineError as refusal:
                return refusal.what
            return "done"

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(take, ("ada", "ben"), ("ben", "ada")))
        assert sorted(answers).count("done") == 1, answers
        with team.database.setup.begin() as connection:
            left = connection.execute(
                text(
                    "SELECT email FROM team_members WHERE 'admin' = ANY (roles) AND is_active AND workspace_ids IS NULL"
                )
            ).all()
            assert len(left) == 1
            connection.execute(text("UPDATE team_members SET roles = '{admin}', is_active = true"
                " WHERE email IN ('ada@team.example', 'ben@team.example')"))  # fmt: skip


def test_of_two_edits_the_second_is_refused_with_both_versions_and_what_fits_together(team):
    base = team.rights("vic")
    revision = team.seen("vic").revision
    team.change("vic", Rights("Victoria", ("viewer",), None), by="ben")
    with pytest.raises(EditedMeanwhileError, match="both can be saved together") as refused:
        team.change("vic", Rights(None, ("finance",), None), revision=revision, made_on=base)
    assert Rights(**refused.value.merged.together) == Rights("Victoria", ("finance",), None)
    with pytest.raises(EditedMeanwhileError, match="change it again"):
        team.change("vic", Rights("Vic", ("viewer",), None), revision=revision, made_on=base)
    with pytest.raises(StaleEditError, match="viewer, active"):
        team.do("deactivate_member", "vic", revision=revision)


def test_a_limited_admin_sees_and_changes_people_within_the_same_workspaces_alone(team):
    rw, lin = team.database.rw, team.viewer("lin")
    assert [one.email for one in members(rw, lin)] == ["fay@team.example", "lin@team.example"]
    team.change("fay", Rights("Fay", ("viewer",), ("shop",)), by="lin", revision=1)
    revision = team.seen("fay").revision
    for scope in (None, ("other",), ("other", "shop")):
        with pytest.raises(NotPermittedError, match="see more workspaces than you do"):
            team.change("fay", Rights("Fay", ("viewer",), scope), by="lin", revision=revision)
        with pytest.raises(NotPermittedError, match="see more workspaces than you do"):
            add_member(rw, lin, email="new@team.example", password=None, roles=[Role.ADMIN],
                workspace_slugs=scope or ())  # fmt: skip
    for act in ("deactivate_member", "reset_password", "end_sessions"):
        with pytest.raises(SightlineError, match="Nobody of the team is known by this"):
            team.do(act, "ada", by="lin", **({} if act == "end_sessions" else {"revision": 1}))


def test_who_lost_the_role_meanwhile_changes_nothing(team):
    team.change("ben", Rights(None, ("viewer",), None))
    with pytest.raises(NotPermittedError, match="You are no admin any more"):
        team.do("deactivate_member", "vic", by="ben", revision=1)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_admins_change_people(team, role):
    by, rw = team.viewer("vic", role), team.database.rw
    for act in (
        lambda: team_rights.change_member(rw, by, team.keys["fay"], Rights(None, ("admin",), None), revision=1,
            reason="x"),
        lambda: team_rights.deactivate_member(rw, by, team.keys["fay"], revision=1, reason="x"),
        lambda: team_rights.reactivate_member(rw, by, team.keys["fay"], revision=1, reason="x"),
        lambda: team_rights.reset_password(rw, by, team.keys["fay"], revision=1, reason="x"),
        lambda: team_rights.end_sessions(rw, by, team.keys["fay"], reason="x"),
    ):  # fmt: skip
        with pytest.raises(NotPermittedError):
            act()


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Rights(None, (), None), "A person needs a role"),
        (Rights(None, ("king",), None), "'king' is no role"),
        (Rights("x" * 121, ("viewer",), None), "121 characters"),
        (Rights(None, ("viewer",), ()), "would see no workspace"),
        (Rights(None, ("viewer",), ("nowhere",)), "No workspace is called nowhere"),
    ],
)
def test_what_cannot_be_is_refused_with_its_sentence(team, wanted, sentence):
    with pytest.raises(SightlineError, match=sentence):
        team.change("vic", wanted)


def test_a_change_has_a_reason(team):
    with pytest.raises(SightlineError, match="done for a reason"):
        team.do("deactivate_member", "vic", reason=" ")
