"""Replaying the usage of everybody who has a plan through a draft of its next version, and keeping what comes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.money.trials import Found, Sums, Tried, compared, read_plan, subscribers_of
from app.money.worth import Exchange, Price, summed
from app.settings import settings
from db.engine import seeing
from db.errors import SightlineError
from db.tables.billing import Plan
from db.tables.simulations import PlanSimulation, PlanSimulationWorkspace

WINDOWS = (30, 60, 90)
TRIED = ("draft", "scheduled")
JUDGED_AFTER = timedelta(days=14)
SHORTEST, LONGEST = WINDOWS[0], WINDOWS[-1]
# Of workspaces: the limits that they used up.
Reached = Mapping[UUID, Sequence[Mapping[str, Any]]]
# Told after each workspace: how many are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Simulation:
    """What a draft would have done to everybody who has the plan now."""

    id: UUID
    plan_id: UUID
    since: datetime
    until: datetime
    currency: str
    sums: Sums
    workspaces: int
    workspaces_hit_before: int
    workspaces_hit: int
    workspaces_eased: int
    unpriced: int


def simulate_plan(
    engine: Engine, by: Viewer, plan_id: UUID, *, days: int, progress: Progress = lambda _done, _all: None
) -> Simulation:
    """Go through so many days of usage with a draft as it is now; publishing asks for that."""
    by.require(Permission.PLANS_MANAGE)
    if not SHORTEST <= days <= LONGEST:
        raise SightlineError(
            f"{days} days can't be replayed.", why="A plan is judged by one to three months of usage.",
            fix=f"Choose from {SHORTEST} to {LONGEST} days.",
        )  # fmt: skip
    until = datetime.now(UTC)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        require_whole_company(connection, by)
        plan = read_plan(connection, plan_id)
        if plan.status not in TRIED:
            raise SightlineError(
                f"This plan is {plan.status}, and no draft.", why="What is simulated is what could be published.",
                fix="Make a draft of it, and simulate that.",
            )  # fmt: skip
        since = until - timedelta(days=days)
        exchange = Exchange.read(connection, settings().currency)
        subscribers = subscribers_of(connection, plan, until)
        found = []
        for done, one in enumerate(subscribers, 1):
            found.append(compared(connection, exchange, plan, one, (since, until)))
            progress(done, len(subscribers))
        return _kept(connection, plan, found, (since, until), currency=exchange.currency, made_by=by.member_id)


def review_publication(engine: Engine, by: Viewer, plan_id: UUID) -> Simulation:
    """What a published plan has done in its first two weeks to those who have it, found the way forecasts are.

    Before stands what the version that it replaced would have done with the same calls.
    """
    by.require(Permission.PLANS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        require_whole_company(connection, by)
        plan = read_plan(connection, plan_id)
        since, until = _first_weeks(plan)
        exchange = Exchange.read(connection, settings().currency)
        replaced = _replaced(connection, plan) or plan
        have_it = [one for one in subscribers_of(connection, plan, until) if one.plan_id == plan.id]
        found = []
        for one in have_it:
            otherwise = replace(one, plan_id=replaced.id, price=replaced.price)
            found.append(compared(connection, exchange, plan, otherwise, (since, until), paid=one.price))
        return _kept(
            connection, plan, found, (since, until), reached=_reached(connection, plan, (since, until)),
            currency=exchange.currency, made_by=by.member_id, kind="outcome",
        )  # fmt: skip


def _first_weeks(plan: Tried) -> tuple[datetime, datetime]:
    if plan.published_at is None:
        raise SightlineError("This plan was not published.", fix="Simulate it: that tells what it would do.")
    ends = plan.published_at + JUDGED_AFTER
    if ends > datetime.now(UTC):
        raise SightlineError(
            f"This plan is live since {plan.published_at.astimezone(UTC):%d %B %Y}.",
            why="A forecast is held against the truth after two weeks.",
            fix=f"Come back on {ends.astimezone(UTC):%d %B %Y}.",
        )
    return plan.published_at, ends


def _replaced(connection: Connection, plan: Tried) -> Tried | None:
    """The version that was sold before it."""
    key = connection.scalar(
        select(Plan.id)
        .where(
            Plan.product == plan.product,
            Plan.tier == plan.tier,
            Plan.currency == plan.price.currency,
            Plan.billing_period == plan.price.billing_period,
            Plan.version < plan.terms["version"],
            Plan.published_at < plan.published_at,
        )
        .order_by(Plan.version.desc())
        .limit(1)
    )
    return None if key is None else read_plan(connection, key)


# Refused calls leave no trace in usage: whoever used a limit up was, or was about to be, refused.
_REACHED = text(
    """
    SELECT b.workspace_id,
        jsonb_agg(jsonb_build_object('meter', b.meter, 'period', b.period, 'limit', b.limit_amount, 'used', b.used)
            ORDER BY b.meter, b.period, b.period_start) AS reached
    FROM quota_balances AS b
    JOIN subscriptions AS s ON s.workspace_id = b.workspace_id AND s.product = b.product AND s.plan_id = :plan
        AND s.status IN ('trialing', 'active', 'past_due')
    WHERE NOT b.is_soft AND b.used >= b.limit_amount + b.rolled_over
        AND b.period_start < :until AND (b.period_end IS NULL OR b.period_end > :since)
    GROUP BY b.workspace_id
    """
)


def _reached(connection: Connection, plan: Tried, span: tuple[datetime, datetime]) -> Reached:
    """The limits that were used up in a time, by workspace."""
    found = connection.execute(_REACHED, {"plan": plan.id, "since": span[0], "until": span[1]})
    return {row.workspace_id: row.reached for row in found}


def _kept(
    connection: Connection,
    plan: Tried,
    found: Sequence[Found],
    span: tuple[datetime, datetime],
    *,
    reached: Reached = MappingProxyType({}),
    **said: Any,  # noqa: ANN401 - columns of any kind
) -> Simulation:
    _require_unchanged(connection, plan)
    sums = _together([one.sums for one in found])
    counts = {
        "workspaces": len(found),
        "workspaces_hit_before": sum(one.sums.refused_before > 0 for one in found),
        "workspaces_hit": sum(one.sums.refused_after > 0 for one in found),
        "workspaces_eased": sum(one.is_eased for one in found),
        "unpriced": sum(one.calls.unpriced for one in found),
    }
    key: UUID = connection.execute(
        insert(PlanSimulation)
        .values(
            plan_id=plan.id, plan_revision=plan.revision, terms=plan.terms, since=span[0], until=span[1],
            margin_before=sums.margin_before, margin_after=sums.margin_after, **vars(sums), **counts, **said,
        )
        .returning(PlanSimulation.id)
    ).scalar_one()  # fmt: skip
    if found:
        connection.execute(insert(PlanSimulationWorkspace), [_row(key, one, reached) for one in found])
    return Simulation(key, plan.id, span[0], span[1], said["currency"], sums, **counts)


def _require_unchanged(connection: Connection, plan: Tried) -> None:
    """What is kept is about the draft as it is: nobody waits for a long replay to edit it, the replay is made anew."""
    now = connection.scalar(select(Plan.revision).where(Plan.id == plan.id).with_for_update(read=True))
    if now != plan.revision:
        raise SightlineError(
            "Somebody changed the draft while it was simulated. Nothing was kept.",
            why="What was found is about a plan that is no more.",
            fix="Simulate it again.",
        )


def _together(each: Sequence[Sums]) -> Sums:
    return Sums(
        summed(one.revenue_before for one in each),
        summed(one.revenue_after for one in each),
        summed(one.ai_cost_before for one in each),
        summed(one.ai_cost_after for one in each),
        sum(one.calls for one in each),
        sum(one.refused_before for one in each),
        sum(one.refused_after for one in each),
    )


def _row(simulation: UUID, one: Found, reached: Reached) -> dict[str, Any]:
    details = {
        "prices": [_said(one.subscriber.price), _said(one.price_after)],
        "before": [passed.as_json for passed in one.before.passed],
        "after": [passed.as_json for passed in one.after.passed],
        "reached": reached.get(one.subscriber.workspace_id, []),
    }
    return {
        "workspace_id": one.subscriber.workspace_id,
        "simulation_id": simulation,
        **vars(one.sums),
        "first_hit_at": one.after.first_refused_at,
        "gains_room": one.is_eased,
        "goes_over": one.after.flagged > 0,
        "details": details,
    }


def _said(price: Price) -> dict[str, str]:
    return {"amount": str(price.amount), "currency": price.currency, "billing_period": price.billing_period}
