"""The database rates the same calls to the same hand-computed costs as the app does, edge by edge."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.money.ledger import columns_of
from app.money.units import Usage, counted
from tests.db.rows import add, user, workspace
from tests.money.test_pricing import COMPUTED, MIDNIGHT, NOON, PRICES, UNPRICED, gemini, openai_tokens

RATED = """
    SELECT r.id, r.cost, r.price_version, r.unpriced_because
    FROM rated_ai_calls('-infinity', 'infinity', NULL, '{}', false) AS r
    """
SECOND = timedelta(seconds=1)


@pytest.fixture
def rated(database):
    """Costs, versions and reasons of these calls by the book of hand-computed prices, in their order."""
    with database.setup.begin() as connection:
        connection.execute(text("SELECT make_partitions_between('2025-12-01', '2026-07-01')"))
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id
        for one in PRICES:
            add(
                connection, "ai_prices", provider=one.provider, model=one.model, unit=one.unit.name,
                variant=one.unit.variant, price=one.price, per=one.per, service_tier=one.service_tier,
                context_from=one.context_from, valid_from=one.valid_from, valid_to=one.valid_to, version=one.version,
                approved_at=NOON, source="test",
            )  # fmt: skip

    def rate(*calls):
        with database.setup.begin() as connection:
            keys = [
                add(
                    connection, "ai_generations", workspace_id=home, user_id=customer, product="mailer",
                    provider=provider, model=model, generation_type="email", created_at=at,
                    **{"status": "completed", **columns_of(usage), **more},
                ).id
                for provider, model, usage, at, more in calls
            ]  # fmt: skip
            found = {row.id: tuple(row)[1:] for row in connection.execute(text(RATED))}
        return [found[key] for key in keys]

    return rate


def test_every_cost_that_was_computed_by_hand_is_the_databases_too(rated):
    found = rated(*((provider, model, usage, NOON, {}) for provider, model, usage, _ in COMPUTED.values()))
    apart = {
        name: (cost, reason)
        for (name, (*_, dollars)), (cost, _, reason) in zip(COMPUTED.items(), found, strict=True)
        if cost != Decimal(dollars)
    }
    assert apart == {}


def test_what_has_no_price_has_none_in_the_database_either_and_for_the_same_reason(rated):
    found = rated(*((provider, model, usage, at, {}) for provider, model, usage, at, _ in UNPRICED.values()))
    assert [(cost, version) for cost, version, _ in found] == [(None, None)] * len(UNPRICED)
    assert [reason for *_, reason in found] == [reason for *_, reason in UNPRICED.values()]


@pytest.mark.parametrize("misspelt", ["audio_inputs", "Input", "cache_write"])
def test_what_is_misspelt_is_priced_as_nothing_else(rated, misspelt):
    """The tokens beside it have a price: the call has none, and none of a context tier that it may have reached."""
    tokens = gemini(200_000)
    [(cost, version, reason)] = rated(("google", "gemini-pro", tokens, NOON, {"more_units": {misspelt: 9}}))
    assert (cost, version, reason) == (None, None, f"no price of {misspelt}")


def test_a_price_changes_at_midnight_utc_and_a_call_that_straddles_it_is_priced_by_when_it_began(rated):
    """Five dollars a million until midnight, two and a half from then on."""
    million = openai_tokens(1_000_000, 0, 0)
    before, after = MIDNIGHT - timedelta(microseconds=1), MIDNIGHT
    found = rated(
        ("openai", "gpt-4o", million, before, {}),
        ("openai", "gpt-4o", million, after, {}),
        ("openai", "gpt-4o", million, MIDNIGHT - 20 * SECOND, {"completed_at": MIDNIGHT + 20 * SECOND}),
    )
    assert [(cost, version) for cost, version, _ in found] == [(5, 1), (Decimal("2.5"), 2), (5, 1)]


@pytest.mark.parametrize(
    ("read", "dollars"),
    [(199_999, "0.24999875"), (200_000, "0.25"), (200_001, "0.5000025"), (200_002, "0.500005")],
)
def test_the_cliff_lies_between_two_tokens(rated, read, dollars):
    """Up to 200,000 at $1.25 a million; one token more, and all of them at $2.50."""
    [(cost, *_)] = rated(("google", "gemini-pro", gemini(read), NOON, {}))
    assert cost == Decimal(dollars)


def test_failed_and_repeated_attempts_cost_what_they_used(rated):
    usage = Usage(counted(input=1000))
    found = rated(
        ("openai", "gpt-4o", usage, NOON, {"status": "failed"}),
        ("openai", "gpt-4o", usage, NOON + SECOND, {"attempt": 2}),
        ("openai", "gpt-4o", Usage({}), NOON + 2 * SECOND, {"status": "failed", "attempt": 3}),
    )
    assert [cost for cost, *_ in found] == [Decimal("0.005"), Decimal("0.005"), 0]
