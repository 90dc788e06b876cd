"""Workspaces of customers as admins look after them: what they pay for, who is in them, how full their limits are."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some, typed_words
from db.engine import seeing


@dataclass(frozen=True)
class Home:
    """A workspace; `plans` are those of its live subscriptions, `fullest` the share of the limit nearest its end."""

    id: UUID
    revision: int
    name: str
    slug: str
    owner_id: UUID | None
    owner: str | None
    country: str | None
    timezone: str
    currency: str
    created_at: datetime
    plans: tuple[str, ...]
    past_due: int
    ending: int
    members: int
    integrations: int
    failing: int
    fullest: float | None


@dataclass(frozen=True)
class Subscribed:
    """What a workspace pays, or paid, for one product."""

    id: UUID
    revision: int
    workspace_id: UUID
    workspace: str
    product: str
    tier: str
    plan_id: UUID
    plan: str
    version: int
    status: str
    price: Decimal
    currency: str
    billing_cycle: str
    started_at: datetime
    current_period_end: date
    ends_at: datetime | None
    cancel_at_period_end: bool

    @property
    def is_live(self) -> bool:
        return self.status in {"trialing", "active", "past_due"}


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace; the owner may have no membership of their own."""

    member_id: UUID | None
    user_id: UUID
    workspace_id: UUID
    workspace: str
    email: str
    name: str | None
    role: str
    is_owner: bool
    is_active: bool
    joined_at: datetime | None
    invited_at: datetime | None
    last_active_at: datetime | None
    credits: int


@dataclass(frozen=True)
class Offer:
    """A plan that a subscription may have."""

    id: UUID
    name: str
    tier: str
    version: int
    status: str
    price: Decimal
    currency: str
    billing_period: str


@dataclass(frozen=True)
class Wanted:
    """Which workspaces: whose name, short name or owner holds the words, and what their subscriptions are."""

    words: str = ""
    products: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    # 'live', 'past due', 'ending' or 'none'
    standing: str | None = None
    slugs: tuple[str, ...] = ()


ALL = Wanted()
# A retired plan is sold to nobody new, and a customer may come back to the one that they had.
TAKEN = ("published", "retired")
_LIVE = "('trialing', 'active', 'past_due')"
_COLUMNS = f"""
    w.id, w.revision, w.name, w.slug, w.owner_id, o.email AS owner, w.country, w.timezone, w.currency, w.created_at,
    ARRAY(SELECT s.product || ' ' || s.tier FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status IN {_LIVE}
        ORDER BY s.product) AS plans,
    (SELECT COUNT(*) FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status = 'past_due') AS past_due,
    (SELECT COUNT(*) FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status IN {_LIVE}
        AND s.cancel_at_period_end) AS ending,
    (SELECT COUNT(*) FROM (
        SELECT m.user_id FROM workspace_members AS m WHERE m.workspace_id = w.id
        UNION
        SELECT w.owner_id WHERE w.owner_id IS NOT NULL
    ) AS people) AS members,
    (SELECT COUNT(*) FROM platform_integrations AS i WHERE i.workspace_id = w.id) AS integrations,
    (SELECT COUNT(*) FROM platform_integrations AS i WHERE i.workspace_id = w.id AND i.connection_status = 'error')
        AS failing,
    (SELECT MAX((b.used + b.held) / CAST(b.limit_amount + b.rolled_over AS FLOAT)) FROM quota_balances AS b
        WHERE b.workspace_id = w.id AND b.limit_amount + b.rolled_over > 0 AND b.period_start <= now()
            AND (b.period_end IS NULL OR b.period_end > now())) AS fullest
    """  # noqa: S608 - our own text
_FOUND = f"""
    SELECT w.*
    FROM workspaces AS w
    LEFT JOIN users AS u ON u.id = w.owner_id
    WHERE w.id = ANY (:workspaces)
        AND (:words = ''
            OR POSITION(lower(:words) IN lower(w.name || ' ' || w.slug || ' ' || COALESCE(u.email, ''))) > 0)
        AND (CAST(:slugs AS TEXT[]) = '{{}}' OR w.slug = ANY (:slugs))
        AND (CAST(:products AS TEXT[]) = '{{}}' AND CAST(:tiers AS TEXT[]) = '{{}}' OR EXISTS (
            SELECT FROM subscriptions AS s
            WHERE s.workspace_id = w.id AND s.status IN {_LIVE}
                AND (CAST(:products AS TEXT[]) = '{{}}' OR s.product = ANY (:products))
                AND (CAST(:tiers AS TEXT[]) = '{{}}' OR s.tier = ANY (:tiers))
        ))
        AND CASE CAST(:standing AS TEXT)
            WHEN 'live' THEN EXISTS (
                SELECT FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status IN {_LIVE})
            WHEN 'none' THEN NOT EXISTS (
                SELECT FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status IN {_LIVE})
            WHEN 'past due' THEN EXISTS (
                SELECT FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status = 'past_due')
            WHEN 'ending' THEN EXISTS (
                SELECT FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status IN {_LIVE}
                    AND s.cancel_at_period_end)
            ELSE true END
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL
            OR (w.created_at, w.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY w.created_at DESC, w.id DESC
    LIMIT :most
    """  # noqa: S608 - our own text
