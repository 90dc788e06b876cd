"""Moving subscriptions to another version of their plan: seen first, then done to exactly those that were seen."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, insert, select, text

from app.access import Viewer
from app.commands.plan_checks import require_known, said_reason
from app.commands.plan_publishing import today
from app.commands.plans import PlanRow, changing_plans, looking_at_plans, plan_row, require_status
from app.commands.stale import StaleEditError
from db.errors import SightlineError
from db.tables.billing import PlanMigration

AT_ONCE, AT_PERIOD_END = "at once", "at period end"
WHEN = (AT_PERIOD_END, AT_ONCE)


@dataclass(frozen=True)
class Shrunk:
    """A limit that would be below what is used of it already."""

    meter: str
    period: str
    used: int
    limit: int


@dataclass(frozen=True)
class Touched:
    """A subscription that would move."""

    workspace_id: UUID
    workspace: str
    subscription_id: UUID
    status: str
    price_before: Decimal
    price_after: Decimal
    currency: str
    period_ends_on: date
    shrunk: tuple[Shrunk, ...]


@dataclass(frozen=True)
class Offer:
    """Whom a move touches; `seen` is this list as one sign, by which the move knows that it is still the same."""

    from_plan: str
    to_plan: str
    touched: tuple[Touched, ...]
    seen: str


@dataclass(frozen=True)
class Moved:
    """A move that was begun: how many are moved already, and how many wait for their period's end."""

    batch: UUID
    moved: int
    waiting: int


# What is used of a limit by exception is not ruled by the plan.
_TOUCHED = """
    SELECT s.workspace_id, w.name AS workspace, s.id AS subscription_id, s.status, s.price AS price_before,
        t.price AS price_after, s.currency, s.current_period_end AS period_ends_on,
        COALESCE((
            SELECT jsonb_agg(jsonb_build_array(b.meter, b.period, b.used + b.held, l.amount) ORDER BY b.meter, b.period)
            FROM plan_limits AS l
            JOIN quota_balances AS b ON b.workspace_id = s.workspace_id AND b.user_id IS NULL AND b.product = s.product
                AND b.meter = l.meter AND b.period = l.period AND b.period_start <= now()
                AND (b.period_end IS NULL OR b.period_end > now())
            WHERE l.plan_id = t.id AND b.used + b.held > l.amount
                AND NOT EXISTS (
                    SELECT FROM quota_overrides AS o
                    WHERE o.workspace_id = s.workspace_id AND o.user_id IS NULL AND o.product = s.product
                        AND o.meter = l.meter AND o.period = l.period AND o.starts_at <= now() AND o.ends_at > now()
                )
        ), '[]') AS shrunk
    FROM subscriptions AS s
    JOIN workspaces AS w ON w.id = s.workspace_id AND w.deleted_at IS NULL
    JOIN plans AS t ON t.id = :to_plan
    WHERE s.plan_id = :from_plan AND s.status IN ('trialing', 'active', 'past_due')
        AND NOT EXISTS (
            SELECT FROM plan_migrations AS m
            WHERE m.workspace_id = s.workspace_id AND m.subscription_id = s.id
                AND m.done_at IS NULL AND m.cancelled_at IS NULL
        )
    ORDER BY w.name, s.workspace_id, s.id
    """


def whom_it_touches(engine: Engine, by: Viewer, from_plan: UUID, to_plan: UUID) -> Offer:
    """Who would move, and what it would mean to them; nothing is changed."""
    with looking_at_plans(engine, by) as connection:
        return _offer(connection, from_plan, to_plan)


