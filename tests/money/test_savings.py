"""What caches and batches saved: computed by hand, kept with the call when it is rated, and as the demo says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.db.loaded import demo_database
from tests.db.rows import NOON, add, user, workspace
from tests.servers import Database, Server, migrate, new_database

BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
MILLION = 1_000_000
# Dollars for a million: a cache costs a tenth to read, a quarter more to write, and a batch half.
PRICES = {"input": "4", "cached_input": "0.40", "cache_write_5m": "5", "cache_write_1h": "8", "output": "20"}


@pytest.fixture(scope="module")
def priced(server18: Server) -> Iterator[Database]:
    with new_database(server18) as fresh:
        with fresh.setup.begin() as connection:
            for unit, price in PRICES.items():
                for tier, share in (("standard", 1), ("batch", 2)):
                    _price(connection, unit, Decimal(price) / share, tier)
            # Above 100,000 tokens everything costs double.
            for unit in ("input", "cached_input"):
                _price(connection, unit, Decimal(PRICES[unit]) * 2, "standard", context_from=100_000)
            _price(connection, "input", Decimal(2), "batch", model="only_in_batches")
        yield fresh


def _price(connection, unit, price, tier, *, model="large", **more):
    add(
        connection, "ai_prices", provider="openai", model=model, unit=unit, service_tier=tier, price=price,
        valid_from=BEGUN, source="hand", approved_at=BEGUN, version=1, **more,
    )  # fmt: skip


def saved(database, **used):
    """Rate one call that used this, and say what it cost and saved."""
    with database.setup.begin() as connection:
        owner = user(connection)
        home = workspace(connection, owner_id=owner.id)
        tier = used.pop("service_tier", "standard")
        add(
            connection, "ai_generations", workspace_id=home.id, user_id=owner.id, product="mailer", provider="openai",
            model=used.pop("model", "large"), generation_type="email", status="completed", created_at=NOON,
            service_tier=tier, **used,
        )  # fmt: skip
        since = {"since": NOON - timedelta(days=1)}
        connection.execute(text("SELECT rate_ai_calls(:since, 'infinity', NULL, true)"), since)
        asked = text("SELECT cost, cache_saving, batch_saving FROM ai_generations WHERE workspace_id = :home")
        found = connection.execute(asked, {"home": home.id}).one()
        return tuple(found)


def test_a_plain_call_saves_nothing(priced):
    assert saved(priced, input_tokens=MILLION // 20, output_tokens=1000) == (Decimal("0.22"), None, None)


def test_reading_from_a_cache_saves_nine_tenths_of_the_input(priced):
    """10,000 tokens: 4 cents plain, 0.4 cents from the cache."""
    assert saved(priced, cached_input_tokens=10_000) == (Decimal("0.004"), Decimal("0.036"), None)


def test_writing_into_a_cache_costs_more_and_is_taken_off(priced):
    """10,000 tokens for five minutes are 1 cent above the plain 4, for an hour 4 cents."""
    assert saved(priced, cache_write_tokens=10_000) == (Decimal("0.05"), Decimal("-0.01"), None)
    assert saved(priced, cache_write_tokens=10_000, cache_write_1h_tokens=10_000) == (
        Decimal("0.08"), Decimal("-0.04"), None,
    )  # fmt: skip


def test_a_batch_saves_half_of_the_whole_call(priced):
    assert saved(priced, service_tier="batch", input_tokens=10_000, output_tokens=1000) == (
        Decimal("0.03"), None, Decimal("0.03"),
    )  # fmt: skip


def test_a_cached_batch_saves_twice_and_nothing_is_counted_in_both(priced):
    """Plain and standard it is 4 cents; the cache takes 3.6 of them, and the batch half of the 0.4 that are left."""
    cost, cache, batch = saved(priced, service_tier="batch", cached_input_tokens=10_000)
    assert (cost, cache, batch) == (Decimal("0.002"), Decimal("0.036"), Decimal("0.002"))
    assert cost + cache + batch == Decimal("0.04")


@pytest.mark.parametrize(("tokens", "cost", "saving"), [(99_999, "0.0399996", "0.3599964"), (100_000, "0.08", "0.72")])
def test_the_context_that_reprices_the_call_reprices_what_it_saved(priced, tokens, cost, saving):
    assert saved(priced, cached_input_tokens=tokens) == (Decimal(cost), Decimal(saving), None)


def test_without_a_standard_price_nothing_is_known_to_be_saved(priced):
    assert saved(priced, model="only_in_batches", service_tier="batch", input_tokens=MILLION) == (2, None, None)


def test_an_unpriced_call_saved_nothing_known(priced):
    assert saved(priced, model="unheard", service_tier="batch", cached_input_tokens=5) == (None, None, None)


def test_what_is_restated_is_forgotten(priced):
    with priced.setup.begin() as connection:
        owner = user(connection)
        home = workspace(connection, owner_id=owner.id)
        add(
            connection, "ai_generations", workspace_id=home.id, user_id=owner.id, product="mailer", provider="openai",
            model="large", generation_type="email", status="completed", created_at=NOON, cached_input_tokens=10_000,
            cost=1, price_version=1, cache_saving=2, batch_saving=3,
        )  # fmt: skip
        connection.execute(
            text("UPDATE ai_generations SET cached_input_tokens = 20000 WHERE workspace_id = :home"), {"home": home.id}
        )
        asked = text("SELECT cost, cache_saving, batch_saving FROM ai_generations WHERE workspace_id = :home")
        assert tuple(connection.execute(asked, {"home": home.id}).one()) == (None, None, None)


# Written apart: each kind of token at its own price and at that of plain input; in the demo a batch costs half.
_BY_THE_BOOK = """
    SELECT
        COUNT(*) FILTER (WHERE t.cache_saving IS DISTINCT FROM CASE
            WHEN t.cached_input_tokens + t.cache_write_tokens > 0 THEN
                t.cached_input_tokens * (p.input - p.cached) + t.cache_write_tokens * (p.input - p.written) END),
        COUNT(*) FILTER (WHERE t.batch_saving IS DISTINCT FROM CASE
            WHEN t.service_tier = 'batch' AND t.cost > 0 THEN t.cost END),
        SUM(t.cache_saving), SUM(t.batch_saving)
    FROM ai_generations AS t
    LEFT JOIN LATERAL (
        SELECT
            SUM(price / per) FILTER (WHERE unit = 'input') AS input,
            COALESCE(SUM(price / per) FILTER (WHERE unit = 'cached_input'), 0) AS cached,
            COALESCE(SUM(price / per) FILTER (WHERE unit = 'cache_write_5m'), 0) AS written
        FROM ai_prices
        WHERE provider = t.provider AND model = t.model AND service_tier = 'standard' AND approved_at IS NOT NULL
            AND superseded_by IS NULL AND valid_from <= t.created_at AND (valid_to IS NULL OR t.created_at < valid_to)
    ) AS p ON true
    WHERE t.cost IS NOT NULL