# What belongs to a workspace is looked up for those of the page alone.
_SEARCH = f"""
    SELECT {_COLUMNS} FROM ({_FOUND}) AS w LEFT JOIN users AS o ON o.id = w.owner_id
    ORDER BY w.created_at DESC, w.id DESC
    """  # noqa: S608 - our own text
_ONE = f"""
    SELECT {_COLUMNS} FROM workspaces AS w LEFT JOIN users AS o ON o.id = w.owner_id
    WHERE w.id = :key AND w.id = ANY (:workspaces)
    """  # noqa: S608 - our own text
_SUBSCRIBED = f"""
    SELECT s.id, s.revision, s.workspace_id, w.name AS workspace, s.product, s.tier, s.plan_id, p.name AS plan,
        p.version, s.status, s.price, s.currency, s.billing_cycle, s.started_at, s.current_period_end, s.ends_at,
        s.cancel_at_period_end
    FROM subscriptions AS s
    JOIN plans AS p ON p.id = s.plan_id
    JOIN workspaces AS w ON w.id = s.workspace_id
    WHERE s.workspace_id = :key AND s.workspace_id = ANY (:workspaces)
    ORDER BY s.status IN {_LIVE} DESC, s.started_at DESC, s.id
    LIMIT 200
    """  # noqa: S608 - our own text
_PEOPLE = """
    SELECT m.id AS member_id, u.id AS user_id, w.id AS workspace_id, w.name AS workspace, u.email, u.name,
        CASE WHEN u.id = w.owner_id THEN 'owner' ELSE m.role END AS role,
        u.id IS NOT DISTINCT FROM w.owner_id AS is_owner, u.is_active, m.joined_at, m.invited_at, u.last_active_at,
        u.credits_balance AS credits
    FROM workspaces AS w
    JOIN users AS u ON u.id = w.owner_id
        OR u.id IN (SELECT i.user_id FROM workspace_members AS i WHERE i.workspace_id = w.id)
    LEFT JOIN workspace_members AS m ON m.workspace_id = w.id AND m.user_id = u.id
    WHERE w.id = :key AND w.id = ANY (:workspaces)
    ORDER BY u.id IS NOT DISTINCT FROM w.owner_id DESC, u.email
    LIMIT 1000
    """
_OFFERS = """
    SELECT id, name, tier, version, status, price, currency, billing_period
    FROM plans
    WHERE product = :product AND currency = :currency AND status = ANY (:statuses)
    ORDER BY status = 'retired', price, version DESC
    LIMIT 200
    """


def customers(
    engine: Engine, viewer: Viewer, wanted: Wanted = ALL, *, after: Place | None = None, limit: int = 50
) -> Page[Home]:
    """Workspaces that are not deleted, newest first."""
    viewer.require(Permission.CUSTOMERS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _SEARCH, workspaces=sorted(viewer.workspaces), words=typed_words(wanted.words),
            slugs=list(wanted.slugs), products=list(wanted.products), tiers=list(wanted.tiers),
            standing=wanted.standing, after_at=after and after.at, after_key=after and after.key, most=some(limit) + 1,
        )  # fmt: skip
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), _home)


def customer(engine: Engine, viewer: Viewer, key: UUID) -> Home | None:
    """One of them; None: there is none of this key that the viewer sees."""
    viewer.require(Permission.CUSTOMERS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _ONE, key=key, workspaces=sorted(viewer.workspaces))
    return _home(**found[0]) if found else None


def subscriptions(engine: Engine, viewer: Viewer, key: UUID) -> list[Subscribed]:
    """All that a workspace ever paid for, what is live before the rest."""
    viewer.require(Permission.CUSTOMERS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _SUBSCRIBED, key=key, workspaces=sorted(viewer.workspaces))
    return [Subscribed(**row) for row in found]


def people(engine: Engine, viewer: Viewer, key: UUID) -> list[Person]:
    """The owner of a workspace and its members."""
    viewer.require(Permission.CUSTOMERS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _PEOPLE, key=key, workspaces=sorted(viewer.workspaces))
    return [Person(**row) for row in found]


def offers(engine: Engine, viewer: Viewer, *, product: str, currency: str) -> list[Offer]:
    """The plans of a product that a subscription may have, those that are sold before the retired ones."""
    viewer.require(Permission.CUSTOMERS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _OFFERS, product=product, currency=currency, statuses=list(TAKEN))
    return [Offer(**row) for row in found]


def _home(**row: object) -> Home:
    return Home(**{**row, "plans": tuple(row["plans"])})  # type: ignore[arg-type]  # as the statement names them
