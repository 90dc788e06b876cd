"""A workspace with a plan, and the engine of quotas as a product calls it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.engine import seeing
from tests import oracles
from tests.db.rows import NOON, add, member, plan, subscription, user, workspace
from tests.servers import Database

SUMS = (Path(oracles.__file__).parent / "quota_sums.sql").read_text(encoding="utf-8")
BEGAN = datetime(2026, 1, 15, 12, tzinfo=UTC)


@dataclass
class Shop:
    """One workspace, its owner, and its plan: of the web builder, where nothing else is said."""

    database: Database
    workspace: UUID
    owner: UUID
    plan: UUID
    subscription: UUID

    def call(self, question: str, **named: Any) -> Any:
        """Ask as a product does: as the role of commands, in a transaction of this workspace alone."""
        with seeing(self.database.rw, [self.workspace], actor="a product") as connection:
            return connection.scalar(text(question), {"workspace": self.workspace, **named})

    def reserve(self, key, *, at=None, customer=None, meters=None, product="web_builder", paid=0, call=None):
        return self.call(
            "SELECT quota_reserve(:workspace, :customer, :product, CAST(:meters AS JSONB), :key, CAST(:call AS JSONB),"
            " :credits, at => COALESCE(:at, clock_timestamp()))",
            customer=customer or self.owner, product=product, meters=json.dumps(meters or {"generations": 1}), key=key,
            call=json.dumps(call or {}), credits=paid, at=at,
        )  # fmt: skip

    def settle(self, key, *, at=None, actual=None, cost=None, paid=None):
        return self.call(
            "SELECT quota_settle(:workspace, :key, CAST(:actual AS JSONB), :cost, :credits,"
            " COALESCE(:at, clock_timestamp()))",
            key=key, actual=json.dumps(actual or {}), cost=cost, credits=paid, at=at,
        )  # fmt: skip

    def release(self, key, *, at=None):
        return self.call("SELECT quota_release(:workspace, :key, COALESCE(:at, clock_timestamp()))", key=key, at=at)

    def expire(self, at, at_most=1000):
        with self.database.setup.begin() as connection:
            return connection.scalar(text("SELECT expire_quotas_at(:at, :most)"), {"at": at, "most": at_most})

    def add(self, table, **values):
        with self.database.setup.begin() as connection:
            return add(connection, table, **values)

    def limit(self, amount, *, meter="generations", **values):
        return self.add("plan_limits", plan_id=self.plan, meter=meter, amount=amount, **values)

    def override(self, amount, *, starts_at, ends_at, customer=None, period="month", meter="generations"):
        return self.add("quota_overrides", workspace_id=self.workspace, user_id=customer, product="web_builder",
            meter=meter, period=period, limit_amount=amount, reason="test", starts_at=starts_at,
            ends_at=ends_at)  # fmt: skip

    def do(self, statement, **named):
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), named)

    def ask(self, question, **named):
        with self.database.setup.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question), named)]

    def used_and_held(self, meter="generations", customer=None):
        """Of the newest period."""
        [*_, last] = self.ask(
            "SELECT used, held FROM quota_balances WHERE meter = :meter AND user_id IS NOT DISTINCT FROM :customer"
            " ORDER BY period_start",
            meter=meter, customer=customer,
        )  # fmt: skip
        return last

    def wrong_sums(self):
        return self.ask(SUMS)


def make_shop(database, *, zone="UTC", began=BEGAN, **of_plan):
    with database.setup.begin() as connection:
        owner = user(connection).id
        home = workspace(connection, owner_id=owner, timezone=zone, created_at=began).id
        bought = plan(
            connection,
            **{"product": "web_builder", "tier": "creator", "price": 19, "status": "published", "published_at": NOON}
            | of_plan,
        )
        live = subscription(connection, home, owner, plan=bought, tier=bought.tier, started_at=began).id
    return Shop(database, home, owner, bought.id, live)


def colleague(shop):
    with shop.database.setup.begin() as connection:
        other = user(connection).id
        member(connection, shop.workspace, other, "editor")
    return other
