"""A live plan of a product with a subscriber, the admins who change it, and short ways to simulate and to ask."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.access import Role, Viewer
from app.commands import plans
from app.commands.plan_publishing import today
from app.records import plans as reading
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms
from db.engine import seeing
from tests.db.rows import NOON, add, plan, subscription, user, workspace
from tests.servers import Database

DAY = timedelta(days=1)
BASIC = PlanTerms("Mailer Pro", Decimal(20), limits={"emails month": PlanLimit(100)},
    features={"team_seats": PlanFeature("static", 5)})  # fmt: skip


@dataclass
class Shelf:
    """Version 1 of Mailer Pro is live: 20 USD a month for 100 e-mails, and Acme has it."""

    database: Database
    workspace: UUID
    owner: UUID
    live: UUID
    subscription: UUID
    ada: Viewer
    bob: Viewer

    def person(self, role: Role = Role.ADMIN, *, name: str = "Cleo", limited: bool = False) -> Viewer:
        """Somebody of the team; limited to Acme where that is asked for."""
        scope = [self.workspace] if limited else None
        with self.database.setup.begin() as connection:
            email = f"{name}.{role}.{limited}@team.example"
            key = add(connection, "team_members", email=email, name=name, roles=[role], workspace_ids=scope).id
        return Viewer(name, frozenset({role}), frozenset({self.workspace}), key)

    def draft(self, **terms: Any) -> UUID:
        """Of what is live; with other terms where some are given."""
        key = plans.draft_from(self.database.rw, self.ada, self.live)
        if terms:
            self.change(key, **terms)
        return key

    def change(self, key: UUID, by: Viewer | None = None, **terms: Any) -> int:
        now = self.now(key)
        wanted = PlanTerms(**{**vars(now.terms), **terms})
        wanted = replace(wanted, price=Decimal(wanted.price))
        revision = now.now.revision
        return plans.change_draft(self.database.rw, by or self.ada, key, wanted, revision=revision, made_on=now.terms)

    def now(self, key: UUID) -> reading.PlanDetail:
        found = reading.plan(self.database.ro, self.ada, key)
        assert found is not None
        return found

    def revision(self, key: UUID) -> int:
        return self.now(key).now.revision

    def status(self, key: UUID) -> str:
        return self.now(key).now.status

    def simulate(self, key: UUID, *, revenue: int = 100, cost: int = 20, age: timedelta = timedelta(0)) -> None:
        """As if the simulator had found this of the draft as it is: 100 of revenue and 20 of cost, 80 % of margin."""
        now = datetime.now(UTC)
        with seeing(self.database.rw, [self.workspace], actor="the simulator") as connection:
            add(connection, "plan_simulations", made_at=now - age, plan_id=key,
                plan_revision=self.revision(key), since=now - 30 * DAY,
                until=now, currency="USD", revenue_before=100, revenue_after=revenue, ai_cost_before=20,
                ai_cost_after=cost, margin_before=80, margin_after=revenue - cost, workspaces=1,
                workspaces_hit_before=0, workspaces_hit=0, workspaces_eased=0, calls=2, refused_before=0,
                refused_after=0, unpriced=0)  # fmt: skip

    def ask(self, question: str, **named: Any) -> list[tuple[Any, ...]]:
        with self.database.setup.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question), named)]

    def do(self, statement: str, **named: Any) -> None:
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), named)

    def audited(self, table: str) -> list[tuple[Any, ...]]:
        """Who did what and why, oldest first; without what was there before anybody came."""
        return self.ask(
            "SELECT actor, action, reason FROM audit_log WHERE table_name = :table AND actor IS NOT NULL"
            " ORDER BY position",
            table=table,
        )


def make_shelf(database: Database) -> Shelf:
    with database.setup.begin() as connection:
        owner = user(connection, email="owner@acme.example").id
        acme = workspace(connection, owner_id=owner, name="Acme", slug="acme").id
        sold = plan(connection, product="mailer", tier="pro", version=1, name="Mailer Pro", price=20,
            status="published", published_at=NOON)  # fmt: skip
        add(connection, "plan_limits", plan_id=sold.id, meter="emails", period="month", amount=100)
        add(connection, "plan_features", plan_id=sold.id, feature="team_seats", kind="static", value=5)
        bought = subscription(connection, acme, owner, plan=sold, price=20, current_period_start=today() - 10 * DAY,
            current_period_end=today() + 20 * DAY).id  # fmt: skip
        team = [
            Viewer(name, frozenset({Role.ADMIN}), frozenset({acme}),
                add(connection, "team_members", email=f"{name}@team.example", name=name, roles=["admin"]).id)
            for name in ("Ada", "Bob")
        ]  # fmt: skip
    return Shelf(database, acme, owner, sold.id, bought, *team)
