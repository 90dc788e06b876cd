"""Each thing that `sightline doctor` looks at is green on a good database and red when it is not."""

import threading
import time
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.health import findings
from app.settings import settings
from db import health
from tests.db.rows import add, user, workspace


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An installation that was never started."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "not made yet" / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def subject(database, name):
    """One finding of the whole look."""
    return next(one for one in findings(database.setup) if one.subject == name)


def test_a_fresh_database_is_well_on_the_oldest_and_newest_server(each_database):
    assert {one.subject: one.says for one in findings(each_database.setup) if not one.is_well} == {}


def test_every_finding_says_something_and_what_to_do(database):
    assert all(one.says for one in findings(database.setup))
    assert [one.subject for one in findings(database.setup)] == [
        "server", "migrations", "disk", "clock", "locks", "horizon", "partitions", "tenants", "secrets",
        "models",
    ]  # fmt: skip


def test_without_a_key_of_models_it_says_what_is_off(database, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.cache_clear()
    assert subject(database, "models") == health.Finding(
        "models", True, "Drafting and rewriting with AI is off: OPENAI_API_KEY is not set. Everything else works."
    )
    monkeypatch.setenv("OPENAI_API_KEY", "a key of the test")
    settings.cache_clear()
    assert subject(database, "models").says == "gpt-4o-mini is asked at https://api.openai.com/v1."
    settings.cache_clear()


def test_a_server_older_than_needed_is_red(database):
    with database.setup.connect() as connection:
        assert health.server_version(connection, oldest=18).is_well
        old = health.server_version(connection, oldest=19)
    assert (old.is_well, old.fix) == (False, "Move to Postgres 19 or newer.")


def test_a_database_behind_this_version_is_red_and_what_needs_the_tables_is_not_asked(database):
    with database.setup.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    found = {one.subject: one for one in findings(database.setup)}
    assert not found["migrations"].is_well
    assert found["migrations"].fix == "Run `sightline migrate`."
    assert "partitions" not in found


def test_an_empty_database_is_at_no_revision():
    assert health.migrations(None, "0018").says.startswith("The database is at no revision")


def test_partitions_are_red_a_month_before_one_is_missed(database):
    """Three months ahead are made and two must be there: a month without `migrate` is no harm, the second is told."""
    today = datetime.now(UTC).date()
    with database.ro.connect() as connection:
        assert health.partitions_ahead(connection, today).is_well
        assert health.partitions_ahead(connection, next_month(today)).is_well
        late = health.partitions_ahead(connection, next_month(next_month(today)))
    assert not late.is_well
    assert "ai_generations for" in late.says
    assert "sightline migrate" in late.fix


def test_one_partition_that_is_gone_is_named(database):
    month = next_month(datetime.now(UTC).date())
    with database.setup.begin() as connection:
        connection.execute(text(f"DROP TABLE email_events_{month:%Y_%m}"))
    found = subject(database, "partitions")
    assert (found.is_well, found.says) == (
        False,
        f"1 monthly partitions are missing: email_events for {month:%B %Y}.",
    )


@pytest.mark.parametrize("today", [date(2026, 11, 30), date(2026, 12, 31)])
def test_months_are_counted_over_the_end_of_a_year(database, today):
    with database.ro.connect() as connection:
        health.partitions_ahead(connection, today)


def test_a_hole_between_workspaces_is_red_and_says_where(database):
    with database.setup.begin() as connection:
        connection.execute(text("ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY"))
    found = subject(database, "tenants")
    assert not found.is_well
    assert "contacts" in found.says
    assert found.fix


def test_a_secret_whose_key_is_not_here_is_red_and_names_the_key(database):
    stranger = "v1.0123abcd." + "A" * 80
    with database.setup.begin() as connection:
        add(
            connection,
            "meta_accounts",
            workspace_id=workspace(connection).id,
            user_id=user(connection).id,
            meta_user_id="1",
            access_token=stranger,
        )
    found = subject(database, "secrets")
    assert not found.is_well
    assert "0123abcd" in found.says
    assert "A" * 20 not in found.says


def test_a_disk_that_is_nearly_full_is_red(tmp_path, monkeypatch):
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: SimpleNamespace(free=health.FREE_BYTES))
    assert health.disk(tmp_path).is_well
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: SimpleNamespace(free=health.FREE_BYTES - 1))
    assert not health.disk(tmp_path).is_well


def test_the_disk_is_looked_at_before_the_home_was_made(database):
    assert subject(database, "disk").is_well


def test_clocks_that_are_apart_are_red(database, monkeypatch):
    with database.setup.connect() as connection:
        assert health.clock(connection).is_well
        monkeypatch.setattr(health, "CLOCK_SECONDS", -1)
        assert not health.clock(connection).is_well


def test_who_makes_others_wait_is_named(database, monkeypatch):
    monkeypatch.setattr(health, "LOCK_SECONDS", 0)
    assert subject(database, "locks").is_well
    with database.setup.begin() as holder:
        pid = holder.scalar(text("SELECT pg_backend_pid()"))
        holder.execute(text("LOCK TABLE workspaces"))
        waiting = threading.Thread(target=read_workspaces, args=[database.rw])
        waiting.start()
        found = until_red(database, "locks")
    waiting.join(timeout=10)
    assert f"pid {pid}" in found.says
    assert subject(database, "locks").is_well


def test_a_writer_that_stays_open_is_named_and_a_reader_is_not(database):
    with database.ro.begin() as reader, database.setup.connect() as asker:
        reader.execute(text("SELECT 1"))
        assert health.horizon(asker, seconds=0).is_well
    with database.rw.begin() as writer, database.setup.connect() as asker:
        pid = writer.scalar(text("SELECT pg_backend_pid()"))
        writer.execute(text("SELECT pg_current_xact_id()"))
        found = health.horizon(asker, seconds=0)
        assert health.horizon(asker, seconds=60).is_well
    assert not found.is_well
    assert f"pid {pid} (test_app_rw, idle in transaction" in found.says


def read_workspaces(engine):
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM workspaces"))


def until_red(database, name):
    deadline = time.monotonic() + 10
    while (found := subject(database, name)).is_well and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def next_month(day):
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
