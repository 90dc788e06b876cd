"""Alerts: those that are open, and what became of all of them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing


class AlertState(StrEnum):
    """What somebody has done about an alert."""

    OPEN = "open"
    SNOOZED = "snoozed"
    DONE = "done"


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
    about: str


@dataclass(frozen=True)
class AlertHistory(Alert):
    """An alert with what became of it; `told` says by which channels it went out, and which of them failed."""

    snoozed_until: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    told: str | None


Shown = TypeVar("Shown", bound=Alert)

# For who sees every workspace; `:member` is the viewer's own key.
OF_THE_COMPANY = """NOT EXISTS (
            SELECT 1 FROM team_members AS m WHERE m.id = CAST(:member AS UUID) AND m.workspace_ids IS NOT NULL
        )"""
# A stop is not acknowledged: it holds until it has ended.
_IS_OPEN = """a.ended_at IS NULL AND (a.acknowledged_at IS NULL OR a.kind = 'emergency_stop')
        AND (a.snoozed_until IS NULL OR a.snoozed_until <= now())"""
_STATES = {
    AlertState.OPEN: _IS_OPEN,
    AlertState.SNOOZED: "a.ended_at IS NULL AND a.acknowledged_at IS NULL AND a.snoozed_until > now()",
    AlertState.DONE: "(a.ended_at IS NOT NULL OR a.acknowledged_at IS NOT NULL AND a.kind <> 'emergency_stop')",
}
_SHOWN = """a.id, a.created_at, a.kind, a.workspace_id, w.name AS workspace, a.budget_id, b.name AS budget, b.scope,
        a.period_start, a.threshold, CASE WHEN :sees_cost THEN a.spent END AS spent,
        CASE WHEN :sees_cost THEN b.amount END AS amount, b.currency, a.reason, a.about"""
# The company's own are for those who may read what everything costs, of every workspace.
_SEEN = f"""
    FROM budget_alerts AS a
    LEFT JOIN budgets AS b ON b.id = a.budget_id
    LEFT JOIN workspaces AS w ON w.id = a.workspace_id
    LEFT JOIN team_members AS t ON t.id = a.acknowledged_by
    WHERE (a.workspace_id = ANY (:workspaces) OR a.workspace_id IS NULL AND :sees_cost AND {OF_THE_COMPANY})
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (a.created_at, a.id) < (:after_at, CAST(:after_key AS UUID)))"""
_LAST = """
    ORDER BY a.created_at DESC, a.id DESC
    LIMIT :most
    """
_OPEN = f"""
    SELECT {_SHOWN}{_SEEN}
        AND {_IS_OPEN}{_LAST}"""
_HISTORY = f"""
    SELECT {_SHOWN}, a.snoozed_until, a.acknowledged_at, COALESCE(t.name, t.email) AS acknowledged_by, a.ended_at,
        (
            SELECT string_agg(CASE d.status
                WHEN 'sent' THEN 'sent by ' || d.channel
                WHEN 'failed' THEN 'not sent by ' || d.channel || ': ' || COALESCE(d.error, 'no reason is known')
                ELSE 'on its way by ' || d.channel || CASE WHEN d.error IS NULL THEN '' ELSE ', tried '
                    || d.attempts || ' times' END
                END, '; ' ORDER BY d.round, d.channel)
            FROM alert_deliveries AS d WHERE d.alert_id = a.id
        ) AS told{_SEEN}
        AND {{state}}{_LAST}"""  # noqa: S608 - our own text


def open_alerts(engine: Engine, viewer: Viewer, *, after: Place | None = None, limit: int = 20) -> Page[Alert]:
    """Alerts that nobody has acknowledged or put off, and that have not ended, newest first."""
    viewer.require(Permission.OVERVIEW_READ)
    return _page(engine, viewer, _OPEN, Alert, after=after, limit=limit)


def alerts(
    engine: Engine, viewer: Viewer, state: AlertState, *, after: Place | None = None, limit: int = 20
) -> Page[AlertHistory]:
    """Alerts in a state, with what became of them, newest first."""
    viewer.require(Permission.AI_COST_READ)
    return _page(engine, viewer, _HISTORY.format(state=_STATES[state]), AlertHistory, after=after, limit=limit)


def _page(
    engine: Engine, viewer: Viewer, question: str, make: type[Shown], *, after: Place | None, limit: int
) -> Page[Shown]:
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            question,
            workspaces=sorted(viewer.workspaces),
            sees_cost=viewer.may(Permission.AI_COST_READ),
            member=viewer.member_id,
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), make)
