"""The database rates calls as a set: as the demo was priced, as one call is priced, and to the last digit."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from app.money.ledger import usage_in
from app.money.pricing import Book, Call, Price
from app.money.reported import UsageError
from app.money.units import Unit
from db.tables.ai import SERVICE_TIERS
from tests.db.loaded import demo_database
from tests.db.rows import NOON, add, user, workspace
from tests.servers import Database, Server

RATE = "SELECT * FROM rated_ai_calls('-infinity', 'infinity', NULL, '{}', false)"
ROW = """
    SELECT g.id, g.provider, g.model, g.created_at, g.service_tier, g.input_tokens, g.cached_input_tokens,
        g.cache_write_tokens, g.cache_write_1h_tokens, g.output_tokens, g.reasoning_tokens, g.images, g.image_size,
        g.image_quality, g.audio_seconds, g.video_seconds, g.tool_calls, g.more_units, g.cost, g.price_version,
        g.unpriced_because AS because,
        r.cost AS rated_cost, r.price_version AS rated_version, r.unpriced_because
    FROM ai_generations AS g
    JOIN rated_ai_calls('-infinity', 'infinity', NULL, '{}', false) AS r USING (workspace_id, id, created_at)
"""
# Written apart from the rating: every price that fits, of which no other fits better.
ORACLE = """
    SELECT g.id, g.cost, g.price_version, SUM(p.price / p.per * CASE p.unit
        WHEN 'input' THEN g.input_tokens
        WHEN 'cached_input' THEN g.cached_input_tokens
        WHEN 'cache_write_5m' THEN g.cache_write_tokens
        WHEN 'output' THEN g.output_tokens
        WHEN 'reasoning' THEN g.reasoning_tokens
        WHEN 'image' THEN g.images
        WHEN 'video_second' THEN g.video_seconds
    END) AS recomputed, MAX(p.version) AS version
    FROM ai_generations AS g
    LEFT JOIN ai_prices AS p ON p.provider = g.provider AND p.model = g.model AND p.service_tier = g.service_tier
        AND p.valid_from <= g.created_at AND (p.valid_to IS NULL OR g.created_at < p.valid_to)
        AND p.variant IN ('', g.image_size || '/' || g.image_quality)
        AND p.approved_at IS NOT NULL AND p.superseded_by IS NULL
    GROUP BY g.id, g.cost, g.price_version
