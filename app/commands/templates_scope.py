"""Where templates are edited: in the own workspaces, and in the library by who sees every workspace."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text

from app.access import NotPermittedError, Permission, Viewer
from app.commands.company import sees_whole_company
from app.commands.texts import one_line
from app.records.audit_words import exact
from db.engine import seeing
from db.errors import SightlineError
from db.tables.base import HOUSE_WORKSPACE
from db.tables.workspaces import Workspace

LONGEST_REASON = 300
_BEFORE = text("""
    SELECT CAST(l.before AS TEXT)
    FROM audit_log AS l
    WHERE l.table_name = :table AND l.row_key = :key
    ORDER BY l.position DESC
    LIMIT 1
""")


@dataclass(frozen=True)
class Editing:
    """A transaction of somebody who may edit templates."""

    connection: Connection
    by: Viewer
    sees_all: bool

    def require_own(self, workspace: UUID | None) -> None:
        """Refuse the library to who is limited to some workspaces; others' rows are not even found."""
        if workspace == HOUSE_WORKSPACE and not self.sees_all:
            raise NotPermittedError(
                "This belongs to the library, which every workspace uses.",
                why=f"{self.by.name} is limited to some workspaces.",
                fix="Ask an admin who sees all of them.",
            )

    def workspace_named(self, slug: str | None) -> UUID:
        """The workspace of a short name; none: the house's library."""
        if slug is None:
            self.require_own(HOUSE_WORKSPACE)
            return HOUSE_WORKSPACE
        found: UUID | None = self.connection.scalar(
            select(Workspace.id).where(
                Workspace.slug == slug, Workspace.id.in_(self.by.workspaces), Workspace.deleted_at.is_(None)
            )
        )
        if found is None:
            raise SightlineError(f"No workspace that you see is called {slug}.", fix="Choose one of the list.")
        return found

    def before_last_change(self, table: str, key: UUID) -> Mapping[str, Any]:
        """What a row said before its last change, as the audit log has it; nothing of one that was only made."""
        kept = self.connection.scalar(_BEFORE, {"table": table, "key": str(key)})
        return exact(kept) or {}


@contextmanager
def editing(engine: Engine, by: Viewer, reason: str = "") -> Iterator[Editing]:
    """The library is in reach of who sees every workspace."""
    by.require(Permission.TEMPLATES_MANAGE)
    sees_all = sees_whole_company(engine, by)
    reach = by.workspaces | {HOUSE_WORKSPACE} if sees_all else by.workspaces
    with seeing(engine, reach, actor=by.name, reason=one_line(reason)) as connection:
        yield Editing(connection, by, sees_all)


def reasoned(given: str) -> str:
    """A reason, where there has to be one."""
    said = one_line(given)
    if not said:
        raise SightlineError("This is done for a reason.", fix="Say why in a few words: the audit log keeps it.")
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters.", why=f"At most {LONGEST_REASON} fit.")
    return said
