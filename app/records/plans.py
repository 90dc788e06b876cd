"""Plans read live: all versions of all tiers, one of them with what it says, who has it, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping

from app.access import Permission, Viewer
from app.records.plan_terms import LimitKey, PlanFeature, PlanLimit, PlanTerms
from app.records.reading import rows
from db.engine import seeing
from db.tables.products import TIERS

MOST_CHANGES = 200
MOST_SUBSCRIBERS = 1000


@dataclass(frozen=True)
class PlanNow:
    """A version of a tier as lists show it; subscribers are those of the workspaces that the viewer sees."""

    id: UUID
    revision: int
    product: str
    tier: str
    version: int
    status: str
    name: str
    price: Decimal
    currency: str
    billing_period: str
    publishes_on: date | None
    published_at: datetime | None
    retired_at: datetime | None
    subscribers: int
    waits_for_approval: bool

    @property
    def titled(self) -> str:
        """As sentences name it."""
        return f"{self.name} version {self.version}"


@dataclass(frozen=True)
class PlanDetail:
    """A version with all that it says, and the one that it is read beside; None: there is no other to compare."""

    now: PlanNow
    terms: PlanTerms
    beside: PlanNow | None
    beside_terms: PlanTerms | None


@dataclass(frozen=True)
class Subscriber:
    """Who has a version, what is paid for it, and where the subscription moves, if it does."""

    subscription_id: UUID
    workspace_id: UUID
    workspace: str
    slug: str
    status: str
    price: Decimal
    currency: str
    started_at: datetime
    period_ends_on: date
    moves_to: str | None
    moves_on: date | None


@dataclass(frozen=True)
class PlanApprovalNow:
    """A request to publish below the floor, and what somebody else said to it."""

    id: UUID
    plan_id: UUID
    plan: str
    plan_revision: int
    is_of_this_revision: bool
    publishes_on: date
    margin_after: Decimal | None
    margin_floor: Decimal
    asked_by: UUID | None
    asked_name: str
    reason: str
    created_at: datetime
    decision: str | None
    decided_name: str | None
    decided_at: datetime | None
    decision_reason: str | None


@dataclass(frozen=True)
class PlanMove:
    """Subscriptions that were asked to move together: how many wait, moved, and stayed after all."""

    batch_id: UUID
    from_plan: str
    to_plan: str
    asked_name: str
    reason: str
    asked_at: datetime
    first_due_on: date
    last_due_on: date
    waiting: int
    moved: int
    stayed: int


@dataclass(frozen=True)
class PlanChange:
    """A line of the audit log that concerns a plan."""

    position: int
    at: datetime
    actor: str | None
    action: str
    table_name: str
    what: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None


_NOW = f"""
    SELECT p.id, p.revision, p.product, p.tier, p.version, p.status, p.name, p.price, p.currency, p.billing_period,
        p.publishes_on, p.published_at, p.retired_at, COALESCE(s.subscribers, 0) AS subscribers,
        EXISTS (
            SELECT FROM plan_approvals AS a
            WHERE a.plan_id = p.id AND a.decision IS NULL AND a.plan_revision = p.revision
        ) AS waits_for_approval
    FROM plans AS p
    LEFT JOIN (
        SELECT plan_id, COUNT(*) AS subscribers
        FROM subscriptions
        WHERE workspace_id = ANY (:workspaces) AND status IN ('trialing', 'active', 'past_due')
        GROUP BY plan_id
    ) AS s ON s.plan_id = p.id
    WHERE (:discarded OR p.status <> 'discarded')
        AND (CAST(:plan AS UUID) IS NULL OR p.id = :plan)
        AND (CAST(:products AS TEXT[]) = '{{}}' OR p.product = ANY (:products))
    ORDER BY p.product, array_position(ARRAY[{", ".join(f"'{tier}'" for tier in TIERS)}], p.tier), p.currency,
        p.billing_period DESC, p.version DESC
    """  # noqa: S608 - our own text
_TERMS = """
    SELECT id, name, price, currency, billing_period, description, generation_credits, has_watermark
    FROM plans
    WHERE id = ANY (:plans)
    """
_LIMITS = """
    SELECT plan_id, meter, period, amount, enforcement, grace_amount, grace_days, rolls_over
    FROM plan_limits
    WHERE plan_id = ANY (:plans)
    ORDER BY meter, period
    """
_FEATURES = """
    SELECT plan_id, feature, kind, value
    FROM plan_features
    WHERE plan_id = ANY (:plans)
    ORDER BY feature
    """
# What is sold in its place; of what is sold itself, what was sold before it.
_BESIDE = """
    SELECT COALESCE(l.id, p.replaces_id) AS id
    FROM plans AS p
    LEFT JOIN plans AS l ON l.status = 'published' AND l.id <> p.id
        AND (l.product, l.tier, l.billing_period, l.currency) = (p.product, p.tier, p.billing_period, p.currency)
    WHERE p.id = :plan
    """
_SUBSCRIBERS = """
    SELECT s.id AS subscription_id, s.workspace_id, w.name AS workspace, w.slug, s.status, s.price, s.currency,
        s.started_at, s.current_period_end AS period_ends_on,
        CASE WHEN m.id IS NOT NULL THEN t.name || ' version ' || t.version END AS moves_to, m.due_on AS moves_on
    FROM subscriptions AS s
    JOIN workspaces AS w ON w.id = s.workspace_id
    LEFT JOIN plan_migrations AS m ON m.workspace_id = s.workspace_id AND m.subscription_id = s.id
        AND m.done_at IS NULL AND m.cancelled_at IS NULL
    LEFT JOIN plans AS t ON t.id = m.to_plan_id
    WHERE s.plan_id = :plan AND s.workspace_id = ANY (:workspaces) AND s.status IN ('trialing', 'active', 'past_due')
    ORDER BY w.name, w.id
    LIMIT :most
    """
_APPROVALS = """
    SELECT a.id, a.plan_id, p.name || ' version ' || p.version AS plan, a.plan_revision,
        a.plan_revision = p.revision AS is_of_this_revision, a.publishes_on, a.margin_after, a.margin_floor, a.asked_by,
        a.asked_name, a.reason, a.created_at, a.decision, a.decided_name, a.decided_at, a.decision_reason
    FROM plan_approvals AS a
    JOIN plans AS p ON p.id = a.plan_id
    WHERE (CAST(:plan AS UUID) IS NULL OR a.plan_id = :plan) AND (:decided OR a.decision IS NULL)
        AND (CAST(:products AS TEXT[]) = '{}' OR p.product = ANY (:products))
    ORDER BY a.decision IS NULL DESC, a.created_at DESC, a.id
    LIMIT :most
    """
_MOVES = """
    SELECT m.batch_id, f.name || ' version ' || f.version AS from_plan, t.name || ' version ' || t.version AS to_plan,
        m.asked_name, m.reason, MIN(m.created_at) AS asked_at, MIN(m.due_on) AS first_due_on,
        MAX(m.due_on) AS last_due_on,
        COUNT(*) FILTER (WHERE m.done_at IS NULL AND m.cancelled_at IS NULL) AS waiting,
        COUNT(*) FILTER (WHERE m.done_at IS NOT NULL AND m.cancelled_at IS NULL) AS moved,
        COUNT(*) FILTER (WHERE m.cancelled_at IS NOT NULL) AS stayed
    FROM plan_migrations AS m
    JOIN plans AS f ON f.id = m.from_plan_id
    JOIN plans AS t ON t.id = m.to_plan_id
    WHERE m.workspace_id = ANY (:workspaces) AND (m.from_plan_id = :plan OR m.to_plan_id = :plan)
    GROUP BY m.batch_id, f.id, t.id, m.asked_name, m.reason
    ORDER BY asked_at DESC, m.batch_id
    LIMIT :most
    """
# A changed limit says only what changed: which it is, is said where it was made, or by what there is now.
_CHANGES = """
    WITH parts AS (
        SELECT 'plan_limits' AS table_name, id::text AS row_key, meter || ' ' || period AS what
        FROM plan_limits WHERE plan_id = :plan
        UNION
        SELECT 'plan_features', id::text, feature FROM plan_features WHERE plan_id = :plan
        UNION
        SELECT table_name, row_key, COALESCE(after ->> 'feature', before ->> 'feature', concat_ws(
            ' ', COALESCE(after ->> 'meter', before ->> 'meter'), COALESCE(after ->> 'period', before ->> 'period')
        ))
        FROM audit_log
        WHERE table_name IN ('plan_limits', 'plan_features') AND action IN ('insert', 'delete')
            AND COALESCE(after ->> 'plan_id', before ->> 'plan_id') = CAST(:plan AS TEXT)
        UNION
        SELECT 'plan_approvals', id::text, NULL FROM plan_approvals WHERE plan_id = :plan
        UNION
        SELECT 'plans', CAST(:plan AS TEXT), NULL
    ),
    named AS (
        SELECT table_name, row_key, MAX(what) AS what FROM parts GROUP BY table_name, row_key
    )
    SELECT a.position, a.at, a.actor, a.action, a.table_name, n.what, a.before, a.after, a.reason
    FROM named AS n
    JOIN audit_log AS a ON a.table_name = n.table_name AND a.row_key = n.row_key
    ORDER BY a.position DESC
    LIMIT :most
    """


def plans(
    engine: Engine, viewer: Viewer, *, products: Sequence[str] = (), discarded: bool = False
) -> tuple[PlanNow, ...]:
    """Every version of every tier, the newest of each first; of some products, or of all."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(PlanNow(**row) for row in _versions(connection, viewer, products=products, discarded=discarded))


