"""Sessions of the team: a random token in a cookie, its digest in the database, re-read each time it is shown."""

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from app.access import Role, Viewer, all_workspaces
from db.tables.identity import TeamMember, TeamSession

LIFETIME = timedelta(hours=12)
# Precise enough for a list of sessions, and no write for each click.
_SEEN_EVERY = timedelta(minutes=1)
_KEPT_AFTER_ITS_END = timedelta(days=30)
_LONGEST_USER_AGENT = 400

Way = Literal["password", "oidc"]


@dataclass(frozen=True)
class Device:
    """From where somebody signs in, as far as it can be told."""

    user_agent: str | None = None
    ip_address: str | None = None

    @classmethod
    def of(cls, user_agent: str | None, ip_address: str | None) -> "Device":
        """What a request says, cut to what the database takes."""
        told = (user_agent or "").replace("\x00", "")[:_LONGEST_USER_AGENT]
        try:
            address = str(ipaddress.ip_address(ip_address or ""))
        except ValueError:
            address = None
        return cls(told or None, address)


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the database says at this moment."""

    member_id: UUID
    session_id: UUID
    email: str
    name: str | None
    roles: frozenset[Role]
    workspace_ids: frozenset[UUID] | None

    def viewer(self, pipe: Engine) -> Viewer:
        """As the one that every question is asked for; by the e-mail address, the audit knows who it was."""
        there = all_workspaces(pipe)
        return Viewer(
            self.email,
            self.roles,
            there if self.workspace_ids is None else there & self.workspace_ids,
            self.member_id,
        )


@dataclass(frozen=True)
class OpenSession:
    """One of a person's sessions, as lists show it."""

    id: UUID
    signed_in_with: str
    user_agent: str | None
    ip_address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def open_session(connection: Connection, member_id: UUID, way: Way, device: Device, *, replaces: str | None) -> str:
    """A new session's token. One that the browser had before is never taken over: it is ended."""
    if replaces:
        connection.execute(
            update(TeamSession)
            .where(TeamSession.token_hash == _digest(replaces), TeamSession.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
    connection.execute(delete(TeamSession).where(TeamSession.expires_at < func.now() - _KEPT_AFTER_ITS_END))
    token = secrets.token_urlsafe(32)
    version = connection.execute(
        update(TeamMember)
        .where(TeamMember.id == member_id)
        .values(last_login_at=func.now())
        .returning(TeamMember.session_version)
    ).scalar_one()
    connection.execute(
        insert(TeamSession).values(
            team_member_id=member_id,
            token_hash=_digest(token),
            session_version=version,
            signed_in_with=way,
            expires_at=func.now() + LIFETIME,
            user_agent=device.user_agent,
            ip_address=device.ip_address,
        )
    )
    return token


def person_of(engine: Engine, token: str | None) -> Person | None:
    """Who shows this token; nobody, if the session is over or the person may not sign in any more."""
    if not token:
        return None
    asked = (
        select(
            TeamSession.id,
            TeamMember.id.label("member_id"),
            TeamMember.email,
            TeamMember.name,
            TeamMember.roles,
            TeamMember.workspace_ids,
            (TeamSession.last_seen_at < func.now() - _SEEN_EVERY).label("unseen"),
        )
        .join(TeamMember, TeamMember.id == TeamSession.team_member_id)
        .where(
            TeamSession.token_hash == _digest(token),
            TeamSession.revoked_at.is_(None),
            TeamSession.expires_at > func.now(),
            TeamSession.session_version == TeamMember.session_version,
            TeamMember.is_active,
            TeamMember.deleted_at.is_(None),
        )
    )
    with engine.begin() as connection:
        row = connection.execute(asked).one_or_none()
        if row is None:
            return None
        if row.unseen:
            connection.execute(update(TeamSession).where(TeamSession.id == row.id).values(last_seen_at=func.now()))
    return Person(
        row.member_id,
        row.id,
        row.email,
        row.name,
        frozenset(Role(role) for role in row.roles),
        None if row.workspace_ids is None else frozenset(row.workspace_ids),
    )


def sessions_of(engine: Engine, person: Person) -> Sequence[OpenSession]:
    """Where the person is signed in, the latest seen first."""
    asked = (
        select(
            TeamSession.id,
            TeamSession.signed_in_with,
            TeamSession.user_agent,
            func.host(TeamSession.ip_address).label("ip_address"),
            TeamSession.created_at,
            TeamSession.last_seen_at,
            TeamSession.expires_at,
        )
        .join(TeamMember, TeamMember.id == TeamSession.team_member_id)
        .where(
            TeamSession.team_member_id == person.member_id,
            TeamSession.revoked_at.is_(None),
            TeamSession.expires_at > func.now(),
            TeamSession.session_version == TeamMember.session_version,
        )
        .order_by(TeamSession.last_seen_at.desc(), TeamSession.id.desc())
    )
    with engine.connect() as connection:
        return [OpenSession(**row) for row in connection.execute(asked).mappings()]


def end_session(engine: Engine, person: Person, session_id: UUID) -> None:
    """End one of the person's own sessions; another's is not touched."""
    _end(engine, TeamSession.team_member_id == person.member_id, TeamSession.id == session_id)


def end_other_sessions(engine: Engine, person: Person) -> None:
    """End all of the person's sessions but this one."""
    _end(engine, TeamSession.team_member_id == person.member_id, TeamSession.id != person.session_id)


def end_by_token(engine: Engine, token: str) -> None:
    """Sign out whoever shows this token."""
    _end(engine, TeamSession.token_hash == _digest(token))


def _end(engine: Engine, *which: object) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(TeamSession)
            .where(TeamSession.revoked_at.is_(None), *which)  # type: ignore[arg-type]  # conditions
            .values(revoked_at=func.now())
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
