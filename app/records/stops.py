"""Emergency stops: those that hold, and those that held."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.alerts import OF_THE_COMPANY
from app.records.reading import rows
from db.engine import seeing

MOST = 200


@dataclass(frozen=True)
class StopRecord:
    """What was stopped by whom, why, until when, and how many calls it refused."""

    id: UUID
    scope: str
    scope_value: str | None
    created_at: datetime
    started_by: str | None
    reason: str
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None
    refused: int


_STOPS = f"""
    SELECT s.id, s.scope, s.scope_value, s.created_at, COALESCE(f.name, f.email) AS started_by, s.reason, s.ended_at,
        COALESCE(u.name, u.email) AS ended_by, s.end_reason, s.refused
    FROM ai_stops AS s
    LEFT JOIN team_members AS f ON f.id = s.started_by
    LEFT JOIN team_members AS u ON u.id = s.ended_by
    WHERE {OF_THE_COMPANY}
    ORDER BY s.ended_at DESC NULLS FIRST, s.created_at DESC, s.id
    LIMIT :most
    """  # noqa: S608 - our own text


def stops(engine: Engine, viewer: Viewer) -> tuple[StopRecord, ...]:
    """Those that hold first; for who sees every workspace."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _STOPS, member=viewer.member_id, most=MOST)
    return tuple(StopRecord(**row) for row in found)
