"""A shop, what it did, and a draft that this goes through as if the shop had had it."""

from datetime import timedelta

from sqlalchemy import text

from db.engine import seeing
from tests.db.rows import NOON, plan
from tests.quotas.shop import make_shop

FIRST = NOON.replace(day=1, hour=0)
BEGAN = FIRST + timedelta(hours=9)
DAY = timedelta(days=1)


def at(days, hours=12):
    """So many days after the first of last month, at noon."""
    return FIRST + timedelta(days=days, hours=hours)


class Past:
    """A shop whose plan allows anything, what it did, and a draft."""

    def __init__(self, database, *, zone="UTC", began=BEGAN, product="web_builder"):
        self.product = product
        self.shop = make_shop(database, zone=zone, began=began, product=product)
        with database.setup.begin() as connection:
            self.draft = plan(connection, product=product, tier="creator").id
        self.since, self.until = began, began + 40 * DAY

    def limit(self, amount, *, meter="generations", **values):
        return self.shop.add("plan_limits", plan_id=self.draft, meter=meter, amount=amount, **values)

    def generated(self, *moments, status="completed", customer=None, home=None, **values):
        for moment in moments:
            usual = {"provider": "openai", "model": "gpt", "generation_type": "component", "cost": "0.5"}
            self.shop.add("ai_generations", workspace_id=home or self.shop.workspace,
                user_id=customer or self.shop.owner, product=self.product, status=status, created_at=moment,
                price_version=1, **{**usual, **values})  # fmt: skip

    def logged(self, feature, *uses):
        for moment, quantity in uses:
            self.shop.add("usage_logs", workspace_id=self.shop.workspace, user_id=self.shop.owner,
                product=self.product, feature=feature, logged_at=moment, quantity=quantity)  # fmt: skip

    def replayed(self, since=None):
        return self.ask(
            "SELECT r.key, r.at, r.verdict, r.calls, r.amount, (r.level).meter, (r.level).period, (r.level).source"
            " FROM replay_quotas(:workspace, :product, :draft, :since, :until) AS r",
            since,
        )

    def refused(self, since=None):
        """When, how often, how much."""
        return [(row.at, row.calls, row.amount) for row in self.replayed(since) if row.verdict == "refused"]

    def calls(self, since=None):
        return self.ask(
            "SELECT c.key, c.customer, c.at, c.wanted, c.uses_it, c.times"
            " FROM metered_calls(:workspace, :product, :since, :until) AS c ORDER BY c.at, c.key",
            since,
        )

    def ask(self, question, since=None):
        with seeing(self.shop.database.rw, [self.shop.workspace]) as connection:
            return connection.execute(
                text(question),
                {"workspace": self.shop.workspace, "product": self.product, "draft": self.draft,
                 "since": since or self.since, "until": self.until},
            ).all()  # fmt: skip

    def enforced(self):
        """Publish the draft to the shop, and make the same calls once more: when the engine refused, and how often."""
        self.shop.do("UPDATE subscriptions SET plan_id = :plan", plan=self.draft)
        refused = {}
        for one in self.calls():
            for number in range(one.times):
                key = f"{one.key} {number}"
                told = self.shop.reserve(key, at=one.at, customer=one.customer, meters=one.wanted, product=self.product)
                if told["verdict"] == "refused":
                    refused[one.key] = refused.get(one.key, 0) + 1
                else:
                    actual = {} if one.uses_it else dict.fromkeys(one.wanted, 0)
                    self.shop.settle(key, at=one.at, actual=actual)
        return refused

    def agrees(self):
        """Whether the engine refuses what the replay says, call by call."""
        told = {row.key: row.calls for row in self.replayed() if row.verdict == "refused"}
        return told == self.enforced()
