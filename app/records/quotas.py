"""Limits with what is used and held of them, who is close to one, exceptions, and what calls hold right now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing
from db.tables.products import METERS


@dataclass(frozen=True)
class Standing:
    """One limit of a workspace or of a customer in it, and its period now; no amount means no limit."""

    product: str
    tier: str
    meter: str
    customer: str | None
    period: str
    source: str
    amount: int | None
    grace: int
    rolled_over: int
    is_soft: bool
    used: int
    held: int
    period_start: datetime
    period_end: datetime | None

    @property
    def left(self) -> int | None:
        """How much may still be taken before the limit is reached."""
        return None if self.amount is None else max(0, self.amount + self.rolled_over - self.used - self.held)


@dataclass(frozen=True)
class Balance:
    """What was used and held of a limit in one period, as its last call left it."""

    id: UUID
    workspace: str
    slug: str
    customer: str | None
    product: str
    meter: str
    period: str
    period_start: datetime
    period_end: datetime | None
    amount: int | None
    rolled_over: int
    is_soft: bool
    used: int
    held: int
    over_since: datetime | None


@dataclass(frozen=True)
class Override:
    """An exception from a limit."""

    id: UUID
    revision: int
    workspace: str
    slug: str
    customer: str | None
    product: str
    meter: str
    period: str
    amount: int | None
    reason: str
    starts_at: datetime
    ends_at: datetime
    granted_by: str | None


@dataclass(frozen=True)
class Holding:
    """A reservation that is neither settled nor released."""

    id: UUID
    workspace_id: UUID
    created_at: datetime
    workspace: str
    customer: str | None
    product: str
    meter: str
    amount: int
    key: str
    expires_at: datetime


@dataclass(frozen=True)
class CreditHolder:
    """A customer in a workspace, with the credits that are left of all that came, and the last of them."""

    user_id: UUID
    workspace: str
    slug: str
    email: str
    name: str | None
    role: str
    balance: int
    last_moved_at: datetime | None


@dataclass(frozen=True)
class Within:
    """Of which workspaces, by their short names, and of which products; none: of all."""

    slugs: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


ALL = Within()


@dataclass(frozen=True)
class ServiceLimit:
    """So much of a meter a customer may use on one day; no amount means no such limit."""

    meter: str
    amount: int | None
    changed_at: datetime
    revision: int


# What a period brings along is reckoned as `open_quotas` does for a call: what its balance says is of its last call.
_STANDINGS = """
    SELECT s.product, s.tier, m.meter, u.email AS customer, l.period, l.source, l.limit_amount AS amount,
        l.grace_amount AS grace,
        CASE
            WHEN NOT l.rolls_over THEN 0
            WHEN p.id IS NULL THEN COALESCE(l.limit_amount, 0)
            ELSE quota_left_over(p.limit_amount, p.rolled_over, p.used + p.held)
        END AS rolled_over,
        l.is_soft, COALESCE(b.used, 0) AS used, COALESCE(b.held, 0) AS held, begun.at AS period_start,
        COALESCE(b.period_end, l.period_end) AS period_end
    FROM workspaces AS w
    JOIN subscriptions AS s ON s.workspace_id = w.id AND s.status IN ('trialing', 'active', 'past_due')
    CROSS JOIN unnest(CAST(:meters AS TEXT[])) WITH ORDINALITY AS m (meter, place)
    CROSS JOIN LATERAL quota_limits(w.id, CAST(:customer AS UUID), s.product, m.meter, now()) AS l
    LEFT JOIN quota_balances AS b ON b.workspace_id = w.id AND b.user_id IS NOT DISTINCT FROM l.user_id
        AND b.product = s.product AND b.meter = m.meter AND b.period = l.period
        AND b.period_start <= now() AND (b.period_end IS NULL OR b.period_end > now())
    CROSS JOIN LATERAL (
        SELECT COALESCE(b.period_start, GREATEST(l.period_start, MAX(e.period_end))) AS at
        FROM quota_balances AS e
        WHERE e.workspace_id = w.id AND e.user_id IS NOT DISTINCT FROM l.user_id AND e.product = s.product
            AND e.meter = m.meter AND e.period = l.period AND e.period_end <= now()
    ) AS begun
    LEFT JOIN quota_balances AS p ON p.workspace_id = w.id AND p.user_id IS NOT DISTINCT FROM l.user_id
        AND p.product = s.product AND p.meter = m.meter AND p.period = l.period AND p.period_end = begun.at
    LEFT JOIN users AS u ON u.id = l.user_id
    WHERE w.slug = :slug AND w.id = ANY (:workspaces) AND (l.source <> 'none' OR b.id IS NOT NULL)
        AND (CAST(:customer AS UUID) IS NULL OR l.user_id IS NULL OR l.source <> 'service' OR b.id IS NOT NULL)
        AND (CAST(:products AS TEXT[]) = '{}' OR s.product = ANY (:products))
    ORDER BY s.product, m.place, l.user_id NULLS FIRST, l.period
    """
_BALANCES = """
    SELECT b.id, w.name AS workspace, w.slug, u.email AS customer, b.product, b.meter, b.period, b.period_start,
        b.period_end, b.limit_amount AS amount, b.rolled_over, b.is_soft, b.used, b.held, b.over_since
    FROM quota_balances AS b
    JOIN workspaces AS w ON w.id = b.workspace_id
    LEFT JOIN users AS u ON u.id = b.user_id
    """
_CLOSE = (
    _BALANCES
    + """
    WHERE b.workspace_id = ANY (:workspaces)
        AND (CAST(:slugs AS TEXT[]) = '{}' OR w.slug = ANY (:slugs))
        AND (CAST(:products AS TEXT[]) = '{}' OR b.product = ANY (:products))
        AND b.period_start <= now() AND (b.period_end IS NULL OR b.period_end > now())
        AND b.limit_amount + b.rolled_over > 0
        AND b.used + b.held >= CAST(:share AS NUMERIC) * (b.limit_amount + b.rolled_over)
    ORDER BY (b.used + b.held) / CAST(b.limit_amount + b.rolled_over AS NUMERIC) DESC, b.id
    LIMIT :most
    """
)
_HISTORY = (
    _BALANCES
    + """
    WHERE b.workspace_id = ANY (:workspaces) AND w.slug = :slug
        AND (CAST(:meter AS TEXT) IS NULL OR b.meter = :meter)
        AND (CAST(:products AS TEXT[]) = '{}' OR b.product = ANY (:products))
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL
            OR (b.period_start, b.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY b.period_start DESC, b.id DESC
    LIMIT :most
    """
)
_OVERRIDES = """
    SELECT o.id, o.revision, w.name AS workspace, w.slug, u.email AS customer, o.product, o.meter, o.period,
        o.limit_amount AS amount, o.reason, o.starts_at, o.ends_at, COALESCE(t.name, t.email) AS granted_by
    FROM quota_overrides AS o
    JOIN workspaces AS w ON w.id = o.workspace_id
    LEFT JOIN users AS u ON u.id = o.user_id
    LEFT JOIN team_members AS t ON t.id = o.granted_by
    WHERE o.workspace_id = ANY (:workspaces) AND o.ends_at > now()
        AND (CAST(:slugs AS TEXT[]) = '{}' OR w.slug = ANY (:slugs))
        AND (CAST(:products AS TEXT[]) = '{}' OR o.product = ANY (:products))
    ORDER BY o.ends_at, o.id
    LIMIT :most
    """
_HELD = """
    SELECT r.id, r.workspace_id, r.created_at, w.name AS workspace, u.email AS customer, b.product, b.meter, r.amount,
        r.idempotency_key AS key, r.expires_at
    FROM quota_reservations AS r
    JOIN quota_balances AS b ON b.workspace_id = r.workspace_id AND b.id = r.balance_id
    JOIN workspaces AS w ON w.id = r.workspace_id
    LEFT JOIN users AS u ON u.id = b.user_id
    WHERE r.workspace_id = ANY (:workspaces) AND r.state = 'held'
        AND (CAST(:slugs AS TEXT[]) = '{}' OR w.slug = ANY (:slugs))
        AND (CAST(:products AS TEXT[]) = '{}' OR b.product = ANY (:products))
    ORDER BY r.expires_at, r.id
    LIMIT :most
    """
_HOLDERS = """
    SELECT u.id AS user_id, w.name AS workspace, w.slug, u.email, u.name,
        CASE WHEN w.owner_id = u.id THEN 'owner' ELSE m.role END AS role, u.credits_balance AS balance,
        (SELECT MAX(t.created_at) FROM credit_transactions AS t WHERE t.workspace_id = w.id AND t.user_id = u.id)
            AS last_moved_at
    FROM workspaces AS w
    JOIN users AS u ON u.id = w.owner_id
        OR u.id IN (SELECT i.user_id FROM workspace_members AS i WHERE i.workspace_id = w.id)
    LEFT JOIN workspace_members AS m ON m.workspace_id = w.id AND m.user_id = u.id
    WHERE w.id = ANY (:workspaces) AND w.slug = :slug
    ORDER BY u.credits_balance DESC, u.email
    LIMIT :most
    """
_SERVICES = """
    SELECT m.meter, CASE jsonb_typeof(s.value -> m.meter) WHEN 'number' THEN CAST(s.value ->> m.meter AS BIGINT) END
            AS amount,
        s.updated_at AS changed_at, s.revision
    FROM settings AS s
    CROSS JOIN unnest(CAST(:meters AS TEXT[])) WITH ORDINALITY AS m (meter, place)
    WHERE s.key = 'ai_service_limits'
    ORDER BY m.place
    """


def standings(
    engine: Engine, viewer: Viewer, *, slug: str, customer: UUID | None = None, products: Sequence[str] = ()
) -> list[Standing]:
    """Every limit of a workspace and, where one is named, of a customer in it, as the next call would meet it."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _STANDINGS, slug=slug, customer=customer, meters=list(METERS), products=list(products),
            workspaces=sorted(viewer.workspaces),
        )  # fmt: skip
    return [Standing(**row) for row in found]


