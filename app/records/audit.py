"""The audit log as people read it: who changed what, from what to what, when and why; and the history of one thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, text

from app.access import Permission, Viewer
from app.records.audit_words import exact, names_of, said
from app.records.reading import Page, Place, moments, page_of, rows, some, typed_words
from db.engine import seeing
from db.tables.identity import TeamMember

ACTIONS = ("insert", "update", "delete")
_LOOKED_THROUGH = 20_000
_HIGHEST = 2**63 - 1


@dataclass(frozen=True)
class AuditRow:
    """One change. `name` is that of the thing as it is now; `says` is the change in words."""

    position: int
    at: datetime
    actor: str | None
    action: str
    table_name: str
    row_key: str
    name: str | None
    says: str
    workspace_id: UUID | None
    workspace: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None
    database_role: str


@dataclass(frozen=True)
class Wanted:
    """Which changes: by whom, of what, in which days (half-open, in the reporting zone), of which workspaces."""

    actors: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    row_key: str | None = None
    workspaces: frozenset[UUID] | None = None
    words: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Choices:
    """Who and what occurs among the newest changes."""

    actors: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """What a person sees of the log: changes of these workspaces, and of the company unless they are limited."""

    workspaces: frozenset[UUID]
    of_company: bool


# A row is of the viewer's workspaces, or of none: the policies show either, and a limited person sees the former alone.
_VISIBLE = "(l.workspace_id = ANY (:workspaces) OR l.workspace_id IS NULL AND :of_company)"
_LIST = f"""
    SELECT l.position, l.at, l.actor, l.action, l.table_name, l.row_key, l.workspace_id, w.name AS workspace,
        CAST(l.before AS TEXT) AS before, CAST(l.after AS TEXT) AS after, l.reason, l.database_role
    FROM audit_log AS l
    LEFT JOIN workspaces AS w ON w.id = l.workspace_id
    WHERE {_VISIBLE}
        AND (CAST(:actors AS TEXT[]) = '{{}}' OR l.actor = ANY (:actors))
        AND (CAST(:tables AS TEXT[]) = '{{}}' OR l.table_name = ANY (:tables))
        AND (CAST(:actions AS TEXT[]) = '{{}}' OR l.action = ANY (:actions))
        AND (CAST(:row_key AS TEXT) IS NULL OR l.row_key = :row_key)
        AND (CAST(:since AS TIMESTAMPTZ) IS NULL OR l.at >= :since)
        AND (CAST(:until AS TIMESTAMPTZ) IS NULL OR l.at < :until)
        AND (CAST(:after AS BIGINT) IS NULL OR l.position < :after)
        -- No pattern: what people type may hold its signs.
        AND NOT EXISTS (
            SELECT FROM UNNEST(CAST(:words AS TEXT[])) AS words (word)
            WHERE STRPOS(LOWER(CONCAT_WS(' ', l.actor, l.table_name, l.row_key, l.reason, w.name, l.before, l.after)),
                word) = 0
        )
    ORDER BY l.position DESC
    LIMIT :most
    """  # noqa: S608 - our own columns
_CHOICES = text(f"""
    SELECT ARRAY_AGG(DISTINCT n.actor) FILTER (WHERE n.actor IS NOT NULL), ARRAY_AGG(DISTINCT n.table_name)
    FROM (
        SELECT l.actor, l.table_name FROM audit_log AS l WHERE {_VISIBLE} ORDER BY l.position DESC LIMIT :most
    ) AS n
    """)  # noqa: S608 - our own columns


def audit_rows(
    engine: Engine, viewer: Viewer, wanted: Wanted, *, after: Place | None = None, limit: int = 25
) -> Page[AuditRow]:
    """Changes, the newest first."""
    viewer.require(Permission.AUDIT_READ)
    return _rows(engine, viewer, wanted, after, limit)


def history_of(
    engine: Engine, viewer: Viewer, table: str, key: object, *, after: Place | None = None, limit: int = 25
) -> Page[AuditRow]:
    """What became of one row of a table, the newest change first."""
    return audit_rows(engine, viewer, Wanted(tables=(table,), row_key=str(key)), after=after, limit=limit)


def change(engine: Engine, viewer: Viewer, position: str) -> AuditRow | None:
    """The change at a position, as an address names it; None where the viewer sees none there."""
    viewer.require(Permission.AUDIT_READ)
    if not position.isdecimal() or not 0 < int(position[:20]) < _HIGHEST:
        return None
    number = int(position)
    after = Place(datetime.min.replace(tzinfo=UTC), UUID(int=number + 1))
    found = _rows(engine, viewer, Wanted(), after, 1).rows
    return found[0] if found and found[0].position == number else None


def choices(engine: Engine, viewer: Viewer) -> Choices:
    """What the filters offer: only what the viewer sees."""
    viewer.require(Permission.AUDIT_READ)
    seen = _seen(engine, viewer)
    with seeing(engine, seen.workspaces) as connection:
        actors, tables = connection.execute(
            _CHOICES,
            {"workspaces": sorted(seen.workspaces), "of_company": seen.of_company, "most": _LOOKED_THROUGH},
        ).one()
    return Choices(tuple(actors or ()), tuple(tables or ()))


def _rows(engine: Engine, viewer: Viewer, wanted: Wanted, after: Place | None, limit: int) -> Page[AuditRow]:
    seen = _seen(engine, viewer)
    chosen = seen.workspaces if wanted.workspaces is None else seen.workspaces & wanted.workspaces
    since, until = moments(wanted.since, wanted.until)
    with seeing(engine, seen.workspaces) as connection:
        found = rows(
            connection,
            _LIST,
            workspaces=sorted(chosen),
            of_company=seen.of_company and wanted.workspaces is None,
            actors=list(wanted.actors),
            tables=list(wanted.tables),
            actions=list(wanted.actions),
            row_key=wanted.row_key,
            since=since,
            until=until,
            words=typed_words(wanted.words).lower().split(),
            after=after and after.key.int,
            most=some(limit) + 1,
        )
        names = names_of(connection, {(row["table_name"], row["row_key"]) for row in found})

    def made(**row: Any) -> AuditRow:  # noqa: ANN401 - columns of any kind
        name = names.get((row["table_name"], row["row_key"]))
        told = {**row, "before": exact(row["before"]), "after": exact(row["after"])}
        return AuditRow(**told, name=name, says=said(told, name))

    return page_of(found, some(limit), lambda row: Place(row["at"], UUID(int=row["position"])), made)


def _seen(engine: Engine, viewer: Viewer) -> _Seen:
    """Whoever sees every workspace also sees what was done in those that are gone, and in the library."""
    with seeing(engine, viewer.workspaces) as connection:
        gone = connection.scalar(text("SELECT audited_workspaces()"))
        limited_to = select(TeamMember.workspace_ids).where(TeamMember.id == viewer.member_id)
        is_limited = viewer.member_id is not None and connection.scalar(limited_to) is not None
    if gone is None or is_limited:
        return _Seen(viewer.workspaces, of_company=False)
    return _Seen(viewer.workspaces | frozenset(gone), of_company=True)
