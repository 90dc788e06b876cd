"""Budgets as they stand, and how they were found when they were looked at."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.alerts import OF_THE_COMPANY
from app.records.reading import Page, Place, page_of, rows, some
from db.engine import seeing


@dataclass(frozen=True)
class BudgetNow:
    """A budget, what its period has cost so far, and what was found when it was last looked at."""

    id: UUID
    revision: int
    name: str
    scope: str
    scope_value: str | None
    workspace_id: UUID | None
    workspace: str | None
    customer: str | None
    amount: Decimal
    currency: str
    period: str
    timezone: str
    thresholds: tuple[int, ...]
    at_limit: str
    is_active: bool
    warns_of_forecast: bool
    first_day: date
    next_day: date | None
    spent: Decimal
    held: Decimal
    refused: int
    looked_at: datetime | None
    unpriced: int | None
    forecast: Decimal | None
    forecast_low: Decimal | None
    forecast_high: Decimal | None
    error: str | None


@dataclass(frozen=True)
class Evaluation:
    """What was found when a budget was looked at, or why it could not be."""

    id: UUID
    created_at: datetime
    budget: str | None
    period_start: datetime | None
    amount: Decimal | None
    spent: Decimal | None
    held: Decimal | None
    unpriced: int | None
    forecast: Decimal | None
    forecast_low: Decimal | None
    forecast_high: Decimal | None
    raised: int
    error: str | None


_NOW = f"""
    SELECT b.id, b.revision, b.name, b.scope, b.scope_value, b.workspace_id, w.name AS workspace, u.email AS customer,
        b.amount, b.currency, b.period, b.timezone, b.thresholds, b.at_limit, b.is_active, b.warns_of_forecast,
        t.first_day, t.next_day, t.spent, t.held, t.refused, e.created_at AS looked_at, e.unpriced, e.forecast,
        e.forecast_low, e.forecast_high, e.error
    FROM budgets AS b
    JOIN budget_standings(now()) AS t ON t.budget_id = b.id
    LEFT JOIN workspaces AS w ON w.id = b.workspace_id
    LEFT JOIN users AS u ON u.id = b.user_id
    LEFT JOIN LATERAL (
        SELECT v.created_at, v.unpriced, v.forecast, v.forecast_low, v.forecast_high, v.error
        FROM budget_evaluations AS v
        WHERE v.budget_id = b.id AND (v.period_start = t.starts_at OR v.error IS NOT NULL)
        ORDER BY v.created_at DESC
        LIMIT 1
    ) AS e ON true
    WHERE b.deleted_at IS NULL
        AND (b.workspace_id = ANY (:workspaces) OR b.workspace_id IS NULL AND {OF_THE_COMPANY})
    ORDER BY b.is_active DESC, t.spent / b.amount DESC, b.name, b.id
    """  # noqa: S608 - our own text
_EVALUATIONS = f"""
    SELECT e.id, e.created_at, b.name AS budget, e.period_start, e.amount, e.spent, e.held, e.unpriced, e.forecast,
        e.forecast_low, e.forecast_high, e.raised, e.error
    FROM budget_evaluations AS e
    LEFT JOIN budgets AS b ON b.id = e.budget_id
    WHERE (CAST(:budget AS UUID) IS NULL OR e.budget_id = :budget)
        AND (e.workspace_id = ANY (:workspaces) OR e.workspace_id IS NULL AND {OF_THE_COMPANY})
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (e.created_at, e.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY e.created_at DESC, e.id DESC
    LIMIT :most
    """  # noqa: S608 - our own text


def budgets(engine: Engine, viewer: Viewer) -> tuple[BudgetNow, ...]:
    """All that the viewer may see: those nearest to their amount first, paused ones last."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _NOW, workspaces=sorted(viewer.workspaces), member=viewer.member_id)
    return tuple(BudgetNow(**{**row, "thresholds": tuple(row["thresholds"])}) for row in found)


def budget(engine: Engine, viewer: Viewer, key: UUID) -> BudgetNow | None:
    """One of them; None: there is none of this key that the viewer may see."""
    return next((one for one in budgets(engine, viewer) if one.id == key), None)


def evaluations(
    engine: Engine, viewer: Viewer, key: UUID | None = None, *, after: Place | None = None, limit: int = 50
) -> Page[Evaluation]:
    """Of one budget or of all, newest first."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _EVALUATIONS,
            budget=key,
            workspaces=sorted(viewer.workspaces),
            member=viewer.member_id,
            after_at=after and after.at,
            after_key=after and after.key,
            most=some(limit) + 1,
        )
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), Evaluation)
