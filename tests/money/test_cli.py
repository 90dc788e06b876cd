"""The price book at the command line: proposed, looked at, approved after a look at the effect."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import user, workspace
from tests.money.test_approvals import call, costs


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments, given=None):
        ended = CliRunner().invoke(command_line, ["prices", *arguments], input=given)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output)

    yield run_command
    settings.cache_clear()


def test_prices_are_proposed_shown_and_approved_after_a_look_at_the_effect(database, run):
    with database.setup.begin() as connection:
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id, customer
    call(database, home)
    assert "No prices are there." in run("list")
    assert "prices are proposed." in run("propose")
    assert re.search(r"openai/gpt-4o [^ ]* ?input [^ ]* ?standard", run("list", "--proposed").replace("│", ""))
    chosen = ("approve", "--model", "openai/gpt-4o")
    shown = run(*chosen, given="n\n")
    assert "2.5000" in shown
    assert "Nothing was changed." in shown
    assert costs(database) == [(None, None, None)]
    assert "The book is at version 1: 1 calls were priced anew" in run(*chosen, "--yes")
    assert [version for _, version, _ in costs(database)] == [1]
    assert "genai-prices 0.2.3" in run("list", "--model", "openai/gpt-4o")


def test_an_approval_without_a_choice_is_refused(run):
    with pytest.raises(SightlineError, match="No proposal was chosen"):
        run("approve")
    with pytest.raises(SightlineError, match="names no model"):
        run("list", "--model", "gpt-4o")
