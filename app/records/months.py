"""One month of AI cost: its budgets, when it was closed and with which sums, and what corrected it afterwards."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import rows
from db.engine import seeing


@dataclass(frozen=True)
class MonthClose:
    """A closed month's sums, of all workspaces."""

    closed_at: datetime
    closed_by: str | None
    cost: Decimal
    calls: int
    unpriced: int
    price_version: int | None


@dataclass(frozen=True)
class MonthCorrection:
    """Corrections of a closed month that were made for one reason, of one model in one product, added up."""

    made_on: date
    kind: str
    product: str
    provider: str
    model: str
    reason: str
    made_by: str | None
    corrections: int
    amount: Decimal


@dataclass(frozen=True)
class MonthOfBudget:
    """A monthly budget, what the month cost by it, and the highest of its thresholds that was reached."""

    name: str
    covers: str
    amount: Decimal
    currency: str
    at_limit: str
    spent: Decimal
    reached: int | None


_BUDGETS = """
    SELECT b.name, COALESCE(b.scope_value, u.email, w.name, 'everything') AS covers, b.amount, b.currency, b.at_limit,
        COALESCE((
            SELECT SUM(d.spent) FROM budget_days AS d
            WHERE d.budget_id = b.id AND d.day >= :month AND d.day < :until
        ), 0) AS spent,
        (
            SELECT MAX(a.threshold) FROM budget_alerts AS a
            WHERE a.budget_id = b.id
                AND a.kind = 'threshold'
                AND CAST(a.period_start AT TIME ZONE b.timezone AS DATE) = :month
        ) AS reached
    FROM budgets AS b
    LEFT JOIN workspaces AS w ON w.id = b.workspace_id
    LEFT JOIN users AS u ON u.id = b.user_id
    WHERE b.deleted_at IS NULL
        AND b.period = 'month'
        AND b.created_at < :until
        AND (b.workspace_id = ANY (:workspaces) OR b.workspace_id IS NULL AND :sees_all)
    ORDER BY b.name, b.id
    """
_CLOSE = """
    SELECT m.closed_at, COALESCE(t.name, t.email) AS closed_by, m.cost, m.calls, m.unpriced, m.price_version
    FROM ai_months AS m
    LEFT JOIN team_members AS t ON t.id = m.closed_by
    WHERE m.month = :month AND m.closed_at IS NOT NULL
    """
_CORRECTIONS = """
    SELECT CAST(c.created_at AT TIME ZONE 'UTC' AS DATE) AS made_on, c.kind, c.product, c.provider, c.model, c.reason,
        COALESCE(t.name, t.email) AS made_by, COUNT(*) AS corrections, SUM(c.amount) AS amount
    FROM ai_cost_corrections AS c
    LEFT JOIN team_members AS t ON t.id = c.made_by
    WHERE c.month = :month AND c.workspace_id = ANY (:workspaces)
    GROUP BY 1, c.kind, c.product, c.provider, c.model, c.reason, COALESCE(t.name, t.email)
    ORDER BY made_on, c.kind, c.product, c.provider, c.model, c.reason, made_by
    """


def month_close(engine: Engine, viewer: Viewer, month: date) -> MonthClose | None:
    """How a month was closed; None: it is open."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _CLOSE, month=month)
    return MonthClose(**found[0]) if found else None


def month_corrections(engine: Engine, viewer: Viewer, month: date) -> tuple[MonthCorrection, ...]:
    """What the month cost more or less than it was closed with, in the order in which it was found out."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _CORRECTIONS, month=month, workspaces=sorted(viewer.workspaces))
    return tuple(MonthCorrection(**row) for row in found)


def month_budgets(
    engine: Engine, viewer: Viewer, month: date, until: date, *, sees_all: bool
) -> tuple[MonthOfBudget, ...]:
    """The monthly budgets that there were, the fullest first; those of the company for whoever sees all of it."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection, _BUDGETS, month=month, until=until, workspaces=sorted(viewer.workspaces), sees_all=sees_all
        )
    return tuple(sorted((MonthOfBudget(**row) for row in found), key=lambda one: one.spent / one.amount, reverse=True))
