"""The price book as lists show it: what is valid, what waits, what a price once was, and what sources said of calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import moments, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class BookPrice:
    """A price of the book: approved, and superseded by nothing."""

    id: UUID
    provider: str
    model: str
    unit: str
    variant: str
    service_tier: str
    context_from: int
    price: Decimal
    per: int
    valid_from: datetime
    valid_to: datetime | None
    # When a later price takes over, or this one ends.
    holds_until: datetime | None
    known_from: datetime
    version: int
    source: str
    reference: str | None


@dataclass(frozen=True)
class PastPrice:
    """What the book said, says, or was proposed to say of one thing, and who approved or rejected that when."""

    id: UUID
    state: str
    price: Decimal
    per: int
    valid_from: datetime
    valid_to: datetime | None
    known_from: datetime
    version: int
    source: str
    reference: str | None
    decided_at: datetime | None
    decided_by: str | None
    superseded_at: datetime | None


@dataclass(frozen=True)
class WaitingPrice:
    """A proposal, and what the book says of the same thing at the moment from which it would be valid, for as much."""

    id: UUID
    provider: str
    model: str
    unit: str
    variant: str
    service_tier: str
    context_from: int
    price: Decimal
    per: int
    book_price: Decimal | None
    valid_from: datetime
    valid_to: datetime | None
    known_from: datetime
    source: str
    reference: str | None


@dataclass(frozen=True)
class ReportedModel:
    """Calls of a model whose source said what they cost. Both sums are of those that have a price too."""

    provider: str
    model: str
    calls: int
    unpriced: int
    apart: int
    reported_cost: Decimal
    computed_cost: Decimal
    difference: Decimal


@dataclass(frozen=True)
class ReportedCall:
    """A call whose source said something else than we computed."""

    id: UUID
    workspace_id: UUID
    occurred_at: datetime
    workspace: str
    product: str
    provider: str
    model: str
    service_tier: str
    attempt: int
    tokens_in: int
    tokens_out: int
    price_version: int | None
    reported_cost: Decimal
    computed_cost: Decimal
    difference: Decimal


@dataclass(frozen=True)
class UnpricedModel:
    """Ended calls of a model that have no price, by the reason; without one nobody has tried to price them yet."""

    provider: str
    model: str
    service_tier: str
    reason: str | None
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Calls:
    """Which calls: of some workspaces, providers, models and products, on some days."""

    slugs: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None


_ORDER = """p.provider, p.model, p.service_tier, p.unit, p.variant, p.context_from, p.valid_from DESC, p.version DESC,
        p.id"""
_SAME = """(n.provider, n.model, n.unit, n.variant, n.service_tier, n.context_from)
                = (p.provider, p.model, p.unit, p.variant, p.service_tier, p.context_from)"""
_LIVE = "n.approved_at IS NOT NULL AND n.superseded_by IS NULL"
# Of two that are valid at a time the one that began later holds.
_BOOK = f"""
    SELECT p.id, p.provider, p.model, p.unit, p.variant, p.service_tier, p.context_from, p.price, p.per, p.valid_from,
        p.valid_to,
        LEAST(p.valid_to, (
            SELECT MIN(n.valid_from) FROM ai_prices AS n
            WHERE {_LIVE} AND {_SAME} AND n.valid_from > p.valid_from
        )) AS holds_until,
        p.known_from, p.version, p.source, p.source_reference AS reference
    FROM ai_prices AS p
    WHERE p.approved_at IS NOT NULL
        AND p.superseded_by IS NULL
        AND p.valid_from < :until
        AND (p.valid_to IS NULL OR p.valid_to > :since)
        AND NOT EXISTS (
            SELECT 1 FROM ai_prices AS n
            WHERE {_LIVE}
                AND {_SAME}
                AND n.valid_from > p.valid_from
                AND n.valid_from <= :since
                AND (n.valid_to IS NULL OR n.valid_to >= :until)
        )
        AND (CAST(:providers AS TEXT[]) = '{{}}' OR p.provider = ANY (:providers))
        AND (CAST(:models AS TEXT[]) = '{{}}' OR p.model = ANY (:models))
    ORDER BY {_ORDER}
    """  # noqa: S608 - our own names
_PAST = """
    SELECT p.id,
        CASE WHEN p.rejected_at IS NOT NULL THEN 'rejected'
            WHEN p.approved_at IS NULL THEN 'proposed'
            WHEN p.superseded_by IS NOT NULL THEN 'superseded'
            ELSE 'in the book' END AS state,
        p.price, p.per, p.valid_from, p.valid_to, p.known_from, p.version, p.source, p.source_reference AS reference,
        COALESCE(p.approved_at, p.rejected_at) AS decided_at, COALESCE(m.name, m.email) AS decided_by,
        n.approved_at AS superseded_at
    FROM ai_prices AS one
    JOIN ai_prices AS p
        ON (p.provider, p.model, p.unit, p.variant, p.service_tier, p.context_from)
            = (one.provider, one.model, one.unit, one.variant, one.service_tier, one.context_from)
    LEFT JOIN team_members AS m ON m.id = COALESCE(p.approved_by, p.rejected_by)
    LEFT JOIN ai_prices AS n ON n.id = p.superseded_by
    WHERE one.id = :key
    ORDER BY p.valid_from DESC, p.version DESC, p.known_from DESC, p.id
    """
_WAITING = f"""
    SELECT p.id, p.provider, p.model, p.unit, p.variant, p.service_tier, p.context_from, p.price, p.per,
        b.price * p.per / b.per AS book_price, p.valid_from, p.valid_to, p.known_from, p.source,
        p.source_reference AS reference
    FROM ai_prices AS p
    LEFT JOIN LATERAL (
        SELECT n.price, n.per
        FROM ai_prices AS n
        WHERE {_LIVE}
            AND {_SAME}
            AND n.valid_from <= p.valid_from
            AND (n.valid_to IS NULL OR n.valid_to > p.valid_from)
        ORDER BY n.valid_from DESC, n.version DESC
        LIMIT 1
    ) AS b ON TRUE
    WHERE p.approved_at IS NULL AND p.rejected_at IS NULL
    ORDER BY {_ORDER}
    """  # noqa: S608 - our own names
_CHOSEN = """
    g.workspace_id = ANY (:workspaces)
        AND (CAST(:slugs AS TEXT[]) = '{}' OR w.slug = ANY (:slugs))
        AND (CAST(:providers AS TEXT[]) = '{}' OR g.provider = ANY (:providers))
        AND (CAST(:models AS TEXT[]) = '{}' OR g.model = ANY (:models))
        AND (CAST(:products AS TEXT[]) = '{}' OR g.product = ANY (:products))
        AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR g.created_at >= :since)
        AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR g.created_at < :until)
    """
_REPORTED_MODELS = f"""
    SELECT g.provider, g.model, COUNT(*) AS calls, COUNT(*) FILTER (WHERE g.cost IS NULL) AS unpriced,
        COUNT(*) FILTER (WHERE g.cost <> g.reported_cost) AS apart,
        COALESCE(SUM(g.reported_cost) FILTER (WHERE g.cost IS NOT NULL), 0) AS reported_cost,
        COALESCE(SUM(g.cost), 0) AS computed_cost,
        COALESCE(SUM(g.cost - g.reported_cost), 0) AS difference
    FROM ai_generations AS g
    JOIN workspaces AS w ON w.id = g.workspace_id
    WHERE g.reported_cost IS NOT NULL AND {_CHOSEN}
    GROUP BY g.provider, g.model
    ORDER BY ABS(COALESCE(SUM(g.cost - g.reported_cost), 0)) DESC, g.provider, g.model
    """  # noqa: S608 - our own names
_REPORTED_CALLS = f"""
    SELECT g.id, g.workspace_id, g.created_at AS occurred_at, w.name AS workspace, g.product, g.provider, g.model,
        g.service_tier, g.attempt, g.input_tokens + g.cached_input_tokens + g.cache_write_tokens AS tokens_in,
        g.output_tokens + g.reasoning_tokens AS tokens_out, g.price_version, g.reported_cost,
        g.cost AS computed_cost, g.cost - g.reported_cost AS difference
    FROM ai_generations AS g
    JOIN workspaces AS w ON w.id = g.workspace_id
    WHERE g.cost <> g.reported_cost AND {_CHOSEN}
    ORDER BY ABS(g.cost - g.reported_cost) DESC, g.created_at DESC, g.id
    LIMIT :most
    """  # noqa: S608 - our own names
_UNPRICED = f"""
    SELECT g.provider, g.model, g.service_tier, g.unpriced_because AS reason, COUNT(*) AS calls,
        MIN(g.created_at) AS first_at, MAX(g.created_at) AS last_at
    FROM ai_generations AS g
    JOIN workspaces AS w ON w.id = g.workspace_id
    WHERE g.cost IS NULL AND g.status IN ('completed', 'failed', 'cancelled') AND {_CHOSEN}
    GROUP BY g.provider, g.model, g.service_tier, g.unpriced_because
    ORDER BY COUNT(*) DESC, g.provider, g.model, g.service_tier, g.unpriced_because
    """  # noqa: S608 - our own names


def book_prices(engine: Engine, viewer: Viewer, only: Calls, now: datetime) -> tuple[BookPrice, ...]:
    """What the book says of some models on some days; without days, what it says now."""
    since, until = moments(only.since, only.until)
    narrowed = {"providers": list(only.providers), "models": list(only.models)}
    found = _read(engine, viewer, _BOOK, since=since or now, until=until or now, **narrowed)
    return tuple(BookPrice(**row) for row in found)


def past_prices(engine: Engine, viewer: Viewer, key: UUID) -> tuple[PastPrice, ...]:
    """All that was ever proposed for the same thing as one price is for, the last first."""
    return tuple(PastPrice(**row) for row in _read(engine, viewer, _PAST, key=key))


def waiting_prices(engine: Engine, viewer: Viewer) -> tuple[WaitingPrice, ...]:
    """The proposals, by model."""
    return tuple(WaitingPrice(**row) for row in _read(engine, viewer, _WAITING))


def reported_models(engine: Engine, viewer: Viewer, only: Calls) -> tuple[ReportedModel, ...]:
    """What sources said beside what we computed, by model."""
    return tuple(ReportedModel(**row) for row in _read(engine, viewer, _REPORTED_MODELS, **_narrowed(viewer, only)))


def reported_calls(engine: Engine, viewer: Viewer, only: Calls, *, limit: int = 100) -> tuple[ReportedCall, ...]:
    """The calls of which a source said something else than we computed, the greatest difference first."""
    found = _read(engine, viewer, _REPORTED_CALLS, **_narrowed(viewer, only), most=some(limit))
    return tuple(ReportedCall(**row) for row in found)


def unpriced_models(engine: Engine, viewer: Viewer, only: Calls) -> tuple[UnpricedModel, ...]:
    """Calls without a price, and why they have none."""
    return tuple(UnpricedModel(**row) for row in _read(engine, viewer, _UNPRICED, **_narrowed(viewer, only)))


def _narrowed(viewer: Viewer, only: Calls) -> dict[str, Any]:
    since, until = moments(only.since, only.until)
    chosen = {name: list(getattr(only, name)) for name in ("slugs", "providers", "models", "products")}
    return {"workspaces": sorted(viewer.workspaces), "since": since, "until": until, **chosen}


def _read(engine: Engine, viewer: Viewer, question: str, **named: Any) -> Sequence[Any]:  # noqa: ANN401 - what drivers take
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        return rows(connection, question, **named)