"""


@pytest.fixture(scope="module")
def demo(server18: Server) -> Iterator[Database]:
    with demo_database(server18) as copied:
        yield copied


def asked(engine, question, **values):
    with engine.connect() as connection:
        return connection.execute(text(question), values).all()


def book_of(engine):
    rows = asked(engine, "SELECT * FROM ai_prices WHERE approved_at IS NOT NULL AND superseded_by IS NULL")
    return Book(
        Price(
            row.provider, row.model, Unit(row.unit, row.variant), row.price, row.per, row.valid_from, row.valid_to,
            row.service_tier, row.context_from, row.version,
        )
        for row in rows
    )  # fmt: skip


def as_one_call(book, row):
    usage = usage_in(row._mapping)
    return book.price(Call(row.provider, row.model, row.created_at, usage))


def test_rating_the_demo_changes_nothing_to_the_last_digit(demo):
    rows = asked(demo.setup, ROW)
    assert len(rows) > 1000
    apart = [
        row.id
        for row in rows
        if (row.cost, row.price_version, row.because) != (row.rated_cost, row.rated_version, row.unpriced_because)
    ]
    assert apart == []
    assert {row.unpriced_because for row in rows} == {None, "no prices of the model, standard"}


def test_a_second_reckoning_agrees_on_every_call_of_the_demo(demo):
    rows = asked(demo.setup, ORACLE)
    assert [row.id for row in rows if (row.cost, row.price_version) != (row.recomputed, row.version)] == []


def test_one_call_is_priced_as_the_set_is_on_every_call_of_the_demo(demo):
    book = book_of(demo.setup)
    rows = asked(demo.setup, ROW)
    apart = [
        row.id
        for row in rows
        for priced in [as_one_call(book, row)]
        if (priced.cost, priced.version, priced.unpriced_because)
        != (row.rated_cost, row.rated_version, row.unpriced_because)
    ]
    assert apart == []


REFUSED = "more by kind than in all"


def by_itself(book, row):
    try:
        priced = as_one_call(book, row)
    except UsageError:
        return REFUSED
    return priced.cost, priced.version, priced.unpriced_because


def price(connection, unit, dollars, variant="", **values):
    return add(
        connection, "ai_prices", unit=unit, variant=variant, price=Decimal(dollars),
        **{"provider": "openai", "model": "m1", "per": 1_000_000, "valid_from": NOON - timedelta(days=40),
           "approved_at": NOON, "version": 1, "source": "test", **values},
    )  # fmt: skip


def call(connection, home, customer, **values):
    return add(
        connection, "ai_generations", workspace_id=home, user_id=customer,
        **{"product": "mailer", "provider": "openai", "model": "m1", "generation_type": "email",
           "status": "completed", "created_at": NOON, **values},
    )  # fmt: skip


@pytest.fixture
def home(database):
    with database.setup.begin() as connection:
        customer = user(connection).id
        yield connection, workspace(connection, owner_id=customer).id, customer


VARIANTS = {
    "input": [""],
    "output": [""],
    "audio_input": [""],
    "cache_write_5m": [""],
    "cache_write_1h": [""],
    "image": ["", "a", "a/hd"],
    "tool_call": ["", "web_search"],
    "video_second": ["", "4k"],
}
KINDS = (
    {},
    {},
    {"image/a": 1, "image/a/hd": 1},
    {"image/a/hd": 2},
    {"tool_call/web_search": 2},
    {"video_second/4k": 2.5},
    {"audio_input": 90},
)


def any_prices(chance):
    """The keys of many prices, each once."""
    keys = set()
    for _ in range(120):
        unit = chance.choice(list(VARIANTS))
        valid_from = NOON - timedelta(days=chance.choice((40, 9, 2)))
        tier, context = chance.choice(SERVICE_TIERS[:2]), chance.choice((0, 0, 101, 1001))
        keys.add((unit, chance.choice(VARIANTS[unit]), chance.choice(("m1", "m2")), tier, context, valid_from))
    for key in sorted(keys):
        names = ("unit", "variant", "model", "service_tier", "context_from", "valid_from")
        ends = chance.choice((None, None, NOON + timedelta(hours=1), key[-1] + timedelta(days=3)))
        yield dict(zip(names, key, strict=True)) | {"version": chance.randint(1, 9), "valid_to": ends}


def any_usage(chance):
    written, kinds = chance.choice((0, 0, 30)), chance.choice(KINDS)
    return {
        "model": chance.choice(("m1", "m1", "m2", "m3")),
        "service_tier": chance.choice(SERVICE_TIERS[:2]),
        "input_tokens": chance.choice((0, 10, 100, 101, 1000, 5000)),
        "output_tokens": chance.choice((0, 7)),
        "cache_write_tokens": written,
        "cache_write_1h_tokens": chance.choice((0, written)),
        "images": chance.choice((0, 0, 2, 3)),
        "image_size": chance.choice((None, "a")),
        "image_quality": chance.choice((None, "hd")),
        "tool_calls": 2 * ("tool_call/web_search" in kinds),
        "video_seconds": Decimal("2.5") * ("video_second/4k" in kinds),
        "more_units": kinds,
    }


def test_prices_and_calls_of_any_shape_are_rated_alike_one_by_one_and_as_a_set(database, home):
    """Kinds, tiers, overlaps and rests by chance: the two ways have nothing in common but the rules."""
    connection, tenant, customer = home
    chance = random.Random(5)
    for key in any_prices(chance):
        price(connection, dollars=f"{chance.randint(1, 999)}.5", **key)
    for number in range(400):
        call(connection, tenant, customer, created_at=NOON - timedelta(hours=number % 300), **any_usage(chance))
    connection.commit()
    book, rows = book_of(database.setup), asked(database.setup, ROW)
    told = {row.id: by_itself(book, row) for row in rows}
    rated = {row.id: (row.rated_cost, row.rated_version, row.unpriced_because) for row in rows}
    refused = [key for key, priced in told.items() if priced == REFUSED]
    assert {key: priced for key, priced in told.items() if priced not in {REFUSED, rated[key]}} == {}
    assert [key for key in refused if rated[key][0] is not None] == []
    assert len(rows) == 400
    assert len(refused) > 5
    assert sum(cost is not None for cost, _, _ in rated.values()) > 50


def test_a_million_calls_at_0_00002055_cost_20_dollars_55_exactly(database, home):
    """137 tokens at 15 cents a million: rounded to the documents' four places each of them would cost nothing."""
    connection, tenant, customer = home
    price(connection, "input", "0.15")
    one = call(connection, tenant, customer, input_tokens=137)
    connection.commit()
    assert asked(database.setup, f"SELECT cost FROM ({RATE}) AS r") == [(Decimal("0.000020550000"),)]
    with database.rw.begin() as writer:
        assert writer.scalar(text("SELECT price_new_ai_calls('-infinity')")) == 1
    repeated = "SELECT SUM(g.cost) FROM ai_generations AS g CROSS JOIN generate_series(1, 1000000) WHERE g.id = :id"
    assert asked(database.setup, repeated, id=one.id) == [(Decimal("20.55"),)]


