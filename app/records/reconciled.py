"""What is behind a part of a reconciliation: calls of a day by the bill's clock, and corrections of the month."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.money.bills import Kind, Meter
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class CallBehind:
    """A call, by both clocks."""

    id: UUID
    created_at: datetime
    completed_at: datetime | None
    workspace: str
    model: str
    service_tier: str
    status: str
    tokens_in: int
    cached: int
    tokens_out: int
    cost: Decimal | None
    unpriced_because: str | None


@dataclass(frozen=True)
class CorrectionBehind:
    """A correction by which a call that came after the close is kept."""

    created_at: datetime
    workspace: str
    product: str
    generation_type: str
    amount: Decimal
    reason: str


_BEGAN = "CAST(g.created_at AT TIME ZONE :zone AS DATE)"
_ENDED = "CAST(GREATEST(g.completed_at, g.created_at) AT TIME ZONE :zone AS DATE)"
_DAY = "CAST(g.created_at AT TIME ZONE 'UTC' AS DATE)"
_ON = f":day IN ({_DAY}, {_BEGAN}, {_ENDED})"
# Of which calls a name is: the others of the day have nothing to do with it.
_ABOUT: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.UNPRICED: f"{_ON} AND g.cost IS NULL",
        Kind.ZONE: f"{_DAY} <> {_BEGAN} AND :day IN ({_DAY}, {_BEGAN})",
        Kind.LATE: f"{_BEGAN} <> {_ENDED} AND :day IN ({_BEGAN}, {_ENDED})",
        Kind.CACHE: f"{_BEGAN} = :day AND g.cached_input_tokens + g.cache_write_tokens > 0",
    }
)
# What was thought is output to providers that don't tell it apart; what has no column is in more_units.
_USED = """
    CASE m.unit
        WHEN 'input' THEN g.input_tokens
        WHEN 'cached_input' THEN g.cached_input_tokens
        WHEN 'cache_write_5m' THEN g.cache_write_tokens - g.cache_write_1h_tokens
        WHEN 'cache_write_1h' THEN g.cache_write_1h_tokens
        WHEN 'output' THEN g.output_tokens + g.reasoning_tokens
        WHEN 'reasoning' THEN g.reasoning_tokens
        WHEN 'image' THEN g.images
        WHEN 'audio_second' THEN g.audio_seconds
        WHEN 'video_second' THEN g.video_seconds
        WHEN 'tool_call' THEN g.tool_calls
        ELSE (
            SELECT COALESCE(SUM(CAST(e.value AS numeric)), 0) FROM jsonb_each_text(g.more_units) AS e
            WHERE split_part(e.key, '/', 1) = m.unit
        )
    END
    """
_NARROWED = f"""
    (CAST(:is_narrowed AS boolean) IS FALSE OR EXISTS (
        SELECT FROM unnest(CAST(:units AS text[]), CAST(:tiers AS text[])) AS m (unit, tier)
        WHERE m.tier IN ('', g.service_tier) AND (m.unit = '' OR {_USED} > 0)
    ))
    """
_CALLS = """
    SELECT g.id, g.created_at, g.completed_at, w.name AS workspace, g.model, g.service_tier, g.status,
        g.input_tokens + g.cached_input_tokens + g.cache_write_tokens AS tokens_in, g.cached_input_tokens AS cached,
        g.output_tokens + g.reasoning_tokens AS tokens_out, g.cost, g.unpriced_because
    FROM ai_generations AS g
    JOIN workspaces AS w ON w.id = g.workspace_id
    WHERE g.provider = :provider
        AND g.model = :model
        AND g.created_at >= CAST(:day AS DATE) - INTERVAL '2 days'
        AND g.created_at < CAST(:day AS DATE) + INTERVAL '3 days'
        AND g.status IN ('completed', 'failed', 'cancelled')
        AND {about}
        AND {narrowed}
        AND (CAST(:after_at AS timestamptz) IS NULL OR (g.created_at, g.id) < (:after_at, CAST(:after_key AS uuid)))
    ORDER BY g.created_at DESC, g.id DESC
    LIMIT :most
    """


_CORRECTIONS = """
    SELECT c.created_at, w.name AS workspace, c.product, c.generation_type, c.amount, c.reason
    FROM ai_cost_corrections AS c
    JOIN workspaces AS w ON w.id = c.workspace_id
    WHERE c.month = :month AND c.provider = :provider AND c.model = :model AND c.kind = 'late_usage'
    ORDER BY c.created_at DESC, c.id DESC
    LIMIT :most
    """


def calls_behind(
    engine: Engine,
    viewer: Viewer,
    *,
    provider: str,
    model: str,
    day: date,
    zone: str,
    kind: Kind,
    meters: Collection[Meter] = (),
    after: Place | None = None,
    limit: int = 1000,
) -> Page[CallBehind]:
    """The latest first, of these meters where some are named. What is missing has no calls: those that there are."""
    viewer.require(Permission.AI_COST_READ)
    about = _ABOUT.get(kind, f"{_BEGAN} = :day")
    # Zones and clocks move whole calls.
    narrowing = [] if kind in {Kind.ZONE, Kind.LATE} else sorted(meters)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _CALLS.format(about=about, narrowed=_NARROWED),
            provider=provider,
            model=model,
            day=day,
            zone=zone,
            is_narrowed=bool(narrowing),
            units=[meter.unit for meter in narrowing],
            tiers=[meter.tier for meter in narrowing],
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), CallBehind)


def corrections_behind(
    engine: Engine, viewer: Viewer, *, provider: str, model: str, month: date, limit: int = 1000
) -> list[CorrectionBehind]:
    """The late usage of a model by which a closed month was corrected."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _CORRECTIONS, provider=provider, model=model, month=month, most=some(limit))
    return [CorrectionBehind(**row) for row in found]
