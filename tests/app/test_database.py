"""A given database is made ready, or is refused in a sentence and left as it was."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app import database
from app.health import findings
from app.installation import installation
from app.settings import PROJECT, settings
from db.embedded.files import binaries_folder
from db.embedded.user import server_user
from db.errors import SightlineError
from db.roles import LOGIN_GROUPS
from tests.conftest import OLDEST
from tests.servers import migrate as migrate_to
from tests.servers import new_database, throwaway_server

SIGHTLINE = Path(sys.executable).parent / "sightline"
CANARY = "canary-sesame-7"
NEWEST = max(file.name[:4] for file in (PROJECT / "migrations" / "versions").glob("0*.py"))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An installation that was never started."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture
def given(monkeypatch):
    """Set DATABASE_URL as a person does."""

    def give(address):
        monkeypatch.setenv("DATABASE_URL", address)
        settings.cache_clear()

    return give


@pytest.fixture
def empty(each_server, given):
    """An empty database that DATABASE_URL names, on the oldest and on the newest Postgres."""
    with new_database(each_server, template="template0") as fresh:
        given(each_server.url(fresh.name))
        yield fresh


@pytest.fixture
def empty18(server18, given):
    with new_database(server18, template="template0") as fresh:
        given(server18.url(fresh.name))
        yield fresh


@pytest.fixture(params=[15, 18])
def untouched_server(request, tmp_path_factory):
    """A server on which none of our roles was ever made."""
    request.getfixturevalue(f"server{request.param}")  # skips where that version is not installed
    user = "postgres" if request.param == 15 else server_user(tmp_path_factory.getbasetemp(), say=print).name
    with throwaway_server(
        OLDEST if request.param == 15 else binaries_folder(), user=user, version=request.param
    ) as server:
        yield server


@pytest.fixture
def asks_for_passwords(server18):
    """The role `wary` signs in by password, unlike the others."""
    rules = server18.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    server18.run("CREATE ROLE wary LOGIN PASSWORD 'another'")
    rules.write_text(f"local all wary scram-sha-256\n{before}")
    server18.run("SELECT pg_reload_conf()")
    yield
    rules.write_text(before)
    server18.run("SELECT pg_reload_conf()")
    server18.run("DROP ROLE wary")


@pytest.fixture
def humble(server18):
    """A role without any right to make others."""
    server18.run("CREATE ROLE humble LOGIN")
    yield "humble"
    # Its databases are gone by now, and with them what it was granted.
    server18.run("DROP ROLE humble")


def migrate():
    """What `sightline migrate` does, and what it said."""
    said = []
    with database.database_address(said.append) as address, database.setup_engine(address) as setup:
        database.migrate(setup, said.append)
    return said


def refusal():
    """Why the database is not used."""
    with pytest.raises(SightlineError) as caught:
        migrate()
    assert caught.value.why
    assert caught.value.fix
    assert CANARY not in str(caught.value)
    return caught.value


def revision(fresh):
    with fresh.setup.connect() as connection:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))


def tables(fresh):
    with fresh.setup.connect() as connection:
        return connection.scalars(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname")
        ).all()


def groups_of(fresh, login):
    with fresh.setup.connect() as connection:
        return connection.scalars(
            text("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = to_regrole(:login)"),
            {"login": login},
        ).all()


def doctor():
    """What is not well, by subject."""
    with database.database_address(print) as address, database.setup_engine(address) as setup:
        return {one.subject: one for one in findings(setup) if not one.is_well}


def sightline(*arguments, **environment):
    """A process of the real program."""
    return subprocess.Popen(
        [SIGHTLINE, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended_well(process):
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors


def test_a_given_database_is_migrated_and_nothing_embedded_starts(empty, home):
    assert migrate() == [f"Migrating the database from empty to {NEWEST}."]
    assert revision(empty) == NEWEST
    assert not (home / "postgres").exists()
    assert doctor() == {}


def test_every_login_is_in_exactly_one_group(empty):
    migrate()
    logins = installation().logins()
    assert {group: groups_of(empty, login) for group, (login, _) in logins.items()} == {
        group: [group] for group in LOGIN_GROUPS
    }


def test_every_role_of_the_app_can_sign_in(empty18):
    migrate()
    with database.database_address(print) as address, database.app_engines(address) as engines:
        for engine in (engines.rw, engines.ro, engines.pipe, engines.ingest):
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT current_user")).startswith(f"sightline_{installation().name}_")


def test_an_ordinary_role_that_owns_the_database_and_may_create_roles_is_enough(untouched_server, given):
    """As the README says: on a server that somebody else runs, nobody is given the superuser."""
    untouched_server.run("CREATE ROLE plain LOGIN CREATEROLE")
    untouched_server.run("CREATE DATABASE given OWNER plain")
    given(untouched_server.url("given", "plain"))
    migrate()
    assert migrate() == []
    # Such a role sees no session but its own, and says so until it is allowed to.
    assert set(doctor()) == {"locks", "horizon"}
    untouched_server.run("GRANT pg_read_all_stats TO plain")
    assert doctor() == {}


def test_a_user_in_the_parameters_of_the_address_does_not_become_the_apps(untouched_server, given):
    untouched_server.run("CREATE DATABASE parameters")
    given(f"postgresql:///parameters?host={untouched_server.folder}&user=postgres&password=unused")
    migrate()
    with (
        database.database_address(print) as address,
        database.app_engines(address) as engines,
        engines.ro.connect() as connection,
    ):
        assert connection.scalar(text("SELECT current_user")).endswith("_ro")


def test_migrating_twice_changes_nothing(empty):
    migrate()
    before = tables(empty)
    assert migrate() == []
    assert tables(empty) == before


def test_two_installations_on_one_database_have_logins_of_their_own(empty18, monkeypatch, tmp_path):
    migrate()
    first = {login for login, _ in installation().logins().values()}
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "second"))
    settings.cache_clear()
    assert migrate() == []
    second = {login for login, _ in installation().logins().values()}
    assert not first & second
    assert all(len(groups_of(empty18, login)) == 1 for login in first | second)


def test_migrations_that_run_at_once_all_end_well(empty18, server18, tmp_path):
    """Two of one installation and one of another."""
    homes = [tmp_path / name for name in ("one", "one", "two")]
    started = [
        sightline("migrate", SIGHTLINE_HOME=str(home), DATABASE_URL=server18.url(empty18.name)) for home in homes
    ]
    for process in started:
        ended_well(process)
    assert revision(empty18) == NEWEST


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (f"postgresql://owner:{CANARY}@no-such-host.invalid:5432/sightline", "no-such-host.invalid"),
        (f"postgresql://owner:{CANARY}@127.0.0.1:1/sightline", "Connection refused"),
        (f"postgresql://owner:{CANARY}@127.0.0.1:99999/sightline", "99999"),
        (f"postgresql://owner@127.0.0.1:1/sightline?password={CANARY}", "Connection refused"),
        (f"postgresql://owner:{CANARY}@/sightline?host=/no/such/folder", "No such file or directory"),
        (f"mysql://owner:{CANARY}@127.0.0.1/sightline", "it must look like postgresql://"),
        (f"postgresql://owner:{CANARY}@", "it must look like postgresql://"),
        (f"{CANARY}", "it must look like postgresql://"),
    ],
    ids=["host", "port", "no port", "password as a setting", "socket", "other database", "cut off", "no address"],
)
def test_a_wrong_address_is_one_clear_sentence_without_the_password(given, address, reason):
    given(address)
    error = refusal()
    assert "DATABASE_URL" in str(error)
    assert reason in error.why


def test_a_database_that_does_not_exist_is_named(server18, given):
    given(f"postgresql://postgres:{CANARY}@/no_such_database?host={server18.folder}")
    assert 'database "no_such_database" does not exist' in refusal().why


def test_a_role_that_does_not_exist_is_named(server18, given):
    given(f"postgresql://no_such_role:{CANARY}@/postgres?host={server18.folder}")
    assert 'role "no_such_role" does not exist' in refusal().why


def test_a_wrong_password_is_said_and_not_repeated(server18, given, asks_for_passwords):
    given(f"postgresql://wary:{CANARY}@/postgres?host={server18.folder}")
    assert 'password authentication failed for user "wary"' in refusal().why


def test_a_role_that_may_not_create_roles_is_told_what_it_needs(humble, empty18, server18, given):
    server18.run(f"GRANT CONNECT ON DATABASE {empty18.name} TO {humble}")
    given(server18.url(empty18.name, humble))
    assert "may create roles" in refusal().fix
    assert tables(empty18) == []


def test_a_server_that_is_too_old_is_named_with_what_is_needed(empty18, monkeypatch):
    monkeypatch.setattr(database, "OLDEST_SERVER", 19)
    error = refusal()
    assert "is Postgres 18, which is too old" in error.what
    assert "Postgres 19 or newer" in error.why
    assert tables(empty18) == []


def test_a_database_with_other_peoples_tables_is_refused_and_left_alone(empty):
    with empty.setup.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (number integer)"))
        connection.execute(text("INSERT INTO theirs VALUES (1)"))
    assert "1 tables that are not Sightline's" in refusal().what
    assert tables(empty) == ["theirs"]
    with empty.setup.connect() as connection:
        assert connection.scalar(text("SELECT number FROM theirs")) == 1


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database18_at_unknown_revision):
    fresh = database18_at_unknown_revision
    before = tables(fresh)
    assert "revision 9999, which this version of Sightline does not know" in refusal().what
    assert tables(fresh) == before
    assert revision(fresh) == "9999"


@pytest.fixture
def database18_at_unknown_revision(database, given):
    with database.setup.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    given(database.server.url(database.name))
    return database


def test_a_half_migrated_database_is_seen_by_doctor_and_finished_with_nothing_lost(empty):
    migrate_to(empty.setup, "0005")
    with empty.setup.begin() as connection:
        connection.execute(text("INSERT INTO users (email) VALUES ('kept@people.example')"))
    found = doctor()
    assert list(found) == ["migrations"]
    assert found["migrations"].says == f"The database is at 0005, this version of Sightline at {NEWEST}."
    assert migrate() == [f"Migrating the database from 0005 to {NEWEST}."]
    with empty.setup.connect() as connection:
        assert connection.scalars(text("SELECT email FROM users")).all() == ["kept@people.example"]
    assert doctor() == {}


def test_a_migration_that_is_killed_in_the_middle_goes_on_where_it_stopped(empty18, server18):
    """A session that keeps a table busy holds it inside revision 0006; there the process is killed."""
    migrate_to(empty18.setup, "0005")
    with empty18.setup.begin() as busy:
        busy.execute(text("LOCK TABLE workspaces IN ACCESS EXCLUSIVE MODE"))
        running = sightline("migrate", DATABASE_URL=server18.url(empty18.name))
        wait_until_it_waits_for_a_lock(empty18)
        running.kill()
        running.communicate(timeout=10)
    assert revision(empty18) == "0005"
    migrate()
    assert revision(empty18) == NEWEST
    assert doctor() == {}


def test_a_table_that_others_keep_busy_ends_the_migration_with_a_sentence_that_names_them(empty18, monkeypatch):
    """Also one that has written nothing, and so has no transaction number."""
    monkeypatch.setattr(database, "LOCK_WAITS", ())
    migrate_to(empty18.setup, "0005")
    with empty18.setup.begin() as busy:
        pid = busy.scalar(text("SELECT pg_backend_pid()"))
        busy.execute(text("LOCK TABLE workspaces IN SHARE MODE"))
        error = refusal()
    assert f"pid {pid} (postgres, idle in transaction)" in error.why
    assert "again" in error.fix
    assert revision(empty18) == "0005"
    migrate()
    assert revision(empty18) == NEWEST


def wait_until_it_waits_for_a_lock(fresh):
    # Not on the engine, whose connection holds the lock.
    with psycopg.connect(fresh.server.url(fresh.name), autocommit=True) as connection:
        for _ in range(200):
            waits = connection.execute(
                "SELECT count(*), pg_sleep(0.05) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            ).fetchone()
            if waits[0]:
                return
    raise AssertionError("The migration never waited for the lock.")
