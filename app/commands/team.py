"""Who belongs to the team: adding people, and listing them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, func, insert, select

from app.access import Permission, Role, Viewer
from app.identity.passwords import hashed, require_good
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import TeamMember
from db.tables.workspaces import Workspace

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Member:
    """A person of the team, as lists show them."""

    email: str
    name: str | None
    roles: tuple[str, ...]
    workspaces: tuple[str, ...] | None
    is_active: bool


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
    if not roles:
        raise SightlineError(
            "A person needs a role.", why="Without one nothing opens.", fix="Give viewer, finance or admin."
        )
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        known = select(TeamMember.id).where(
            func.lower(TeamMember.email) == email.lower(), TeamMember.deleted_at.is_(None)
        )
        if connection.scalar(known):
            raise SightlineError(f"{email} is in the team already.", fix="`sightline user list` shows everyone.")
        scope = None
        if workspace_slugs:
            found = {
                slug: key
                for key, slug in connection.execute(
                    select(Workspace.id, Workspace.slug).where(Workspace.slug.in_(workspace_slugs))
                )
            }
            if missing := sorted(set(workspace_slugs) - found.keys()):
                raise SightlineError(
                    f"No workspace is called {', '.join(missing)}.",
                    why="A person can only be limited to workspaces that exist.",
                    fix="Give a workspace's slug, such as the last part of its address.",
                )
            scope = sorted(found.values())
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
    """Everyone of the team, with the names of the workspaces that they are limited to."""
    by.require(Permission.TEAM_MANAGE)
    with seeing(engine, by.workspaces) as connection:
        slugs = {row.id: row.slug for row in connection.execute(select(Workspace.id, Workspace.slug))}
        rows = connection.execute(
            select(TeamMember.email, TeamMember.name, TeamMember.roles, TeamMember.workspace_ids, TeamMember.is_active)
            .where(TeamMember.deleted_at.is_(None))
            .order_by(func.lower(TeamMember.email))
        )
        return [
            Member(
                row.email,
                row.name,
                tuple(row.roles),
                None
                if row.workspace_ids is None
                else tuple(sorted(slugs.get(key, str(key)) for key in row.workspace_ids)),
                row.is_active,
            )
            for row in rows
        ]


def _require_email(email: str) -> None:
    if not _EMAIL.fullmatch(email):
        raise SightlineError(f"{email!r} is not an e-mail address.", fix="Give one like name@example.com.")
