"""Fixtures of the tests below: a workspace with a customer, people of the team, and short ways to spend and to ask."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.access import Role, Viewer, operator
from app.jobs.alerts import alert_jobs
from app.jobs.budgets import budget_jobs
from app.jobs.catalogue import Catalogue
from app.jobs.costs import cost_jobs
from app.jobs.prices import price_jobs
from app.jobs.stopping import Stop
from app.jobs.worker import Worker
from db.engine import seeing
from tests.db.rows import add, user, workspace
from tests.servers import Database

CALL = {
    "product": "mailer",
    "provider": "openai",
    "model": "gpt-4o",
    "generation_type": "email",
    "status": "completed",
}


@dataclass(frozen=True)
class Place:
    """A database with one workspace and its customer."""

    database: Database
    workspace: UUID
    customer: UUID

    def ask(self, question: str, **values: Any) -> list[Any]:
        with self.database.setup.connect() as connection:
            return list(connection.execute(text(question), values))

    def change(self, statement: str, **values: Any) -> None:
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), values)

    def spend(self, cost: str | None, at: datetime | None = None, **values: Any) -> UUID:
        """One call that cost so much; None: nobody knows."""
        priced = {"cost": Decimal(cost), "price_version": 1} if cost is not None else {}
        row = {**CALL, "user_id": self.customer, "created_at": at or datetime.now(UTC), **priced, **values}
        with self.database.setup.begin() as connection:
            return add(connection, "ai_generations", workspace_id=self.workspace, **row).id

    def budget(self, **values: Any) -> UUID:
        row = {"name": "AI", "scope": "company", "amount": 100, **values}
        with self.database.setup.begin() as connection:
            return add(connection, "budgets", **row).id

    def person(self, role: Role, *workspaces: UUID, name: str = "Ada") -> Viewer:
        """Somebody of the team; limited to workspaces where some are given."""
        with self.database.setup.begin() as connection:
            limited = list(workspaces) or None
            key = add(connection, "team_members", email=f"{name}.{role}.{len(workspaces)}@team.example", name=name,
                roles=[role], workspace_ids=limited).id  # fmt: skip
        return Viewer(name, frozenset({role}), frozenset(workspaces or [self.workspace]), key)

    def work(self, *names: str) -> None:
        """Run these jobs and what they add, as a worker does, until nothing is left to do at once."""
        kinds = Catalogue((*budget_jobs(), *alert_jobs(), *cost_jobs("UTC"), *price_jobs()))
        with seeing(self.database.rw, ()) as connection:
            for name in names:
                connection.execute(
                    text("INSERT INTO jobs (job_type, max_attempts) VALUES (:name, :most)"),
                    {"name": name, "most": kinds.named(name).max_attempts},
                )
        worker = Worker(self.database, kinds, name="a worker of a test")
        worker._plan_at = float("inf")
        while worker.turn(Stop()) == 0.0:
            # What is tried again waits until a test says that it is later, however slow the machine.
            self.change("UPDATE jobs SET scheduled_at = 'infinity' WHERE status = 'retrying' AND scheduled_at > now()")

    @property
    def finance(self) -> Viewer:
        return operator(self.database.pipe, "Fin of finance")


def settle_in(database: Database) -> Place:
    with database.setup.begin() as connection:
        customer = user(connection, email="carl@people.example").id
        return Place(database, workspace(connection, owner_id=customer, slug="acme", name="Acme").id, customer)


@pytest.fixture
def place(database: Database) -> Place:
    return settle_in(database)


@pytest.fixture
def each_place(each_database: Database) -> Place:
    return settle_in(each_database)
