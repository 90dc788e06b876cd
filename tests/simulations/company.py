"""A company whose shops have a plan, and a draft of its next version; and the draft as if it had gone live."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.access import Role, Viewer, all_workspaces
from app.commands.simulations import simulate_plan
from tests.db.rows import plan, subscription, user, workspace
from tests.quotas.shop import make_shop

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
PUBLISHED = NOW - timedelta(days=20)


class Company:
    """One shop on a plan of 36.50 a month, 1.20 a day, and a draft of twice the price."""

    def __init__(self, database):
        self.database = database
        self.shop = make_shop(database)
        self.shop.do("UPDATE subscriptions SET price = 36.5")
        self.shop.do("UPDATE plans SET tier = 'creator'")
        self.draft = self.made(price=73)

    def made(self, **values):
        with self.database.setup.begin() as connection:
            return plan(connection, product="web_builder", tier="creator", **values).id

    def limit(self, amount, *, of=None, meter="generations", period="lifetime", **values):
        return self.shop.add("plan_limits", plan_id=of or self.draft, meter=meter, amount=amount, period=period,
            **values)  # fmt: skip

    def generated(self, *hours_ago, cost="0.5", home=None, who=None):
        for hours in hours_ago:
            self.shop.add("ai_generations", workspace_id=home or self.shop.workspace, user_id=who or self.shop.owner,
                product="web_builder", provider="openai", model="gpt", generation_type="component", status="completed",
                created_at=NOW - hours * HOUR, cost=cost, price_version=1)  # fmt: skip

    def neighbour(self, **values):
        """Another workspace on the same plan, and its owner."""
        with self.database.setup.begin() as connection:
            owner = user(connection).id
            home = workspace(connection, owner_id=owner, created_at=NOW - 900 * HOUR).id
            row = connection.execute(text("SELECT * FROM plans WHERE id = :id"), {"id": self.shop.plan}).one()
            subscription(connection, home, owner, plan=row, **{"price": 0, "started_at": NOW - 900 * HOUR, **values})
        return home, owner

    def simulated(self, *, days=30, by=None, **asked):
        return simulate_plan(self.database.rw, by or self.admin(), self.draft, days=days, **asked)

    def admin(self):
        return Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(self.database.pipe))


def publish(company):
    """As if it had gone live 20 days ago, and the shop had it."""
    long_ago = PUBLISHED - timedelta(days=300)
    company.shop.do("UPDATE plans SET price = 36.5, published_at = :at WHERE id = :id", at=long_ago,
        id=company.shop.plan)  # fmt: skip
    company.shop.do("UPDATE plans SET status = 'retired', retired_at = :at WHERE id = :id", at=PUBLISHED,
        id=company.shop.plan)  # fmt: skip
    company.shop.do("UPDATE plans SET status = 'published', published_at = :at WHERE id = :id", at=PUBLISHED,
        id=company.draft)  # fmt: skip
    company.shop.do("UPDATE subscriptions SET plan_id = :id, price = 73", id=company.draft)
