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


def of_shop(shop):
    [[slug, email]] = shop.ask(
        "SELECT w.slug, u.email FROM workspaces AS w JOIN users AS u ON u.id = w.owner_id WHERE w.id = :key",
        key=shop.workspace,
    )
    return slug, email


def test_who_is_close_what_is_excepted_and_who_has_credits_is_listed(database, run):
    """Eight of ten are 80 %: close to it; of a product that is not theirs nothing is listed."""
    shop = make_shop(database)
    slug, email = of_shop(shop)
    assert "Nobody is close to a limit." in run("close")
    shop.limit(10)
    shop.reserve("a", meters={"generations": 8})
    assert f"{slug} web_builder generations all month 10 0 8" in run("close", "--workspace", slug)
    assert "Nobody is close" in run("close", "--product", "mailer")
    assert "There is no exception" in run("overrides")
    lift = ("override", slug, "web_builder", "generations", "--until", UNTIL, "--amount", "50", "--reason", "A launch")
    key = re.search(r"override ([0-9a-f-]{36})", run(*lift))[1]
    assert f"{key} {slug} web_builder generations all month 50" in run("overrides")
    assert "There is no exception" in run("overrides", "--product", "mailer")
    run("grant", slug, "30", "--user", email, "--until", UNTIL, "--reason", "An outage")
    assert re.search(rf"{email} .*owner 30", run("credits", slug))
    assert "No workspace is called elsewhere." in run("credits", "elsewhere")


def test_what_a_lost_call_holds_is_given_up(database, run):
    shop = make_shop(database)
    shop.limit(10)
    assert "No call holds anything." in run("holds")
    shop.reserve("lost", meters={"generations": 4})
    key = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", run("holds"))[0]
    assert "web_builder generations 4" in run("holds", "--product", "web_builder")
    assert "What the call lost held is free." in run("give-up", key, "--reason", "Its machine is gone")
    assert shop.used_and_held() == (0, 0)
    with pytest.raises(SightlineError, match="No call that holds anything has this key"):
        run("give-up", key, "--reason", "Again")


def test_a_service_limit_is_changed_and_shown_with_those_of_a_customer(database, run):
    shop = make_shop(database)
    slug, email = of_shop(shop)
    shop.do("INSERT INTO settings (key, value) VALUES ('ai_service_limits', '{\"veo\": 2}')"
        " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value")  # fmt: skip
    assert "imagen no such limit veo 2" in run("service-limits").replace("└", "")
    with pytest.raises(SightlineError, match="How much is allowed was not said"):
        run("limit-service", "imagen", "--reason", "More")
    with pytest.raises(SightlineError, match="'pictures' is no meter"):
        run("limit-service", "pictures", "--amount", "5", "--reason", "More")
    run("limit-service", "imagen", "--amount", "5", "--reason", "The provider allows it")
    run("limit-service", "veo", "--unlimited", "--reason", "The provider allows it")
    assert shop.ask("SELECT value FROM settings WHERE key = 'ai_service_limits'") == [({"imagen": 5},)]
    shop.reserve("a", meters={"imagen": 2})
    assert f"imagen {email} day 5 service 0 2 3" in run("show", slug, "--user", email)
    with pytest.raises(SightlineError, match=rf"No customer in {slug} has the address"):
        run("show", slug, "--user", "nobody@example.com")