def test_calls_that_are_not_over_are_not_rated_and_new_ones_are(database, home):
    connection, tenant, customer = home
    price(connection, "input", "1")
    made = {
        status: call(connection, tenant, customer, status=status, input_tokens=1_000_000).id
        for status in ("pending", "processing", "completed", "failed", "cancelled")
    }
    connection.commit()
    with database.rw.begin() as writer:
        assert writer.scalar(text("SELECT price_new_ai_calls('-infinity')")) == 3
    costs = dict(asked(database.setup, "SELECT id, cost FROM ai_generations"))
    assert {status: costs[key] for status, key in made.items()} == {
        "pending": None, "processing": None, "completed": 1, "failed": 1, "cancelled": 1
    }  # fmt: skip
    [(spent, failed)] = asked(database.setup, "SELECT SUM(cost), SUM(failed_count) FROM ai_cost_tracking")
    assert (spent, failed) == (3, 1)


def test_usage_that_is_restated_is_priced_anew(database, home):
    connection, tenant, customer = home
    price(connection, "input", "2")
    call(connection, tenant, customer, input_tokens=1_000_000)
    connection.commit()
    state = "SELECT cost, price_version, unpriced_because FROM ai_generations"
    spent = "SELECT SUM(cost) FROM ai_cost_tracking"

    def write(statement):
        with database.setup.begin() as writer:
            writer.execute(text(statement))

    pricing = "SELECT price_new_ai_calls('-infinity')"
    write(pricing)
    assert asked(database.setup, state) == [(2, 1, None)]
    write("UPDATE ai_generations SET user_rating = 5")
    assert asked(database.setup, state) == [(2, 1, None)]
    write("UPDATE ai_generations SET input_tokens = 3000000, cost = 2, price_version = 1")
    assert asked(database.setup, state) == [(None, None, None)]
    assert asked(database.setup, spent) == [(0,)]
    write(pricing)
    assert asked(database.setup, state) == [(6, 1, None)]
    assert asked(database.setup, spent) == [(6,)]
    write("UPDATE ai_generations SET input_tokens = 1, cost = 9")
    assert asked(database.setup, state) == [(9, 1, None)]


def test_why_a_call_has_no_price_stands_beside_it_until_it_has_one(database, home):
    connection, tenant, customer = home
    price(connection, "input", "1", valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    call(connection, tenant, customer, input_tokens=1_000_000, output_tokens=5)
    connection.commit()
    state = "SELECT cost, price_version, unpriced_because FROM ai_generations"
    with database.rw.begin() as writer:
        writer.scalar(text("SELECT price_new_ai_calls('-infinity')"))
    assert asked(database.setup, state) == [(None, None, "no price of output")]
    with database.setup.begin() as writer:
        price(writer, "output", "0")
    with database.rw.begin() as writer:
        writer.scalar(text("SELECT price_new_ai_calls('-infinity')"))
    assert asked(database.setup, state) == [(1, 1, None)]
