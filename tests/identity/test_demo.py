"""The demo's accounts are there in the embedded demo alone, with passwords that no other copy has."""

import json

import pytest
from sqlalchemy import text

from app.access import Role
from app.commands.demo_team import ensure_demo_team
from app.database import Engines
from app.identity import demo
from app.identity.accounts import sign_in
from app.identity.demo import ACCOUNTS, demo_passwords, is_demo
from app.identity.sessions import person_of
from app.settings import settings
from tests.db.rows import campaign, workspace
from tests.identity.conftest import FIREFOX


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An installation that was never started, on the embedded server."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture
def engines(database):
    """Of a database that says it is the demo, with three workspaces that have one, two and three campaigns."""
    with database.setup.begin() as connection:
        connection.execute(text("""INSERT INTO settings (key, value) VALUES ('demo', '{"size": "tiny"}')"""))
        for busy in (1, 2, 3):
            made = workspace(connection, slug=f"busy-{busy}")
            for _ in range(busy):
                campaign(connection, made.id, "email")
    return Engines(database.rw, database.ro, database.pipe, database.ingest)


def people(engines):
    with engines.rw.connect() as connection:
        return dict(connection.execute(text("SELECT email, roles FROM team_members ORDER BY email")).all())


def test_each_role_gets_somebody_who_can_sign_in(engines):
    ensure_demo_team(engines)
    assert people(engines) == {account.email: [account.role] for account in ACCOUNTS}
    for email, password in demo_passwords().items():
        assert person_of(engines.rw, sign_in(engines.rw, email, password, FIREFOX)).email == email


def test_the_limited_one_sees_the_two_busiest_workspaces(engines):
    ensure_demo_team(engines)
    token = sign_in(engines.rw, "limited@demo.example", demo_passwords()["limited@demo.example"], FIREFOX)
    viewer = person_of(engines.rw, token).viewer(engines.pipe)
    with engines.pipe.connect() as connection:
        slugs = dict(connection.execute(text("SELECT id, slug FROM workspaces")).all())
    assert {slugs[key] for key in viewer.workspaces} == {"busy-2", "busy-3"}
    assert viewer.roles == {Role.VIEWER}


def test_starting_again_adds_nobody_twice_and_keeps_the_passwords(engines):
    ensure_demo_team(engines)
    before = demo_passwords()
    ensure_demo_team(engines)
    assert demo_passwords() == before
    assert len(people(engines)) == len(ACCOUNTS)


def test_every_copy_makes_passwords_of_its_own(engines, monkeypatch, tmp_path):
    ensure_demo_team(engines)
    first = demo_passwords()
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "other"))
    settings.cache_clear()
    assert demo_passwords() == {}
    assert not set(demo.make_demo_passwords().values()) & set(first.values())


def test_the_file_of_passwords_is_for_the_app_alone(engines, home):
    ensure_demo_team(engines)
    file = home / "keys" / "demo-accounts.json"
    assert file.stat().st_mode & 0o077 == 0
    assert len(set(json.loads(file.read_text()).values())) == len(ACCOUNTS)


def test_real_data_gets_no_demo_accounts(database):
    ensure_demo_team(Engines(database.rw, database.ro, database.pipe, database.ingest))
    assert demo_passwords() == {}


def test_a_given_database_is_never_the_demo(engines, monkeypatch):
    assert is_demo(engines.ro)
    monkeypatch.setenv("DATABASE_URL", "postgresql://a@b/c")
    settings.cache_clear()
    assert not is_demo(engines.ro)
    ensure_demo_team(engines)
    assert people(engines) == {}
