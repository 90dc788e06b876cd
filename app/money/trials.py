"""Two versions of a plan over the same calls of those who have it: what each refuses, earns and costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, text

from app.money.worth import Exchange, Price, summed
from app.quotas.replay import Calls, Replay, Window, calls_in, replay
from db.errors import SightlineError
from db.tables.billing import Plan, PlanLimit

_AI_CURRENCY = "USD"


@dataclass(frozen=True)
class Sums:
    """Of everybody together, or of one workspace: in the reporting currency, and in calls."""

    revenue_before: Decimal
    revenue_after: Decimal
    ai_cost_before: Decimal
    ai_cost_after: Decimal
    calls: int
    refused_before: int
    refused_after: int

    @property
    def margin_before(self) -> Decimal:
        return self.revenue_before - self.ai_cost_before

    @property
    def margin_after(self) -> Decimal:
        return self.revenue_after - self.ai_cost_after


@dataclass(frozen=True)
class Subscriber:
    """A workspace that has the plan: under which version, and what it pays."""

    workspace_id: UUID
    plan_id: UUID
    price: Price
    started_at: datetime
    pays_from: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class Found:
    """What came of one workspace."""

    subscriber: Subscriber
    price_after: Price
    calls: Calls
    before: Replay
    after: Replay
    sums: Sums

    @property
    def is_eased(self) -> bool:
        """Fewer of its calls would have been refused, or have gone beyond a limit, than by the plan that it has."""
        return (self.after.refused, self.after.flagged) < (self.before.refused, self.before.flagged)


@dataclass(frozen=True)
class Tried:
    """A plan as it was read: what it is sold as, its price, and its terms for whoever looks later."""

    id: UUID
    revision: int
    status: str
    product: str
    tier: str
    price: Price
    published_at: datetime | None
    terms: dict[str, Any]


# Sold alike: who has this tier, paid in this currency by this period, is who would be moved to the draft.
_SUBSCRIBERS = text(
    """
    SELECT s.workspace_id, s.plan_id, s.price, s.currency, s.billing_cycle, s.started_at, s.ends_at,
        CASE WHEN s.status <> 'trialing' THEN GREATEST(s.started_at, s.trial_ends_at) END AS pays_from
    FROM subscriptions AS s
    JOIN plans AS p ON p.id = s.plan_id
    JOIN workspaces AS w ON w.id = s.workspace_id AND w.deleted_at IS NULL
    WHERE s.product = :product AND s.status IN ('trialing', 'active', 'past_due') AND s.started_at < :until
        AND p.tier = :tier AND p.currency = :currency AND p.billing_period = :billing_period
    ORDER BY s.workspace_id
    """
)


def read_plan(connection: Connection, plan_id: UUID) -> Tried:
    plan = connection.execute(select(Plan.__table__).where(Plan.id == plan_id)).one_or_none()
    if plan is None:
        raise SightlineError("No plan has this key.", fix="Choose one of the list.")
    limits = connection.execute(
        select(
            PlanLimit.meter, PlanLimit.period, PlanLimit.amount, PlanLimit.enforcement, PlanLimit.grace_amount,
            PlanLimit.grace_days, PlanLimit.rolls_over,
        )
        .where(PlanLimit.plan_id == plan_id)
        .order_by(PlanLimit.meter, PlanLimit.period)
    ).mappings()  # fmt: skip
    terms = {
        "name": plan.name, "version": plan.version, "price": str(plan.price), "currency": plan.currency,
        "billing_period": plan.billing_period, "limits": [dict(one) for one in limits],
    }  # fmt: skip
    price = Price(plan.price, plan.currency, plan.billing_period)
    return Tried(plan.id, plan.revision, plan.status, plan.product, plan.tier, price, plan.published_at, terms)


def subscribers_of(connection: Connection, plan: Tried, until: datetime) -> Sequence[Subscriber]:
    named = {
        "product": plan.product, "tier": plan.tier, "currency": plan.price.currency,
        "billing_period": plan.price.billing_period, "until": until,
    }  # fmt: skip
    return [
        Subscriber(
            row.workspace_id, row.plan_id, Price(row.price, row.currency, row.billing_cycle), row.started_at,
            row.pays_from, row.ends_at,
        )
        for row in connection.execute(_SUBSCRIBERS, named)
    ]  # fmt: skip


def compared(
    connection: Connection,
    exchange: Exchange,
    plan: Tried,
    one: Subscriber,
    span: tuple[datetime, datetime],
    *,
    paid: Price | None = None,
) -> Found:
    """Both plans over the same calls: the one that the workspace has, and the one that is tried."""
    price = paid or plan.price
    window = Window(one.workspace_id, plan.product, max(span[0], one.started_at), span[1])
    calls = calls_in(connection, window)
    before, after = replay(connection, window, one.plan_id), replay(connection, window, plan.id)
    cost = exchange.total(calls.cost_by_day, _AI_CURRENCY)
    sums = Sums(
        _paid(exchange, one.price, one, span),
        _paid(exchange, price, one, span),
        summed([cost, -exchange.total(before.saved_by_day, _AI_CURRENCY)]),
        summed([cost, -exchange.total(after.saved_by_day, _AI_CURRENCY)]),
        calls.number,
        before.refused,
        after.refused,
    )
    return Found(one, price, calls, before, after, sums)


def _paid(exchange: Exchange, price: Price, one: Subscriber, span: tuple[datetime, datetime]) -> Decimal:
    if one.pays_from is None:
        return Decimal(0)
    return summed([exchange.paid(price, max(span[0], one.pays_from), min(span[1], one.ends_at or span[1]))])
