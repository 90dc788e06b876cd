"""Publishing plans: from a day on, after a simulation, and below the margin floor with a second admin."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from app.access import NotPermittedError, Viewer
from app.commands.plan_checks import said_reason, short_reason
from app.commands.plans import PlanRow, changing_plans, looking_at_plans, plan_row, require_revision, require_status
from db.errors import SightlineError
from db.tables.billing import Plan, PlanApproval
from db.tables.simulations import PlanSimulation
from db.tables.system import Setting

FLOOR = "plan_margin_floor"
USUAL_FLOOR = Decimal(30)
FURTHEST = timedelta(days=366)
# Usage, prices and subscribers move on: what was found longer ago is not what would happen.
OLDEST_SIMULATION = timedelta(days=7)


@dataclass(frozen=True)
class Margin:
    """What a simulation found, in per cent of revenue; None: it found neither revenue nor cost."""

    after: Decimal | None
    is_loss: bool
    floor: Decimal
    found_at: datetime

    @property
    def is_below(self) -> bool:
        """What earns nothing and costs something is below any floor."""
        return self.is_loss if self.after is None else self.after < self.floor

    @property
    def is_old(self) -> bool:
        """Too long ago to publish by it."""
        return datetime.now(UTC) - self.found_at > OLDEST_SIMULATION


@dataclass(frozen=True)
class Publication:
    """What came of asking: live, due on its day, or waiting for somebody else."""

    plan: UUID
    status: str
    publishes_on: date
    revision: int
    approval: UUID | None = None


def today() -> date:
    """Plans go live by days of UTC."""
    return datetime.now(UTC).date()


def margin_of(engine: Engine, by: Viewer, key: UUID) -> Margin | None:
    """What publishing would be judged by; None: the draft was not simulated as it is."""
    with looking_at_plans(engine, by) as connection:
        return _margin(connection, plan_row(connection, key))


def publish(engine: Engine, by: Viewer, key: UUID, *, revision: int, publishes_on: date, reason: str) -> Publication:
    """Let a draft go live on a day; below the floor, ask for somebody else's approval in place of that."""
    why = said_reason(reason)
    with changing_plans(by, engine, why) as connection:
        found = require_status(plan_row(connection, key), "draft")
        require_revision(found, revision)
        _require_day(publishes_on)
        _require_room(connection, found)
        margin = _judged(connection, found)
        if margin.is_below:
            return _asked(connection, by, found, publishes_on, margin, why)
        return _scheduled(connection, found, publishes_on)


def approve(engine: Engine, by: Viewer, approval: UUID, *, reason: str) -> Publication:
    """Let a plan below the floor go live after all. Who asked for it is refused."""
    why = said_reason(reason)
    with changing_plans(by, engine, why) as connection:
        asked = _open(connection, approval)
        found = require_status(plan_row(connection, asked["plan_id"]), "draft")
        _require_another(by, asked)
        if found.revision != asked["plan_revision"]:
            raise SightlineError(
                f"{found.titled} was changed after this was asked for.",
                why="What was simulated and asked for is not what would be published.",
                fix="Decline it; the draft is simulated and asked for anew.",
            )
        _require_room(connection, found)
        _judged(connection, found)
        _decide(connection, by, approval, "approved", why)
        return _scheduled(connection, found, max(asked["publishes_on"], today()))


def decline(engine: Engine, by: Viewer, approval: UUID, *, reason: str) -> None:
    """Leave a plan below the floor a draft. Who asked takes it back by this."""
    why = said_reason(reason)
    with changing_plans(by, engine, why) as connection:
        asked = _open(connection, approval)
        _decide(connection, by, approval, "withdrawn" if _is_same(by, asked) else "declined", why)