def plan(engine: Engine, viewer: Viewer, key: UUID) -> PlanDetail | None:
    """One version; None: there is none of this key."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = _versions(connection, viewer, key, discarded=True)
        if not found:
            return None
        beside = rows(connection, _BESIDE, plan=key)[0]["id"]
        other = _versions(connection, viewer, beside, discarded=True) if beside else ()
        return PlanDetail(
            PlanNow(**found[0]),
            terms_of(connection, key),
            PlanNow(**other[0]) if other else None,
            terms_of(connection, beside) if beside else None,
        )


def plans_with_terms(engine: Engine, viewer: Viewer) -> tuple[tuple[PlanNow, PlanTerms], ...]:
    """What is sold, waits for its day, or is drafted, with all that it says; what is sold no more is left out."""
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = [PlanNow(**row) for row in _versions(connection, viewer, discarded=False)]
        shown = [one for one in found if one.status != "retired"]
        said = _terms_of_all(connection, [one.id for one in shown])
    return tuple((one, said[one.id]) for one in shown)


def terms_of(connection: Connection, key: UUID) -> PlanTerms:
    """What a version that is there says."""
    return _terms_of_all(connection, [key])[key]


def _terms_of_all(connection: Connection, keys: Sequence[UUID]) -> dict[UUID, PlanTerms]:
    limits: dict[UUID, dict[LimitKey, PlanLimit]] = {key: {} for key in keys}
    features: dict[UUID, dict[str, PlanFeature]] = {key: {} for key in keys}
    for row in rows(connection, _LIMITS, plans=list(keys)):
        limits[row["plan_id"]][f"{row['meter']} {row['period']}"] = PlanLimit(
            row["amount"], row["enforcement"], row["grace_amount"], row["grace_days"], row["rolls_over"]
        )
    for row in rows(connection, _FEATURES, plans=list(keys)):
        features[row["plan_id"]][row["feature"]] = PlanFeature(row["kind"], row["value"])
    plain = {row["id"]: dict(row) for row in rows(connection, _TERMS, plans=list(keys))}
    return {
        key: PlanTerms(
            **{name: value for name, value in said.items() if name != "id"}, limits=limits[key], features=features[key]
        )
        for key, said in plain.items()
    }


def subscribers(engine: Engine, viewer: Viewer, key: UUID) -> tuple[Subscriber, ...]:
    """Of the workspaces that the viewer sees."""
    return tuple(Subscriber(**row) for row in _read(engine, viewer, _SUBSCRIBERS, plan=key, most=MOST_SUBSCRIBERS))


def approvals(
    engine: Engine, viewer: Viewer, key: UUID | None = None, *, products: Sequence[str] = (), decided: bool = False
) -> tuple[PlanApprovalNow, ...]:
    """Those that wait, of one plan, of some products or of all; with those that were decided, where asked for."""
    found = _read(
        engine, viewer, _APPROVALS, plan=key, products=list(products), decided=decided, most=MOST_CHANGES
    )  # fmt: skip
    return tuple(PlanApprovalNow(**row) for row in found)


def moves(engine: Engine, viewer: Viewer, key: UUID) -> tuple[PlanMove, ...]:
    """Of subscriptions to a version and away from it, as far as the viewer sees their workspaces."""
    return tuple(PlanMove(**row) for row in _read(engine, viewer, _MOVES, plan=key, most=MOST_CHANGES))


def changes(engine: Engine, viewer: Viewer, key: UUID) -> tuple[PlanChange, ...]:
    """What was ever changed of a version, the last first."""
    return tuple(PlanChange(**row) for row in _read(engine, viewer, _CHANGES, plan=key, most=MOST_CHANGES))


def _versions(
    connection: Connection,
    viewer: Viewer,
    key: UUID | None = None,
    *,
    products: Sequence[str] = (),
    discarded: bool,
) -> Sequence[RowMapping]:
    return rows(
        connection, _NOW, workspaces=sorted(viewer.workspaces), plan=key, products=list(products), discarded=discarded
    )


def _read(engine: Engine, viewer: Viewer, question: str, **named: Any) -> Sequence[RowMapping]:  # noqa: ANN401 - what drivers take
    viewer.require(Permission.PLANS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return rows(connection, question, **(_scope(viewer, question) | named))


def _scope(viewer: Viewer, question: str) -> dict[str, Any]:
    """What no tenant has a part in is not narrowed by workspaces."""
    return {"workspaces": sorted(viewer.workspaces)} if ":workspaces" in question else {}
