"""The team at the command line: changed, deactivated, let in again, signed out, and given a new password."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import app as command_line
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import workspace

WHY = ("--reason", "A test")


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    """Runs a command against the test's database and answers what it printed."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "240")
    settings.cache_clear()

    def run_command(*arguments):
        ended = CliRunner().invoke(command_line, ["team", *arguments])
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return re.sub(r"\s+", " ", ended.output.replace("│", " "))

    yield run_command
    settings.cache_clear()


def test_people_are_looked_after_from_the_command_line(database, run):
    with database.setup.begin() as connection:
        workspace(connection, slug="shop")
    for name, role in (("ada", "admin"), ("vic", "viewer")):
        run("add", f"{name}@team.example", "--role", role, "--no-password")
    vic = "vic@team.example"
    assert f"{vic} is in the team as finance, viewer." in run(
        "change", vic, "--role", "finance", "--role", "viewer", "--workspace", "shop", "--name", "Vic", *WHY
    )
    assert f"{vic} Vic finance, viewer shop yes" in run("list")
    with pytest.raises(SightlineError, match="Both --workspace and --everywhere"):
        run("change", vic, "--workspace", "shop", "--everywhere", *WHY)
    run("change", vic, "--everywhere", *WHY)
    assert "is not let in any more" in run("deactivate", vic, *WHY)
    assert f"{vic} Vic finance, viewer all no" in run("list")
    assert "is let in again" in run("reactivate", vic.upper(), *WHY)
    assert "is signed out everywhere" in run("end-sessions", vic, *WHY)
    assert re.search(r"not shown again: [\w-]{24}", run("reset-password", vic, *WHY))
    with pytest.raises(SightlineError, match="is the last admin"):
        run("deactivate", "ada@team.example", *WHY)
    with pytest.raises(SightlineError, match="Nobody of the team has the address eve"):
        run("deactivate", "eve@team.example", *WHY)