def unpublish(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str = "") -> int:
    """Make a draft again of what is not live yet, or of what is and nobody subscribed to; what it replaced is back."""
    with changing_plans(by, engine, short_reason(reason)) as connection:
        found = require_status(plan_row(connection, key), "scheduled", "published")
        require_revision(found, revision)
        if found.status == "published" and connection.scalar(text("SELECT plan_is_taken(:key)"), {"key": key}):
            raise SightlineError(
                f"{found.titled} has subscribers already.",
                why="What somebody has bought stays as it is.",
                fix="Retire it, or publish another version.",
            )
        replaced = connection.scalar(select(Plan.replaces_id).where(Plan.id == key))
        turned = _turned(connection, key, status="draft", published_at=None, publishes_on=None, replaces_id=None)
        if replaced is not None and found.status == "published":
            connection.execute(
                update(Plan)
                .where(Plan.id == replaced, Plan.status == "retired")
                .values(status="published", retired_at=None)
            )
        return turned


def retire(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> int:
    """Sell it no more; those who have it keep it."""
    with changing_plans(by, engine, said_reason(reason)) as connection:
        found = require_status(plan_row(connection, key), "published")
        require_revision(found, revision)
        return _turned(connection, key, status="retired", retired_at=func.now())


def reinstate(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str = "") -> int:
    """Sell a retired version again, where no other one is sold in its place."""
    with changing_plans(by, engine, short_reason(reason)) as connection:
        found = require_status(plan_row(connection, key), "retired")
        require_revision(found, revision)
        if other := _neighbour(connection, found, "published"):
            raise SightlineError(
                f"{other} is sold in its place.",
                why="Of a tier, period and currency one version is sold at a time.",
                fix="Retire that one first.",
            )
        return _turned(connection, key, status="published", retired_at=None)


def margin_floor(connection: Connection) -> Decimal:
    """In per cent, as the company set it."""
    said = connection.scalar(select(Setting.value).where(Setting.key == FLOOR))
    try:
        floor = Decimal(str(said))
    except InvalidOperation:
        return USUAL_FLOOR
    return floor if floor.is_finite() else USUAL_FLOOR


def _judged(connection: Connection, found: PlanRow) -> Margin:
    """What is published was simulated as it is, and not long ago."""
    margin = _margin(connection, found)
    if margin is None:
        raise SightlineError(
            f"{found.titled} was not simulated as it is now.",
            why="Publishing needs a simulation of this very draft; each edit makes it another.",
            fix="Simulate it, look at what it would do, and publish it then.",
        )
    if margin.is_old:
        raise SightlineError(
            f"{found.titled} was simulated on {margin.found_at:%d %B %Y}, which is too long ago.",
            why=f"Publishing needs a simulation of the last {OLDEST_SIMULATION.days} days: what is used changes.",
            fix="Simulate it again, look at what it would do, and publish it then.",
        )
    return margin


def _margin(connection: Connection, found: PlanRow) -> Margin | None:
    simulated = connection.execute(
        select(PlanSimulation.revenue_after, PlanSimulation.margin_after, PlanSimulation.made_at)
        .where(
            PlanSimulation.plan_id == found.id,
            PlanSimulation.plan_revision == found.revision,
            PlanSimulation.kind == "forecast",
        )
        .order_by(PlanSimulation.made_at.desc())
        .limit(1)
    ).one_or_none()
    if simulated is None:
        return None
    revenue, margin = simulated.revenue_after, simulated.margin_after
    after = round(100 * margin / revenue, 6) if revenue else None
    return Margin(after, is_loss=margin < 0, floor=margin_floor(connection), found_at=simulated.made_at)


def _asked(  # noqa: PLR0917 - what a request holds
    connection: Connection, by: Viewer, found: PlanRow, publishes_on: date, margin: Margin, reason: str
) -> Publication:
    # What was asked for an older draft is asked for no more.
    connection.execute(
        update(PlanApproval)
        .where(
            PlanApproval.plan_id == found.id,
            PlanApproval.decision.is_(None),
            PlanApproval.plan_revision != found.revision,
        )
        .values(**_decision(by, "withdrawn", "The draft was changed, and asked for anew."))
    )
    waiting = select(PlanApproval.asked_name).where(PlanApproval.plan_id == found.id, PlanApproval.decision.is_(None))
    if who := connection.scalar(waiting):
        raise SightlineError(
            f"{who} asked for this already.", why="It waits for an admin who is somebody else.", fix="Approve it there."
        )
    approval: UUID = connection.execute(
        insert(PlanApproval)
        .values(
            plan_id=found.id,
            plan_revision=found.revision,
            publishes_on=publishes_on,
            margin_after=margin.after,
            margin_floor=margin.floor,
            asked_by=by.member_id,
            asked_name=by.name,
            reason=reason,
        )
        .returning(PlanApproval.id)
    ).scalar_one()
    return Publication(found.id, "waiting", publishes_on, found.revision, approval)


def _scheduled(connection: Connection, found: PlanRow, publishes_on: date) -> Publication:
    revision = _turned(connection, found.id, status="scheduled", publishes_on=publishes_on)
    if publishes_on > today():
        return Publication(found.id, "scheduled", publishes_on, revision)
    connection.execute(text("SELECT publish_due_plans()"))
    revision = connection.execute(select(Plan.revision).where(Plan.id == found.id)).scalar_one()
    return Publication(found.id, "published", publishes_on, revision)


def _require_day(publishes_on: date) -> None:
    if not today() <= publishes_on <= today() + FURTHEST:
        raise SightlineError(
            f"A plan can't go live on {publishes_on:%d %B %Y}.",
            why="It goes live today, in UTC, or on a day within a year.",
            fix=f"Give a day from {today():%d %B %Y} on.",
        )


def _require_room(connection: Connection, found: PlanRow) -> None:
    if other := _neighbour(connection, found, "scheduled"):
        raise SightlineError(
            f"{other} goes live on a day already.",
            why="One version at a time waits for its day.",
            fix="Take that one back to a draft first.",
        )


def _neighbour(connection: Connection, found: PlanRow, status: str) -> str | None:
    product, tier, period, currency = found.sold_as
    row = connection.execute(
        select(Plan.name, Plan.version).where(
            Plan.status == status,
            Plan.id != found.id,
            Plan.product == product,
            Plan.tier == tier,
            Plan.billing_period == period,
            Plan.currency == currency,
        )
    ).first()
    return None if row is None else f"{row.name} version {row.version}"


def _open(connection: Connection, approval: UUID) -> dict[str, Any]:
    found = connection.execute(
        select(
            PlanApproval.plan_id, PlanApproval.plan_revision, PlanApproval.publishes_on, PlanApproval.asked_by,
            PlanApproval.asked_name,
        )
        .where(PlanApproval.id == approval, PlanApproval.decision.is_(None))
        .with_for_update()
    ).mappings().one_or_none()  # fmt: skip
    if found is None:
        raise SightlineError("This was decided in between, or was never asked.", fix="Look at the plan again.")
    return dict(found)


def _is_same(by: Viewer, asked: dict[str, Any]) -> bool:
    """By their keys; whoever is at a command line has none, and is known by name."""
    if by.member_id is None or asked["asked_by"] is None:
        return bool(by.name == asked["asked_name"])
    return bool(by.member_id == asked["asked_by"])


def _require_another(by: Viewer, asked: dict[str, Any]) -> None:
    if _is_same(by, asked):
        raise NotPermittedError(
            "Who asks does not approve.",
            why=f"{asked['asked_name']} asked for this, and its margin is below the floor.",
            fix="Ask another admin to look at it.",
        )


def _decide(connection: Connection, by: Viewer, approval: UUID, decision: str, reason: str) -> None:
    connection.execute(
        update(PlanApproval).where(PlanApproval.id == approval).values(**_decision(by, decision, reason))
    )


def _decision(by: Viewer, decision: str, reason: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "decided_by": by.member_id,
        "decided_name": by.name,
        "decided_at": func.now(),
        "decision_reason": reason,
    }


def _turned(connection: Connection, key: UUID, **values: Any) -> int:  # noqa: ANN401 - columns of any kind
    revision: int = connection.execute(
        update(Plan).where(Plan.id == key).values(**values).returning(Plan.revision)
    ).scalar_one()
    return revision