def close_to_limits(
    engine: Engine, viewer: Viewer, within: Within = ALL, *, share: float = 0.8, limit: int = 50
) -> list[Balance]:
    """Whose period now has used and held this share of its limit or more, the fullest first."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _CLOSE, share=share, **_narrowed(viewer, within), most=some(limit))
    return [Balance(**row) for row in found]


def history(
    engine: Engine,
    viewer: Viewer,
    *,
    slug: str,
    meter: str | None = None,
    products: Sequence[str] = (),
    after: Place | None = None,
    limit: int = 50,
) -> Page[Balance]:
    """The periods of a workspace's limits, newest first."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _HISTORY, slug=slug, meter=meter, workspaces=sorted(viewer.workspaces),
            products=list(products), after_at=after and after.at, after_key=after and after.key, most=some(limit) + 1,
        )  # fmt: skip
    return page_of(found, some(limit), lambda row: Place(row["period_start"], row["id"]), Balance)


def overrides(engine: Engine, viewer: Viewer, within: Within = ALL, *, limit: int = 200) -> list[Override]:
    """The exceptions that are not over, those that end first before the others."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _OVERRIDES, **_narrowed(viewer, within), most=some(limit))
    return [Override(**row) for row in found]


def held(engine: Engine, viewer: Viewer, within: Within = ALL, *, limit: int = 200) -> list[Holding]:
    """What calls hold right now, those that expire first before the others."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _HELD, **_narrowed(viewer, within), most=some(limit))
    return [Holding(**row) for row in found]


def credit_holders(engine: Engine, viewer: Viewer, *, slug: str, limit: int = 200) -> list[CreditHolder]:
    """The people of a workspace, those with the most credits first."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _HOLDERS, slug=slug, workspaces=sorted(viewer.workspaces), most=some(limit))
    return [CreditHolder(**row) for row in found]


def service_limits(engine: Engine, viewer: Viewer) -> list[ServiceLimit]:
    """Every meter with its limit by the day, which holds for each customer alone."""
    viewer.require(Permission.QUOTAS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _SERVICES, meters=list(METERS))
    return [ServiceLimit(**row) for row in found]


def _narrowed(viewer: Viewer, within: Within) -> dict[str, Any]:
    return {
        "workspaces": sorted(viewer.workspaces), "slugs": list(within.slugs), "products": list(within.products),
    }  # fmt: skip
