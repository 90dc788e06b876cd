"""What people do about alerts: acknowledging them, and putting them off for a while."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import NotThereError
from app.money.budgets import AlertKind
from db.engine import seeing
from db.errors import SightlineError
from db.tables.budgets import BudgetAlert
from db.tables.identity import TeamMember

LONGEST_SNOOZE = timedelta(days=31)


def acknowledge_alert(engine: Engine, by: Viewer, key: UUID) -> None:
    """Say that somebody knows; it is no longer open, and nobody is reminded of it."""
    by.require(Permission.BUDGETS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        _open(connection, by, key)
        connection.execute(
            update(BudgetAlert)
            .where(BudgetAlert.id == key)
            .values(acknowledged_at=func.now(), acknowledged_by=by.member_id, snoozed_until=None)
        )


def snooze_alert(engine: Engine, by: Viewer, key: UUID, *, until: datetime) -> None:
    """Put it off: until then it is not among the open ones, and then those who were told of it are reminded."""
    by.require(Permission.BUDGETS_MANAGE)
    now = datetime.now(UTC)
    if not now < until <= now + LONGEST_SNOOZE:
        raise SightlineError(
            "An alert can't be put off until then.",
            why=f"It is put off for some time, and for {LONGEST_SNOOZE.days} days at the most.",
            fix="Choose a moment to come, or acknowledge the alert.",
        )
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        _open(connection, by, key)
        connection.execute(
            update(BudgetAlert).where(BudgetAlert.id == key).values(snoozed_until=until, snoozed_by=by.member_id)
        )


def _open(connection: Connection, by: Viewer, key: UUID) -> None:
    """The alert is there, the person's to see, and nobody was faster."""
    found = connection.execute(
        select(BudgetAlert.workspace_id, BudgetAlert.kind, BudgetAlert.acknowledged_at, BudgetAlert.acknowledged_by)
        .where(BudgetAlert.id == key)
        .with_for_update()
    ).one_or_none()
    if found is None or (found.workspace_id is not None and found.workspace_id not in by.workspaces):
        raise NotThereError("This alert is not there.", fix="Load the page again.")
    if found.workspace_id is None:
        require_whole_company(connection, by)
    if found.kind == AlertKind.EMERGENCY_STOP:
        raise SightlineError("A stop is not acknowledged: it holds until it is ended.", fix="End the stop instead.")
    if found.acknowledged_at is not None:
        raise SightlineError(
            f"{_who(connection, found.acknowledged_by)} has acknowledged this already.", fix="Load the page again."
        )


def _who(connection: Connection, member: UUID | None) -> str:
    named = select(func.coalesce(TeamMember.name, TeamMember.email)).where(TeamMember.id == member)
    return connection.scalar(named) or "Somebody"