def move_subscriptions(
    engine: Engine, by: Viewer, from_plan: UUID, to_plan: UUID, *, seen: str, when: str, reason: str
) -> Moved:
    """Move exactly those that were seen, now or at the end of the period that each has paid for."""
    why = said_reason(reason)
    require_known("time to move", when, WHEN)
    with changing_plans(by, engine, why) as connection:
        offer = _offer(connection, from_plan, to_plan)
        if offer.seen != seen:
            raise StaleEditError(
                "The subscriptions that this touches are others by now. Nothing was moved.",
                why="Somebody subscribed, left, changed price, or came over a limit while you were looking.",
                fix="Look at the list again, and decide anew.",
            )
        if not offer.touched:
            raise SightlineError("Nobody would move.", why=f"No subscription on {offer.from_plan} is left to move.")
        batch = uuid4()
        _ask(connection, by, offer.touched, when, batch=batch, from_plan=from_plan, to_plan=to_plan, reason=why)
        moved = _each(connection, batch, "move_subscription(m.workspace_id, m.id)") if when == AT_ONCE else 0
    return Moved(batch, moved, len(offer.touched) - moved)


def undo_move(engine: Engine, by: Viewer, batch: UUID, *, reason: str) -> int:
    """Let those stay who still wait, and bring those back who were moved and nothing happened to since; how many."""
    why = said_reason(reason)
    with changing_plans(by, engine, why) as connection:
        known = connection.scalar(select(PlanMigration.id).where(PlanMigration.batch_id == batch).limit(1))
        if known is None:
            raise SightlineError("Nothing was moved under this key.", fix="Look at the plan's moves.")
        return _each(connection, batch, "move_subscription_back(m.workspace_id, m.id, :why)", why=why)


def _offer(connection: Connection, from_plan: UUID, to_plan: UUID) -> Offer:
    leaving = require_status(plan_row(connection, from_plan), "published", "retired")
    taken = require_status(plan_row(connection, to_plan), "published")
    _require_alike(leaving, taken)
    found = connection.execute(text(_TOUCHED), {"from_plan": from_plan, "to_plan": to_plan}).mappings()
    touched = tuple(Touched(**{**row, "shrunk": tuple(Shrunk(*one) for one in row["shrunk"])}) for row in found)
    return Offer(leaving.titled, taken.titled, touched, _sign(leaving, taken, touched))


def _require_alike(leaving: PlanRow, taken: PlanRow) -> None:
    if leaving.id == taken.id:
        raise SightlineError("This is the plan that they have.", fix="Choose another version.")
    if (leaving.product, leaving.currency, leaving.billing_period) != (
        taken.product, taken.currency, taken.billing_period,
    ):  # fmt: skip
        raise SightlineError(
            f"Nobody can be moved from {leaving.titled} to {taken.titled}.",
            why="The two are not of one product, or are not paid alike: in one currency, by one period.",
            fix="Choose a version of the same product, currency and billing period.",
        )


def _sign(leaving: PlanRow, taken: PlanRow, touched: Sequence[Touched]) -> str:
    """What is used goes on growing; which limits it is above, who pays what and until when is what was seen."""
    told: list[Any] = [(leaving.id, leaving.revision, taken.id, taken.revision)]
    for one in touched:
        shrunk = [(limit.meter, limit.period, limit.limit) for limit in one.shrunk]
        told.append((one.subscription_id, one.status, one.price_before, one.price_after, one.period_ends_on, shrunk))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _ask(
    connection: Connection,
    by: Viewer,
    touched: Sequence[Touched],
    when: str,
    *,
    batch: UUID,
    from_plan: UUID,
    to_plan: UUID,
    reason: str,
) -> None:
    connection.execute(
        insert(PlanMigration),
        [
            {
                "workspace_id": one.workspace_id,
                "batch_id": batch,
                "subscription_id": one.subscription_id,
                "from_plan_id": from_plan,
                "to_plan_id": to_plan,
                "price_before": one.price_before,
                "price_after": one.price_after,
                "due_on": today() if when == AT_ONCE else max(today(), one.period_ends_on),
                "asked_name": by.name,
                "reason": reason,
            }
            for one in touched
        ],
    )


def _each(connection: Connection, batch: UUID, call: str, **named: str) -> int:
    """Call for every row of a batch; how many times it did something."""
    done = connection.execute(
        text(
            f"SELECT {call} FROM plan_migrations AS m"  # noqa: S608 - our own text
            " WHERE m.batch_id = :batch AND m.cancelled_at IS NULL ORDER BY m.workspace_id, m.id"
        ),
        {"batch": batch, **named},
    ).scalars()
    return sum(done)
