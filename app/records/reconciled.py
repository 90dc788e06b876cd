"""The calls behind a part of a reconciliation: those of a day by the bill's clock that its name is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.money.bills import Kind
from app.records.reading import rows, some
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
    ORDER BY g.created_at DESC, g.id DESC
    LIMIT :most
    """


def calls_behind(
    engine: Engine, viewer: Viewer, *, provider: str, model: str, day: date, zone: str, kind: Kind, limit: int = 1000
) -> list[CallBehind]:
    """The latest first. Of what has no calls of ours, such as missing ones, those that there are that day."""
    viewer.require(Permission.AI_COST_READ)
    about = _ABOUT.get(kind, f"{_BEGAN} = :day")
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _CALLS.format(about=about),
            provider=provider,
            model=model,
            day=day,
            zone=zone,
            most=some(limit),
        )
    return [CallBehind(**row) for row in found]
