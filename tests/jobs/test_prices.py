"""Calls that came without a cost get one from the worker, or the reason why they have none."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.jobs.catalogue import Catalogue
from app.jobs.prices import price_jobs
from tests.db.rows import NOON, add, user, workspace

KINDS = Catalogue(price_jobs())


def test_new_calls_are_priced_by_the_book_once(each_yard):
    """A million tokens at two dollars a million; nobody knows what the other model costs."""
    with each_yard.database.setup.begin() as connection:
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id
        add(connection, "ai_prices", provider="openai", model="m", unit="input", price=2, version=1, source="test",
            valid_from=datetime(2020, 1, 1, tzinfo=UTC), approved_at=NOON)  # fmt: skip
        for model in ("m", "unheard-of"):
            add(connection, "ai_generations", workspace_id=home, user_id=customer, product="mailer", provider="openai",
                model=model, generation_type="email", status="completed", created_at=NOON,
                input_tokens=1_000_000)  # fmt: skip
    for _ in range(2):
        each_yard.add("price_new_calls")
        each_yard.run(kinds=KINDS)
    state = each_yard.ask("SELECT cost, unpriced_because FROM ai_generations ORDER BY model")
    assert state == [(2, None), (None, "no prices of the model, standard")]
    with each_yard.database.setup.connect() as connection:
        found = connection.execute(text("SELECT result FROM jobs ORDER BY created_at"))
        assert [row.result for row in found] == [{"calls": 2}, {"calls": 0}]


def test_what_was_restated_long_ago_is_priced_within_a_day_unless_its_month_is_closed(each_yard):
    """Two million tokens of a hundred days ago, and of the month before that, which is closed."""
    restated = NOON - timedelta(days=100)
    closed = (restated.replace(day=1) - timedelta(days=10)).replace(hour=0)
    with each_yard.database.setup.begin() as connection:
        connection.execute(
            text("SELECT make_partitions_between(:since, :until)"),
            {"since": closed.date().replace(day=1), "until": NOON.date()},
        )
        customer = user(connection).id
        home = workspace(connection, owner_id=customer).id
        add(connection, "ai_prices", provider="openai", model="m", unit="input", price=2, version=1, source="test",
            valid_from=datetime(2020, 1, 1, tzinfo=UTC), approved_at=NOON)  # fmt: skip
        for at in (restated, closed):
            add(connection, "ai_generations", workspace_id=home, user_id=customer, product="mailer", provider="openai",
                model="m", generation_type="email", status="completed", created_at=at,
                input_tokens=2_000_000)  # fmt: skip
        connection.execute(text("SELECT close_ai_month(:month, NULL)"), {"month": closed.date().replace(day=1)})
    each_yard.add("price_new_calls")
    each_yard.run(kinds=KINDS)
    assert each_yard.ask("SELECT cost FROM ai_generations") == [(None,), (None,)]
    each_yard.add("price_old_calls")
    each_yard.run(kinds=KINDS)
    assert each_yard.ask("SELECT cost FROM ai_generations ORDER BY created_at") == [(None,), (4,)]
