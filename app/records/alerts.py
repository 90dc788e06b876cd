"""Alerts that are open: thresholds of budgets that were reached, and stops that still hold."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class Alert:
    """What was reached, of which budget. Amounts are None for who may not read cost."""

    id: UUID
    created_at: datetime
    kind: str
    workspace_id: UUID | None
    workspace: str | None
    budget_id: UUID | None
    budget: str | None
    scope: str | None
    period_start: datetime
    threshold: int | None
    spent: Decimal | None
    amount: Decimal | None
    currency: str | None
    reason: str | None


# The company's own are for those who may read what everything costs, of every workspace.
_OPEN = """
    SELECT a.id, a.created_at, a.kind, a.workspace_id, w.name AS workspace, a.budget_id, b.name AS budget, b.scope,
        a.period_start, a.threshold, CASE WHEN :sees_cost THEN a.spent END AS spent,
        CASE WHEN :sees_cost THEN b.amount END AS amount, b.currency, a.reason
    FROM budget_alerts AS a
    LEFT JOIN budgets AS b ON b.id = a.budget_id
    LEFT JOIN workspaces AS w ON w.id = a.workspace_id
    WHERE a.acknowledged_at IS NULL
        AND a.ended_at IS NULL
        AND (
            a.workspace_id = ANY (:workspaces)
            OR a.workspace_id IS NULL
                AND :sees_cost
                AND NOT EXISTS (
                    SELECT 1 FROM team_members AS m
                    WHERE m.id = CAST(:member AS UUID) AND m.workspace_ids IS NOT NULL
                )
        )
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (a.created_at, a.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY a.created_at DESC, a.id DESC
    LIMIT :most
    """


def open_alerts(engine: Engine, viewer: Viewer, *, after: Place | None = None, limit: int = 20) -> Page[Alert]:
    """Alerts that nobody has acknowledged and that have not ended, newest first."""
    viewer.require(Permission.OVERVIEW_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _OPEN,
            workspaces=sorted(viewer.workspaces),
            sees_cost=viewer.may(Permission.AI_COST_READ),
            member=viewer.member_id,
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Alert)
