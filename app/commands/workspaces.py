"""Workspaces of customers: deleting one with all its data, bringing it back, and what that is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, Table, func, select, update
from sqlalchemy.exc import IntegrityError

from app.access import Permission, Viewer
from app.commands.quotas import reason_given
from app.commands.stale import changed_by_others
from app.commands.team import reach_of
from db.engine import seeing
from db.errors import SightlineError
from db.tables import HOUSE_WORKSPACE, Base
from db.tables.billing import Subscription
from db.tables.workspaces import Workspace

LIVE = ("trialing", "active", "past_due")
# As people call what belongs to a workspace; the rest is counted together.
_NAMED = {
    "contacts": "contacts",
    "contact_lists": "lists",
    "campaigns": "campaigns",
    "templates": "templates",
    "component_library": "components",
    "assets": "files",
    "workspace_members": "members",
}


@dataclass(frozen=True)
class Belongings:
    """What goes with a workspace and comes back with it, and what stays as it is."""

    rows: Mapping[str, int]
    live_subscriptions: int


@dataclass(frozen=True)
class DeletedWorkspace:
    """A workspace that can be brought back."""

    id: UUID
    name: str
    slug: str
    deleted_at: datetime


def belongings_of(engine: Engine, by: Viewer, key: UUID) -> Belongings:
    """Counted now, for whoever is about to delete it."""
    by.require(Permission.CUSTOMERS_MANAGE)
    require_seen(by, key)
    counts: dict[str, int] = {}
    with seeing(engine, by.workspaces) as connection:
        for table in soft_deleted_tables():
            number: int = connection.scalar(
                select(func.count()).where(table.c.workspace_id == key, table.c.deleted_at.is_(None))
            ) or 0  # fmt: skip
            name = _NAMED.get(table.name, "other things")
            counts[name] = counts.get(name, 0) + number
        live = connection.scalar(
            select(func.count()).where(Subscription.workspace_id == key, Subscription.status.in_(LIVE))
        )
    return Belongings({name: number for name, number in counts.items() if number}, live or 0)


def delete_workspace(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """Mark it and everything in it as deleted. Nobody sees it any more, and it can be brought back."""
    by.require(Permission.CUSTOMERS_MANAGE)
    require_seen(by, key)
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        found = connection.execute(
            select(Workspace.revision, Workspace.name, Workspace.slug)
            .where(Workspace.id == key, Workspace.deleted_at.is_(None))
            .with_for_update()
        ).one_or_none()  # fmt: skip
        if found is None:
            raise gone()
        if found.revision != revision:
            raise changed_by_others(f"{found.name} ({found.slug})")
        # A trigger marks all that belongs to it, each table in one statement, at the same moment.
        connection.execute(update(Workspace).where(Workspace.id == key).values(deleted_at=func.now()))


def restore_workspace(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> None:
    """Bring it back with what went with it; what was deleted before stays deleted."""
    by.require(Permission.CUSTOMERS_MANAGE)
    with seeing(engine, by.workspaces | {key}, actor=by.name, reason=reason_given(reason)) as connection:
        reach = reach_of(connection, by)
        found = connection.execute(
            select(Workspace.slug, Workspace.deleted_at).where(Workspace.id == key).with_for_update()
        ).one_or_none()
        if found is None or found.deleted_at is None or (reach is not None and key not in reach):
            raise SightlineError("No deleted workspace is known by this.", fix="Look at the list again.")
        try:
            connection.execute(update(Workspace).where(Workspace.id == key).values(deleted_at=None))
        except IntegrityError:
            raise SightlineError(
                f"Another workspace is called {found.slug} by now.",
                why="A short name is there once.",
                fix="Give the other one another short name first.",
            ) from None


def deleted_workspaces(engine: Engine, by: Viewer) -> Sequence[DeletedWorkspace]:
    """Those that may be brought back, the latest first; `engine` is the pull's, which sees what is deleted."""
    by.require(Permission.CUSTOMERS_READ)
    with engine.connect() as connection:
        reach = reach_of(connection, by)
        found = connection.execute(
            select(Workspace.id, Workspace.name, Workspace.slug, Workspace.deleted_at)
            .where(Workspace.deleted_at.is_not(None), Workspace.id != HOUSE_WORKSPACE)
            .order_by(Workspace.deleted_at.desc(), Workspace.id)
        ).mappings()
        return [DeletedWorkspace(**row) for row in found if reach is None or row["id"] in reach]


def soft_deleted_tables() -> list[Table]:
    """Every table whose rows belong to a workspace and can be marked as deleted."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if "workspace_id" in table.columns and "deleted_at" in table.columns
    ]


def require_seen(by: Viewer, key: UUID) -> None:
    if key not in by.workspaces:
        raise gone()


def gone() -> SightlineError:
    return SightlineError("This workspace is not there, or you don't see it.", fix="Look at the list again.")
