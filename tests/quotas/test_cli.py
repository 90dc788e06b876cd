"""Quotas at the command line: shown, lifted until a day, ended, and credits granted and taken back."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.quotas.shop import make_shop

UNTIL = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, ["quotas", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


def test_a_limit_is_shown_lifted_until_a_day_and_ruled_by_the_plan_again(database, run):
    shop = make_shop(database)
    shop.limit(10)
    shop.reserve("a", meters={"generations": 4})
    [[slug]] = shop.ask("SELECT slug FROM workspaces WHERE id = :key", key=shop.workspace)
    assert "web_builder creator generations all month 10 plan 0 4 6" in run("show", slug)
    lift = ("override", slug, "web_builder", "generations", "--until", UNTIL, "--reason", "A launch")
    with pytest.raises(SightlineError, match="How much is allowed was not said"):
        run(*lift)
    key = re.search(r"override ([0-9a-f-]{36}) allows 50 until", run(*lift, "--amount", "50"))[1]
    shown = run("show", slug)
    assert "month 50 override 0 4 46" in shown
    assert "A launch" in shown
    assert "allows without limit until" in run(*lift, "--unlimited", "--key", key)
    assert "The override has ended." in run("revoke", key, "--reason", "It is over")
    assert "month 10 plan 0 4 6" in run("show", slug)
    actors = shop.ask("SELECT DISTINCT actor LIKE '%at the command line' FROM audit_log"
        " WHERE table_name = 'quota_overrides'")  # fmt: skip
    assert actors == [(True,)]
    assert "No workspace with a plan is called elsewhere." in run("show", "elsewhere")


def test_credits_are_granted_and_taken_back(database, run):
    shop = make_shop(database)
    [[slug, email]] = shop.ask(
        "SELECT w.slug, u.email FROM workspaces AS w JOIN users AS u ON u.id = w.owner_id WHERE w.id = :key",
        key=shop.workspace,
    )
    of = (slug, "30", "--user", email, "--reason", "An outage")
    assert f"{email} has 30 credits now." in run("grant", *of, "--until", UNTIL)
    with pytest.raises(SightlineError, match="31 can't be taken"):
        run("take-back", slug, "31", "--user", email, "--reason", "Too many")
    assert f"{email} has 0 credits now." in run("take-back", *of)