"""
_BY_THE_FUNCTION = """
    SELECT COUNT(*) FROM ai_generations AS t
    LEFT JOIN standard_cost_of_ai_calls('-infinity', 'infinity', NULL, false) AS s USING (workspace_id, id, created_at)
    WHERE t.cost IS NOT NULL AND (t.cache_saving, t.batch_saving) IS DISTINCT FROM
        (s.cache_saving, CASE WHEN t.service_tier = 'batch' THEN s.standard_cost - t.cost END)
"""


def test_the_demo_saved_what_its_prices_say(server18):
    """Three ways agree on every call: as the demo wrote it, by the function that rates, and by the prices."""
    with demo_database(server18) as demo, demo.setup.connect() as connection:
        wrong_cache, wrong_batch, cache, batch = connection.execute(text(_BY_THE_BOOK)).one()
        assert (wrong_cache, wrong_batch) == (0, 0)
        assert connection.scalar(text(_BY_THE_FUNCTION)) == 0
    assert cache > 0
    assert batch > 0


def test_calls_of_before_learn_what_they_saved_also_those_of_closed_months(server18):
    """What a month cost stays as it was closed; what it saved is a comparison, found when the columns came."""
    with new_database(server18) as fresh:
        with fresh.setup.begin() as connection:
            for unit, price in PRICES.items():
                _price(connection, unit, Decimal(price), "standard")
            owner = user(connection)
            home = workspace(connection, owner_id=owner.id)
            add(
                connection, "ai_generations", workspace_id=home.id, user_id=owner.id, product="mailer",
                provider="openai", model="large", generation_type="email", status="completed", created_at=NOON,
                cached_input_tokens=10_000, cost=Decimal("0.004"), price_version=1,
            )  # fmt: skip
            connection.execute(text("SELECT close_ai_month(:month, NULL)"), {"month": NOON.date().replace(day=1)})
        migrate(fresh.setup, "-0023")
        migrate(fresh.setup)
        with fresh.setup.connect() as connection:
            asked = text("SELECT cost, cache_saving, batch_saving FROM ai_generations")
            assert tuple(connection.execute(asked).one()) == (Decimal("0.004"), Decimal("0.036"), None)
