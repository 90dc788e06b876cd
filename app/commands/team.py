"""Who belongs to the team: adding people, and listing them."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, select

from app.access import NotPermittedError, Permission, Role, Viewer
from app.identity.passwords import hashed, require_good
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import TeamMember, TeamSession
from db.tables.workspaces import Workspace

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Member:
    """A person of the team, as lists show them."""

    id: UUID
    revision: int
    email: str
    name: str | None
    roles: tuple[str, ...]
    workspaces: tuple[str, ...] | None
    is_active: bool
    has_password: bool
    last_login_at: datetime | None
    sessions: int


def add_member(
    engine: Engine,
    by: Viewer,
    *,
    email: str,
    password: str | None,
    roles: Collection[Role],
    name: str | None = None,
    workspace_slugs: Collection[str] = (),
) -> UUID:
    """Add a person; without a password they can only sign in through an identity provider."""
    by.require(Permission.TEAM_MANAGE)
    _require_email(email)
    if password is not None:
        require_good(password)
    require_roles(roles)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        known = select(TeamMember.id).where(
            func.lower(TeamMember.email) == email.lower(), TeamMember.deleted_at.is_(None)
        )
        if connection.scalar(known):
            raise SightlineError(f"{email} is in the team already.", fix="`sightline team list` shows everyone.")
        scope = scope_of(connection, workspace_slugs)
        require_within(reach_of(connection, by), scope)
        added: UUID = connection.execute(
            insert(TeamMember)
            .values(
                email=email,
                name=name,
                password_hash=hashed(password) if password is not None else None,
                roles=sorted(set(roles)),
                workspace_ids=scope,
            )
            .returning(TeamMember.id)
        ).scalar_one()
        return added


def members(engine: Engine, by: Viewer) -> Sequence[Member]:
    """Everyone of the team, with the names of their workspaces; who is limited sees those who are so within it."""
    by.require(Permission.TEAM_MANAGE)
    open_sessions = (
        select(func.count())
        .where(
            TeamSession.team_member_id == TeamMember.id,
            TeamSession.revoked_at.is_(None),
            TeamSession.expires_at > func.now(),
            TeamSession.session_version == TeamMember.session_version,
        )
        .scalar_subquery()
    )
    with seeing(engine, by.workspaces) as connection:
        reach = reach_of(connection, by)
        slugs = {row.id: row.slug for row in connection.execute(select(Workspace.id, Workspace.slug))}
        found = connection.execute(
            select(
                TeamMember.id, TeamMember.revision, TeamMember.email, TeamMember.name, TeamMember.roles,
                TeamMember.workspace_ids, TeamMember.is_active, TeamMember.password_hash.is_not(None).label("password"),
                TeamMember.last_login_at, open_sessions.label("sessions"),
            )
            .where(TeamMember.deleted_at.is_(None))
            .order_by(func.lower(TeamMember.email))
        )  # fmt: skip
        return [
            Member(
                row.id, row.revision, row.email, row.name, tuple(row.roles), _named(row.workspace_ids, slugs),
                row.is_active, row.password, row.last_login_at, row.sessions,
            )
            for row in found
            if is_within(reach, row.workspace_ids)
        ]  # fmt: skip


def require_roles(roles: Collection[str]) -> None:
    """One at least, and only those that there are."""
    if not roles:
        raise SightlineError(
            "A person needs a role.", why="Without one nothing opens.", fix="Give viewer, finance or admin."
        )
    if unknown := sorted(set(roles) - set(Role)):
        raise SightlineError(f"'{unknown[0]}' is no role.", fix="Give viewer, finance or admin.")


def scope_of(connection: Connection, slugs: Collection[str]) -> list[UUID] | None:
    """The keys of these workspaces; None where none is named, which is all of them."""
    if not slugs:
        return None
    asked = select(Workspace.id, Workspace.slug).where(Workspace.slug.in_(slugs), Workspace.deleted_at.is_(None))
    found = {slug: key for key, slug in connection.execute(asked)}
    if missing := sorted(set(slugs) - found.keys()):
        raise SightlineError(
            f"No workspace is called {', '.join(missing)}.",
            why="A person can only be limited to workspaces that exist.",
            fix="Give a workspace's slug, such as the last part of its address.",
        )
    return sorted(found.values())


def reach_of(connection: Connection, by: Viewer) -> frozenset[UUID] | None:
    """The workspaces that somebody is limited to; None: they may let people into all of them."""
    if by.member_id is None:
        return None
    limited_to = connection.scalar(select(TeamMember.workspace_ids).where(TeamMember.id == by.member_id))
    return None if limited_to is None else frozenset(limited_to)


def is_within(reach: frozenset[UUID] | None, scope: Iterable[UUID] | None) -> bool:
    return reach is None or (scope is not None and reach.issuperset(scope))


def require_within(reach: frozenset[UUID] | None, scope: Iterable[UUID] | None) -> None:
    """Nobody lets others see more than they see themselves."""
    if not is_within(reach, scope):
        raise NotPermittedError(
            "This person would see more workspaces than you do.",
            why="You are limited to some of them.",
            fix="Name which of yours they may see, or ask an admin who sees all.",
        )


def _named(scope: Sequence[UUID] | None, slugs: dict[UUID, str]) -> tuple[str, ...] | None:
    return None if scope is None else tuple(sorted(slugs.get(key, str(key)) for key in scope))


def _require_email(email: str) -> None:
    if not _EMAIL.fullmatch(email):
        raise SightlineError(f"{email!r} is not an e-mail address.", fix="Give one like name@example.com.")
