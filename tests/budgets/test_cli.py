"""Budgets at the command line: made, changed, stopped and answered as on the page, and refused in the same words."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError

KEY = r"[0-9a-f]{8}-[0-9a-f-]{27}"


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "300")
    settings.cache_clear()

    def run_command(*arguments, given=None):
        ended = CliRunner().invoke(command_line, ["budgets", *arguments], input=given)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"[\s│┃]+", " ", ended.output)

    yield run_command
    settings.cache_clear()


def test_a_budget_is_made_changed_and_taken_away(run):
    assert "There are no budgets." in run("list")
    made = run("create", "AI of OpenAI", "--amount", "500", "--scope", "provider", "--value", "openai", "--block")
    key = re.search(KEY, made)[0]
    run("change", key, "--amount", "800.50", "--threshold", "90", "--zone", "Asia/Kolkata", "--reason", "A launch.")
    assert f"{key} AI of OpenAI provider · openai 800.50 month 0.0000 0.0000 block yes" in run("list")
    run("pause", key, "--reason", "For a while.")
    assert "block no" in run("list")
    run("resume", key)
    run("delete", key, "--reason", "It was a test.")
    assert "There are no budgets." in run("list")
    with pytest.raises(SightlineError, match="No budget has this key"):
        run("pause", key, "--reason", "Again.")
    with pytest.raises(SightlineError, match="'much' is no amount"):
        run("create", "AI", "--amount", "much")


def test_ai_is_stopped_after_a_question_and_let_through_again(run):
    assert "AI was never stopped." in run("stops")
    assert "Nothing was stopped." in run("stop", "--reason", "A leak.", given="n\n")
    said = run("stop", "--scope", "provider", "--value", "openai", "--reason", "A leak.", given="y\n")
    key = re.search(KEY, said)[0]
    assert "emergency_stop openai A leak." in run("alerts")
    assert f"{key} openai" in run("stops")
    assert "The stop has ended." in run("end-stop", key, "--reason", "It was mended.")
    assert "No alert is open." in run("alerts")
