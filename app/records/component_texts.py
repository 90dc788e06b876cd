"""What components of the library say, for those who edit them: now, and before each change that the audit log keeps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from app.access import Permission, Viewer
from app.records.audit_words import exact
from app.records.reading import rows, some
from db.engine import seeing

# Where a component is offered, and for how much, is no part of what it says.
SAID = ("name", "description", "category", "tags", "code")


@dataclass(frozen=True)
class ComponentText:
    """A component of the library, with what an edit of it is made on."""

    id: UUID
    workspace_id: UUID
    workspace: str
    component_type: str
    name: str
    description: str | None
    category: str | None
    tags: Sequence[str]
    code: str | None
    price: Decimal
    currency: str
    is_public: bool
    is_marketplace_item: bool
    downloads: int
    likes: int
    revision: int

    @property
    def html(self) -> str:
        """All that is seen of it."""
        return self.code or ""


@dataclass(frozen=True)
class ComponentVersion:
    """What a component said until somebody changed it, and why they did. The first one is number 1."""

    version: int
    changed_at: datetime
    changed_by: str | None
    reason: str | None
    name: str
    description: str | None
    category: str | None
    tags: tuple[str, ...]
    code: str | None

    @property
    def html(self) -> str:
        """All that was seen of it."""
        return self.code or ""


_COMPONENT = """
    SELECT l.id, l.workspace_id, w.name AS workspace, l.component_type, l.name, l.description, l.category, l.tags,
        l.code, l.price, l.currency, l.is_public, l.is_marketplace_item, l.downloads, l.likes, l.revision
    FROM component_library AS l
    JOIN workspaces AS w ON w.id = l.workspace_id
    WHERE l.id = :key AND l.deleted_at IS NULL
    """
_CHANGES = """
    WITH changes AS (
        SELECT ROW_NUMBER() OVER (ORDER BY position) AS version, at, actor, reason, before
        FROM audit_log
        WHERE table_name = 'component_library' AND row_key = CAST(:key AS TEXT) AND workspace_id = :workspace
            AND action = 'update' AND JSONB_EXISTS_ANY(before, CAST(:said AS TEXT[]))
    )
    SELECT version, at, actor, reason, CAST(before AS TEXT) AS before
    FROM changes
    WHERE version >= :since
    ORDER BY version DESC
    LIMIT :most
    """


def component_text(engine: Engine, viewer: Viewer, key: UUID) -> ComponentText | None:
    """A component; None where the viewer sees none by this key."""
    viewer.require(Permission.TEMPLATES_MANAGE)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _COMPONENT, key=key)
        return ComponentText(**found[0]) if found else None


def component_versions(engine: Engine, viewer: Viewer, key: UUID, *, limit: int = 100) -> tuple[ComponentVersion, ...]:
    """What a component said before each of its last changes, the newest first."""
    now = component_text(engine, viewer, key)
    if now is None:
        return ()
    with seeing(engine, viewer.workspaces) as connection:
        return tuple(_back(connection, now.workspace_id, key, vars(now), most=some(limit)))


def component_version(engine: Engine, viewer: Viewer, key: UUID, version: int) -> ComponentVersion | None:
    """What one version of a component said; None where there is none that the viewer sees."""
    now = component_text(engine, viewer, key)
    if now is None:
        return None
    with seeing(engine, viewer.workspaces) as connection:
        return said_in(connection, now.workspace_id, key, vars(now), version)


def said_in(
    connection: Connection, workspace: UUID, key: UUID, now: Mapping[str, Any], version: int
) -> ComponentVersion | None:
    """What a version of a component said that says this now."""
    found = list(_back(connection, workspace, key, now, since=version))
    return found[-1] if found and found[-1].version == version else None


def _back(
    connection: Connection,
    workspace: UUID,
    key: UUID,
    now: Mapping[str, Any],
    *,
    since: int = 1,
    most: int | None = None,
) -> Iterator[ComponentVersion]:
    """A change tells only of the fields that it changed: the others were as they are after it."""
    said = {name: now[name] for name in SAID}
    for row in rows(connection, _CHANGES, key=key, workspace=workspace, said=list(SAID), since=since, most=most):
        said |= {name: value for name, value in (exact(row["before"]) or {}).items() if name in SAID}
        yield ComponentVersion(
            row["version"], row["at"], row["actor"], row["reason"], **(said | {"tags": tuple(said["tags"])})
        )
