"""A database whose audit log is written by changes of settings, and ways to tamper with it as nobody of the app can."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from app.access import Role, Viewer, operator
from app.commands.audit import seal
from app.commands.audit_chain import START, Verified, verified
from app.settings import settings
from db.engine import seeing
from tests.db.rows import add
from tests.servers import Database


@dataclass(frozen=True)
class Ledger:
    """Changes leave rows; a superuser tampers past every trigger."""

    database: Database

    @property
    def admin(self) -> Viewer:
        return operator(self.database.pipe, "Ada")

    def person(self, role: Role, *workspaces: Any, name: str = "Ada") -> Viewer:
        """Somebody of the team; limited to workspaces where some are given."""
        with self.database.setup.begin() as connection:
            limited = list(workspaces) or None
            key = add(connection, "team_members", email=f"{name}.{role}.{len(workspaces)}@team.example", name=name,
                roles=[role], workspace_ids=limited).id  # fmt: skip
        sees = frozenset(workspaces) or operator(self.database.pipe, "").workspaces
        return Viewer(name, frozenset({role}), sees, key)

    def ask(self, question: str, **values: Any) -> list[Any]:
        with self.database.setup.connect() as connection:
            return list(connection.execute(text(question), values))

    def change(self, key: str, reason: str = "A test.", actor: str = "Ada") -> int:
        """Make a setting; the position of the row that this leaves."""
        with seeing(self.database.rw, (), actor=actor, reason=reason) as connection:
            connection.execute(text("INSERT INTO settings (key, value) VALUES (:key, '1')"), {"key": key})
        return int(self.ask("SELECT MAX(position) FROM audit_log WHERE row_key = :key", key=key)[0][0])

    def sealed(self, number: int = 5) -> list[int]:
        """So many changes, sealed; their positions."""
        made = [self.change(f"key-{place}") for place in range(number)]
        seal(self.database.rw)
        return made

    def tamper(self, *statements: str, **values: Any) -> None:
        """What only a superuser can do: without a single trigger."""
        with self.database.setup.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement), values)

    def verify(self, **how: Any) -> Verified:
        return verified(self.database.pipe, self.admin, **how)

    def says(self, **how: Any) -> list[str]:
        return [one.says for one in self.verify(**how).findings]

    def head(self):
        return self.verify(since=START).head


@pytest.fixture
def ledger(database, tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database.server.url(database.name))
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()
    yield Ledger(database)
    settings.cache_clear()


@pytest.fixture
def each_ledger(each_database):
    return Ledger(each_database)
