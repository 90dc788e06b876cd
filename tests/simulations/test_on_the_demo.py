"""On invented business a simulation finds what an independent walk through the same calls finds, and the engine too."""

import json
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from app.access import Role, Viewer, all_workspaces
from app.commands.plan_moves import AT_ONCE, move_subscriptions, whom_it_touches
from app.commands.plan_publishing import publish, today
from app.commands.simulations import simulate_plan
from db.demo import Size
from db.engine import seeing
from tests import oracles
from tests.db.loaded import load
from tests.db.rows import add, plan
from tests.servers import new_database

WALK = (Path(oracles.__file__).parent / "plan_replay.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def demo(server18):
    with new_database(server18) as database:
        load(database.setup, size=Size.TINY, today=datetime.now(UTC).date())
        yield database


_versions = count(99)


def made(demo, product, tier, limit, *, meter="generations", **values):
    """A draft in dollars by the month, with one limit."""
    with demo.setup.begin() as connection:
        key = plan(connection, product=product, tier=tier, price=25, version=next(_versions)).id
        add(connection, "plan_limits", plan_id=key, meter=meter, amount=limit, **values)
    return key


def tiers(demo):
    """The tiers of products that count generations and which somebody has, and how many calls their largest made."""
    with demo.setup.connect() as connection:
        return connection.execute(
            text(
                "SELECT product, tier, MAX(calls) AS most FROM ("
                " SELECT p.product, p.tier, s.workspace_id, (SELECT COUNT(*) FROM ai_generations AS g"
                " WHERE g.workspace_id = s.workspace_id AND g.product = p.product"
                " AND g.created_at > now() - interval '60 days') AS calls"
                " FROM subscriptions AS s JOIN plans AS p ON p.id = s.plan_id"
                " WHERE s.status IN ('trialing', 'active', 'past_due') AND p.currency = 'USD'"
                " AND p.billing_period = 'monthly' AND p.product IN ('email_studio', 'web_builder')) AS t"
                " GROUP BY product, tier HAVING MAX(calls) > 20 ORDER BY MAX(calls) DESC LIMIT 2"
            )
        ).all()


def test_it_equals_an_independent_walk_and_enforcement(demo):
    """A limit that the largest passes early: some are refused, the costs are right, and published it does the same."""
    by = Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(demo.pipe))
    found = tiers(demo)
    assert found
    for product, tier, most in found:
        limit, grace, days = max(1, most // 8), 2, 3
        draft = made(demo, product, tier, limit, grace_amount=grace, grace_days=days)
        simulated = simulate_plan(demo.rw, by, draft, days=60)
        named = {"product": product, "tier": tier, "meter": "generations", "period": "month", "limit": limit,
            "grace": grace, "grace_days": days, "since": simulated.since, "until": simulated.until}  # fmt: skip
        with demo.setup.connect() as connection:
            walked = connection.execute(text(WALK), named).all()
            kept = connection.execute(
                text(
                    "SELECT workspace_id, refused_after, first_hit_at FROM plan_simulation_workspaces"
                    " WHERE simulation_id = :key ORDER BY workspace_id"
                ),
                {"key": simulated.id},
            ).all()
        assert sum(row.refused for row in walked) > 0, (product, tier)
        assert [(row.workspace_id, row.refused, row.first_at) for row in walked if row.refused] == [
            tuple(row) for row in kept if row.refused_after
        ]
        saved = sum(row.saved for row in walked)
        with demo.setup.connect() as connection:
            spent = connection.execute(
                text(
                    "SELECT SUM(g.cost) FROM ai_generations AS g JOIN plan_simulation_workspaces AS w"
                    " ON w.workspace_id = g.workspace_id AND w.simulation_id = :key JOIN subscriptions AS s"
                    " ON s.workspace_id = w.workspace_id AND s.product = g.product"
                    " AND s.status IN ('trialing', 'active', 'past_due')"
                    " WHERE g.product = :product AND g.created_at >= GREATEST(:since, s.started_at)"
                    " AND g.created_at < :until"
                ),
                {**named, "key": simulated.id},
            ).scalar()
        assert simulated.sums.ai_cost_after == spent - saved
        goes_live(demo, by, draft, [row.workspace_id for row in kept])
        enforced(demo, simulated, product, kept)


def goes_live(demo, by, draft, homes):
    """As admins do it: published, whatever its margin, and everybody who has another version is moved to it."""
    with demo.setup.begin() as connection:
        connection.execute(text("UPDATE settings SET value = '-1000000' WHERE key = 'plan_margin_floor'"))
        held = connection.execute(text(HELD), {"draft": draft, "homes": homes}).scalars().all()
        revision = connection.scalar(text("SELECT revision FROM plans WHERE id = :key"), {"key": draft})
    done = publish(demo.rw, by, draft, revision=revision, publishes_on=today(), reason="It was simulated")
    assert done.status == "published"
    for version in held:
        seen = whom_it_touches(demo.rw, by, version, draft).seen
        move_subscriptions(demo.rw, by, version, draft, seen=seen, when=AT_ONCE, reason="One version for all")
    with demo.setup.connect() as connection:
        assert connection.execute(text(HELD), {"draft": draft, "homes": homes}).all() == []


# Versions of what is published that some of these workspaces have in place of it.
HELD = """
    SELECT DISTINCT s.plan_id
    FROM subscriptions AS s
    JOIN plans AS p ON p.id = s.plan_id
    JOIN plans AS d ON d.id = :draft AND (d.product, d.tier) = (p.product, p.tier)
    WHERE s.workspace_id = ANY (:homes) AND s.plan_id <> d.id AND s.status IN ('trialing', 'active', 'past_due')
    """


def enforced(demo, simulated, product, kept):
    """The calls of everybody are made once more: what the plan refuses now is what the simulation said of each."""
    for workspace, refused, first in kept:
        with demo.setup.begin() as connection:
            connection.execute(
                text("DELETE FROM quota_balances WHERE workspace_id = :home AND product = :product"),
                {"home": workspace, "product": product},
            )
            connection.execute(text(OPENED), {"home": workspace, "product": product, "since": simulated.since})
        named = {"home": workspace, "product": product, "since": simulated.since, "until": simulated.until}
        refusals = []
        with seeing(demo.rw, [workspace]) as connection:
            for call in connection.execute(text(CALLS), named).all():
                asked = {"home": workspace, "product": product, "key": call.request, "at": call.at}
                told = connection.scalar(text(RESERVE), asked)
                if told["verdict"] == "refused":
                    refusals.append(call.at)
                else:
                    connection.execute(text(SETTLE), {**asked, "used": json.dumps({"generations": int(call.counts)})})
        assert (len(refusals), min(refusals, default=None)) == (refused, first)


# What was used of the running month before the window, from the calls themselves.
OPENED = """
    INSERT INTO quota_balances (workspace_id, product, meter, period, period_start, period_end, limit_amount, used,
        opening_used)
    SELECT w.id, :product, 'generations', 'month', p.starts_at, p.ends_at, 0, u.used, u.used
    FROM workspaces AS w
    JOIN subscriptions AS s ON s.workspace_id = w.id AND s.product = :product
        AND s.status IN ('trialing', 'active', 'past_due')
    CROSS JOIN LATERAL (SELECT GREATEST(CAST(:since AS TIMESTAMPTZ), s.started_at) AS since) AS b
    CROSS JOIN LATERAL quota_period('month', s.started_at, w.timezone, b.since) AS p
    CROSS JOIN LATERAL (
        SELECT COUNT(DISTINCT COALESCE(g.request_key, g.id)) AS used FROM ai_generations AS g
        WHERE g.workspace_id = w.id AND g.product = :product AND g.status <> 'failed'
            AND g.created_at >= p.starts_at AND g.created_at < b.since
    ) AS u
    WHERE w.id = :home
    """
CALLS = """
    SELECT CAST(COALESCE(g.request_key, g.id) AS TEXT) AS request, MIN(g.created_at) AS at,
        BOOL_OR(g.status <> 'failed') AS counts
    FROM ai_generations AS g
    JOIN subscriptions AS s ON s.workspace_id = g.workspace_id AND s.product = g.product
        AND s.status IN ('trialing', 'active', 'past_due')
    WHERE g.workspace_id = :home AND g.product = :product AND g.created_at < :until
        AND g.created_at >= GREATEST(CAST(:since AS TIMESTAMPTZ), s.started_at)
    GROUP BY COALESCE(g.request_key, g.id)
    ORDER BY 2, 1
    """
RESERVE = "SELECT quota_reserve(:home, NULL, :product, '{\"generations\": 1}', :key, at => :at)"
SETTLE = "SELECT quota_settle(:home, :key, CAST(:used AS JSONB), at => :at)"


# By the tier whose largest workspace used the most of it. What limits customers themselves the walk knows nothing of.
MOST = text("""
    SELECT p.tier, MAX(metered_use(s.workspace_id, NULL, s.product, :meter,
        GREATEST(s.started_at, now() - interval '60 days'), now())) AS used
    FROM subscriptions AS s
    JOIN plans AS p ON p.id = s.plan_id
    WHERE s.status IN ('trialing', 'active', 'past_due') AND s.product = :product AND p.currency = 'USD'
        AND p.billing_period = 'monthly'
    GROUP BY p.tier
    ORDER BY 2 DESC
    LIMIT 1
""")
METERS = {
    "image_generations": "craft_ads",
    "ai_credits": "craft_ads",
    "imagen": "ads_autopilot",
    "veo": "ads_autopilot",
    "video_generations": "ads_autopilot",
    "campaigns": "web_builder",
    "storage_bytes": "web_builder",
    "api_calls": "mailer",
    "contacts": "mailer",
    "emails": "mailer",
}


def test_every_other_meter_equals_the_walk_as_well(demo):
    """A quarter of what the largest used in two months: who is refused how often, how much, and since when."""
    by = Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(demo.pipe))
    unused = set()
    for meter, product in METERS.items():
        with demo.setup.connect() as connection:
            tier, used = connection.execute(MOST, {"product": product, "meter": meter}).one()
        if not used:
            # So small a demo has days on which nobody who pays by the month has stored anything.
            unused.add(meter)
            continue
        draft = made(demo, product, tier, used // 4, meter=meter)
        simulated = simulate_plan(demo.rw, by, draft, days=60)
        named = {"product": product, "tier": tier, "meter": meter, "period": "month", "limit": used // 4, "grace": 0,
            "grace_days": 0, "since": simulated.since, "until": simulated.until}  # fmt: skip
        with demo.setup.connect() as connection:
            walked = [tuple(row)[:4] for row in connection.execute(text(WALK), named) if row.refused]
            kept = connection.execute(text(REFUSED), {"key": simulated.id}).all()
        assert walked, meter
        # E-mails and contacts are told by the minute.
        of_a_minute = [
            (home, calls, amount, first.replace(second=0, microsecond=0)) for home, calls, amount, first in walked
        ]
        assert [tuple(row) for row in kept] == (of_a_minute if meter in {"contacts", "emails"} else walked), meter
    assert unused <= {"storage_bytes"}


REFUSED = """
    SELECT w.workspace_id, w.refused_after, SUM((l ->> 'amount')::bigint), w.first_hit_at
    FROM plan_simulation_workspaces AS w
    CROSS JOIN LATERAL jsonb_array_elements(w.details -> 'after') AS l
    WHERE w.simulation_id = :key AND l ->> 'verdict' = 'refused'
    GROUP BY w.workspace_id, w.refused_after, w.first_hit_at
    ORDER BY w.workspace_id
    """
