"""Corrections of closed months reach the cost of AI, whatever else a refresh brings, and whoever is asked."""

from decimal import Decimal

import pytest

from tests.lake.lakes import LONG_AGO, NOON, LakeOf, lake_with_company, session


@pytest.fixture
def lake(database, tmp_path) -> LakeOf:
    return lake_with_company(database, tmp_path / "lake")


@pytest.fixture
def writer(database):
    with session(database) as connection:
        connection.execute(
            "INSERT INTO ai_months VALUES (date_trunc('month', CAST(%s AS timestamptz)), now(), NULL, 0, 0, 0)",
            (LONG_AGO,),
        )
        yield connection


def call(connection, cost):
    connection.execute(
        """INSERT INTO ai_generations (workspace_id, user_id, product, provider, model, generation_type, status,
            created_at, cost, price_version)
        SELECT w.id, u.id, 'craft_ads', 'google', 'imagen', 'image', 'completed', %s, %s, 1
        FROM workspaces AS w, users AS u WHERE w.slug = 'w1' AND u.email LIKE 'u1@%%'""",
        (NOON, cost),
    )


def correct(connection, amount):
    connection.execute(
        """INSERT INTO ai_cost_corrections (workspace_id, month, kind, product, provider, model, generation_type,
            amount, reason)
        SELECT w.id, date_trunc('month', CAST(%s AS timestamptz)), 'late_usage', 'craft_ads', 'google', 'imagen',
            'image', %s, 'It came late.'
        FROM workspaces AS w WHERE w.slug = 'w1'""",
        (LONG_AGO, amount),
    )


def told(lake):
    """Cost and corrections by both rollups, after which nothing differs from Postgres."""
    assert lake.differences() == {}
    pairs = {
        tuple(lake.total(rollup, measure) for measure in ("ai_cost", "ai_cost_corrections"))
        for rollup in ("ai_days", "ai_campaign_days")
    }
    (pair,) = pairs
    return pair


def test_corrections_calls_and_both_at_once_come_with_the_next_refresh(lake, writer):
    call(writer, "5")
    lake.refresh()
    assert told(lake) == (5, 0)
    # One of them alone has news, then the other, then both: only what changed is taken off.
    correct(writer, "2.5")
    lake.refresh()
    assert told(lake) == (Decimal("7.5"), Decimal("2.5"))
    writer.execute("UPDATE ai_generations SET cost = 6")
    lake.refresh()
    assert told(lake) == (Decimal("8.5"), Decimal("2.5"))
    writer.execute("UPDATE ai_generations SET cost = 4")
    correct(writer, "-3")
    lake.refresh_anew()
    assert told(lake) == (Decimal("3.5"), Decimal("-0.5"))
    writer.execute("DELETE FROM ai_generations")
    lake.refresh()
    assert told(lake) == (Decimal("-0.5"), Decimal("-0.5"))


def test_a_correction_wakes_who_keeps_the_lake_fresh(database, writer):
    with session(database) as listener:
        listener.execute("LISTEN sightline_lake")
        correct(writer, "1")
        assert [notice.channel for notice in listener.notifies(timeout=10, stop_after=1)] == ["sightline_lake"]
