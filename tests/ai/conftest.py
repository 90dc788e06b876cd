"""A workspace whose plan has generations, a model with prices, and a server that plays the model."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from app.ai.access import Access
from app.ai.asked import Asked
from app.ai.metered import MeteredClient
from tests.ai.server import Script, model_server
from tests.quotas.shop import BEGAN, Shop, make_shop

# Dollars for a million tokens.
PRICES = {"input": 1, "cached_input": "0.1", "output": 10, "reasoning": 10}


@dataclass
class Studio:
    """Where calls are made from, what the server does to them, and how long the client waited between attempts."""

    shop: Shop
    server: Script
    waits: list[float] = field(default_factory=list)
    access: dict[str, Any] = field(default_factory=dict)

    @property
    def client(self):
        access = {"key": "test key", "base_url": self.server.url, "provider": "openai", "model": "m",
                  "timeout_seconds": 5.0, "unpriced_ceiling": None}  # fmt: skip
        return MeteredClient(self.shop.database.rw, Access(**access | self.access), sleep=self.waits.append)

    def asked(self, **values):
        return Asked(self.shop.workspace, self.shop.owner, "web_builder", "component",
            [{"role": "user", "content": "Write."}],
            **{"most_tokens": 50, "request_key": uuid4()} | values)  # fmt: skip

    def rows(self, columns="attempt, status, error_code, cost, unpriced_because"):
        return self.shop.ask(f"SELECT {columns} FROM ai_generations ORDER BY created_at")

    def held_dollars(self):
        """Of budgets, beyond what has arrived as spent."""
        [[amount]] = self.shop.ask("SELECT COALESCE(SUM(amount - arrived), 0) FROM ai_holds WHERE expires_at > now()")
        return amount

    def spent(self):
        """As costs are counted by the day."""
        [[amount]] = self.shop.ask("SELECT COALESCE(SUM(cost), 0) FROM ai_cost_tracking")
        return amount


def make_studio(database, server):
    shop = make_shop(database)
    shop.limit(3)
    for unit, dollars in PRICES.items():
        shop.add("ai_prices", provider="openai", model="m", unit=unit, price=dollars, version=1, source="test",
            valid_from=BEGAN, approved_at=BEGAN)  # fmt: skip
    return Studio(shop, server)


@pytest.fixture
def studio(database):
    with model_server() as server:
        yield make_studio(database, server)
