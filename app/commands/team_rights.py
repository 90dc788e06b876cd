"""What people of the team may do and see: changed, taken away and given back, without locking out the last admin."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, select, update

from app.access import NotPermittedError, Permission, Role, Viewer
from app.commands.quotas import reason_given
from app.commands.stale import EditedMeanwhileError, changed_by_others
from app.commands.team import is_within, reach_of, require_roles, require_within, scope_of
from app.commands.texts import one_line
from app.identity.passwords import hashed
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import TeamMember
from db.tables.workspaces import Workspace

LONGEST_NAME = 120
_IN_A_PASSWORD = 18


@dataclass(frozen=True)
class Rights:
    """What can be changed of a person: how they are called, their roles, and the workspaces they are limited to."""

    name: str | None
    roles: tuple[str, ...]
    workspaces: tuple[str, ...] | None


def change_member(
    engine: Engine,
    by: Viewer,
    key: UUID,
    wanted: Rights,
    *,
    revision: int,
    reason: str,
    made_on: Rights | None = None,
) -> None:
    """Give other roles or workspaces; it holds at the person's next click."""
    name = one_line(wanted.name or "") or None
    if name and len(name) > LONGEST_NAME:
        raise SightlineError(f"The name has {len(name)} characters.", why=f"At most {LONGEST_NAME} fit.")
    by.require(Permission.TEAM_MANAGE)
    require_roles(wanted.roles)
    with _changing(engine, by, key, reason) as (connection, found):
        if found["revision"] != revision:
            now = Rights(found["name"], tuple(found["roles"]), _slugs(connection, found["workspace_ids"]))
            raise EditedMeanwhileError(
                found["email"], now=asdict(now), wanted=asdict(_sorted(wanted)), revision=found["revision"],
                made_on=asdict(_sorted(made_on)) if made_on else None,
            )  # fmt: skip
        scope = None if wanted.workspaces is None else scope_of(connection, wanted.workspaces) or []
        if scope == []:
            raise SightlineError(
                "The person would see no workspace.", fix="Name one, or choose all of them; or deactivate the account."
            )
        require_within(reach_of(connection, by), scope)
        _require_another_admin(connection, found, roles=wanted.roles, scope=scope)
        _write(connection, key, {"name": name, "roles": sorted(set(wanted.roles)), "workspace_ids": scope})


def deactivate_member(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """From now on the person is not let in, and every session of theirs is over."""
    by.require(Permission.TEAM_MANAGE)
    with _changing(engine, by, key, reason, revision=revision) as (connection, found):
        _require_another_admin(connection, found, roles=())
        _write(connection, key, {"is_active": False, "session_version": found["session_version"] + 1})


def reactivate_member(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> None:
    """Let the person in again, with the roles that they had."""
    by.require(Permission.TEAM_MANAGE)
    with _changing(engine, by, key, reason, revision=revision) as (connection, _):
        _write(connection, key, {"is_active": True})


def end_sessions(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> None:
    """Sign the person out everywhere."""
    by.require(Permission.TEAM_MANAGE)
    with _changing(engine, by, key, reason) as (connection, found):
        _write(connection, key, {"session_version": found["session_version"] + 1})


def reset_password(engine: Engine, by: Viewer, key: UUID, *, revision: int, reason: str) -> str:
    """A new password, told once; with the old one every session is over."""
    by.require(Permission.TEAM_MANAGE)
    fresh = secrets.token_urlsafe(_IN_A_PASSWORD)
    with _changing(engine, by, key, reason, revision=revision) as (connection, found):
        _write(connection, key, {"password_hash": hashed(fresh), "session_version": found["session_version"] + 1})
    return fresh


@contextmanager
def _changing(
    engine: Engine, by: Viewer, key: UUID, reason: str, *, revision: int | None = None
) -> Iterator[tuple[Connection, RowMapping]]:
    """A transaction in which nobody else changes an admin, and the person as they are in it."""
    with seeing(engine, by.workspaces, actor=by.name, reason=reason_given(reason)) as connection:
        connection.execute(_ADMINS)
        _require_admin_still(connection, by)
        reach = reach_of(connection, by)
        found = connection.execute(
            select(TeamMember.__table__)
            .where(TeamMember.id == key, TeamMember.deleted_at.is_(None))
            .with_for_update()
        ).mappings().one_or_none()  # fmt: skip
        if found is None or not is_within(reach, found["workspace_ids"]):
            raise SightlineError("Nobody of the team is known by this.", fix="Look at the list again.")
        if revision is not None and found["revision"] != revision:
            raise changed_by_others(
                f"{found['email']}: {', '.join(found['roles'])}, {'active' if found['is_active'] else 'deactivated'}"
            )
        yield connection, found


def _require_admin_still(connection: Connection, by: Viewer) -> None:
    """What the page knew of its viewer may have been taken away while this waited for its turn."""
    still = select(TeamMember.id).where(
        TeamMember.id == by.member_id,
        TeamMember.roles.contains([Role.ADMIN]),
        TeamMember.is_active,
        TeamMember.deleted_at.is_(None),
    )
    if by.member_id is not None and connection.scalar(still) is None:
        raise NotPermittedError("You are no admin any more.", fix="Ask an admin of Sightline for the role.")


# Two admins who take each other's role wait for one another here: the second sees what the first has done.
_ADMINS = (
    select(TeamMember.id)
    .where(
        TeamMember.roles.contains([Role.ADMIN]),
        TeamMember.is_active,
        TeamMember.deleted_at.is_(None),
        TeamMember.workspace_ids.is_(None),
    )
    .order_by(TeamMember.id)
    .with_for_update()
)


def _require_another_admin(
    connection: Connection, found: RowMapping, *, roles: tuple[str, ...], scope: list[UUID] | None = None
) -> None:
    """Whoever is the only one to be let in as an admin of everything stays one."""
    admins = set(connection.scalars(_ADMINS))
    stays = Role.ADMIN in roles and scope is None
    if not stays and admins == {found["id"]}:
        raise SightlineError(
            f"{found['email']} is the last admin who sees every workspace.",
            why="Nobody could let anybody in any more.",
            fix="Make somebody else such an admin first.",
        )


def _write(connection: Connection, key: UUID, values: Mapping[str, Any]) -> None:
    connection.execute(update(TeamMember).where(TeamMember.id == key).values(**values))


def _slugs(connection: Connection, scope: list[UUID] | None) -> tuple[str, ...] | None:
    if scope is None:
        return None
    return tuple(sorted(connection.scalars(select(Workspace.slug).where(Workspace.id.in_(scope)))))


def _sorted(rights: Rights) -> Rights:
    """In the order in which they are kept: another order is no other edit."""
    scope = None if rights.workspaces is None else tuple(sorted(rights.workspaces))
    return Rights(one_line(rights.name or "") or None, tuple(sorted(set(rights.roles))), scope)
