"""The budget that a month of AI cost is held against: the monthly one of exactly what is looked at, if there is one."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.reading import rows
from db.engine import seeing


@dataclass(frozen=True)
class MonthBudget:
    """How much a month may cost."""

    name: str
    amount: Decimal
    currency: str


# What covers every workspace is no measure for who sees some of them.
_BUDGET = """
    SELECT b.name, b.amount, b.currency
    FROM budgets AS b
    LEFT JOIN workspaces AS w ON w.id = b.workspace_id
    WHERE b.deleted_at IS NULL AND b.is_active AND b.period = 'month' AND b.scope = :scope
        AND COALESCE(b.scope_value, w.slug, '') = :covers
        AND (
            b.workspace_id = ANY (:workspaces)
            OR b.workspace_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM team_members AS m WHERE m.id = CAST(:member AS UUID) AND m.workspace_ids IS NOT NULL
            )
        )
    ORDER BY b.amount, b.name
    LIMIT 1
    """


def month_budget(engine: Engine, viewer: Viewer, scope: str, covers: str = "") -> MonthBudget | None:
    """The smallest budget of a scope, such as `provider` that covers `openai`, or of the whole company."""
    viewer.require(Permission.AI_COST_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(
            connection,
            _BUDGET,
            scope=scope,
            covers=covers,
            workspaces=sorted(viewer.workspaces),
            member=viewer.member_id,
        )
    return MonthBudget(**found[0]) if found else None
