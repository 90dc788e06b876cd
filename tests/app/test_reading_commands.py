"""Commands that only read connect as the role of pages, which can change nothing."""

import uuid

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner

from app.cli import app as command_line
from app.installation import installation
from app.settings import settings
from db.errors import SightlineError
from db.roles import RO, RW

NOBODYS = str(uuid.UUID(int=0))
READING = (
    ("budgets", "list"),
    ("budgets", "alerts"),
    ("budgets", "stops"),
    ("settings", "list"),
    ("retention", "list"),
    ("integrations", "list"),
    ("months", "list"),
    ("prices", "list"),
    ("prices", "list", "--proposed"),
    ("plans", "list"),
    ("plans", "approvals"),
    ("plans", "migrations", NOBODYS),
    ("plans", "show", NOBODYS),
    ("plans", "compare", NOBODYS),
    ("quotas", "show", "nobodys"),
    ("templates", "list"),
    ("templates", "show", NOBODYS),
    ("templates", "diff", NOBODYS, "1"),
    ("templates", "sections", NOBODYS),
    ("templates", "shelves", "list"),
    ("templates", "components", "list"),
    ("templates", "components", "show", NOBODYS),
    ("templates", "components", "diff", NOBODYS, "1"),
    ("customers", "list"),
    ("jobs", "list"),
    ("jobs", "show", NOBODYS),
    ("audit", "list"),
)


@pytest.fixture
def groups(database, tmp_path, monkeypatch):
    """Runs a command, and answers as which of our groups it connected."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    settings.cache_clear()
    users: list[str] = []

    def noted(_dialect, _record, _arguments, told):
        users.append(told.get("user"))

    event.listen(Engine, "do_connect", noted)

    def run(*arguments):
        users.clear()
        ended = CliRunner().invoke(command_line, list(arguments))
        # What is not there is refused after it was looked for.
        assert ended.exit_code == 0 or isinstance(ended.exception, SightlineError), (arguments, ended.output)
        logins = {login: group for group, (login, _) in installation().logins().items()}
        return {logins[user] for user in users if user in logins}

    yield run
    event.remove(Engine, "do_connect", noted)
    settings.cache_clear()


def test_what_only_reads_never_connects_as_the_role_of_commands(groups):
    assert RW in groups("budgets", "create", "AI", "--amount", "500")
    found = {arguments: groups(*arguments) for arguments in READING}
    assert {arguments for arguments, connected in found.items() if RW in connected} == set()
    assert {arguments for arguments, connected in found.items() if RO not in connected} == set()
