"""Tokens at the command line: made for somebody of the team, listed with their last use, and revoked."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.identity.tokens import bearer_of
from app.settings import settings
from db.errors import SightlineError
from tests.commands.company import found


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, ["tokens", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


def test_a_token_is_made_for_somebody_listed_and_revoked(database, run):
    found(database)
    with pytest.raises(SightlineError, match=r"Nobody of the team signs in as 'eve@team\.example'"):
        run("make", "eve@team.example", "--name", "Export")
    made = run("make", "Viewer@team.example", "--name", "Nightly [b]export[/b]", "--days", "7", "--only-reads")
    token = re.search(r"sightline_[\w-]{43}", made)[0]
    bearer = bearer_of(database.rw, token)
    assert (bearer.email, bearer.only_reads) == ("viewer@team.example", True)
    listed = run("list")
    assert "viewer@team.example Nightly [b]export[/b]" in listed
    assert token not in listed
    run("revoke", str(bearer.token_id))
    assert bearer_of(database.rw, token) is None
    assert "There is no token." in run("list")
    with pytest.raises(SightlineError, match="No token that could be revoked has this key"):
        run("revoke", str(bearer.token_id))
