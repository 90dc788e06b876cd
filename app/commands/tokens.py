"""Tokens for programs: a person makes and revokes their own; they end by themselves, and are shown once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, func, insert, select, true, update

from app.access import NotPermittedError, Permission, Viewer
from app.commands.stale import NotThereError
from app.commands.texts import one_line
from app.identity.tokens import new_token
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import ApiToken, TeamMember

LONGEST_NAME = 60
LONGEST_DAYS = 366
MOST_TOKENS = 20


@dataclass(frozen=True)
class MadeToken:
    """A token as it is shown, this once."""

    id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Token:
    """A token as lists show it."""

    id: UUID
    email: str
    name: str
    begins_with: str
    only_reads: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def make_token(
    engine: Engine, by: Viewer, *, name: str, days: int, only_reads: bool = False, email: str | None = None
) -> MadeToken:
    """Make a token that acts as the person who makes it; whoever is at the command line says for whom."""
    by.require(Permission.OVERVIEW_READ)
    called = _name(name)
    if not 1 <= days <= LONGEST_DAYS:
        raise SightlineError(
            f"A token can't live for {days} days.",
            why=f"It ends within {LONGEST_DAYS} days, and then a new one is made.",
        )
    token, begins_with, digest = new_token()
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        member = _member(connection, by, email)
        _require_few(connection, member)
        made = connection.execute(
            insert(ApiToken)
            .values(
                team_member_id=member,
                name=called,
                begins_with=begins_with,
                token_hash=digest,
                only_reads=only_reads,
                expires_at=func.now() + timedelta(days=days),
            )
            .returning(ApiToken.id, ApiToken.expires_at)
        ).one()
    return MadeToken(made.id, token, made.expires_at)


def revoke_token(engine: Engine, by: Viewer, key: UUID) -> None:
    """From now on nobody calls with it. People revoke their own tokens, admins everybody's."""
    by.require(Permission.OVERVIEW_READ)
    with seeing(engine, by.workspaces, actor=by.name) as connection:
        found = connection.execute(
            select(ApiToken.team_member_id).where(ApiToken.id == key, ApiToken.revoked_at.is_(None)).with_for_update()
        ).one_or_none()
        if found is None or not _may_see(by, found.team_member_id):
            raise NotThereError("No token that could be revoked has this key.", fix="Load the page again.")
        connection.execute(update(ApiToken).where(ApiToken.id == key).values(revoked_at=func.now()))


def tokens(engine: Engine, by: Viewer, *, of_everybody: bool = False) -> Sequence[Token]:
    """The tokens that still open something, the newest first: one's own, or for admins those of everybody."""
    by.require(Permission.TEAM_MANAGE if of_everybody else Permission.OVERVIEW_READ)
    asked = (
        select(
            ApiToken.id, TeamMember.email, ApiToken.name, ApiToken.begins_with, ApiToken.only_reads,
            ApiToken.created_at, ApiToken.expires_at, ApiToken.last_used_at,
        )
        .join(TeamMember, TeamMember.id == ApiToken.team_member_id)
        .where(
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > func.now(),
            true() if of_everybody else ApiToken.team_member_id == by.member_id,
        )
        .order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
    )  # fmt: skip
    with seeing(engine, by.workspaces) as connection:
        return [Token(**row) for row in connection.execute(asked).mappings()]


def _may_see(by: Viewer, owner: UUID) -> bool:
    return owner == by.member_id or by.may(Permission.TEAM_MANAGE)


def _member(connection: Connection, by: Viewer, email: str | None) -> UUID:
    """Whose token it becomes. Nobody of the team acts as somebody else: an admin makes no token for others either."""
    if by.member_id is not None:
        if email is not None:
            raise NotPermittedError("A token is of the person who makes it.", fix="Ask them to make one.")
        return by.member_id
    found: UUID | None = connection.scalar(
        select(TeamMember.id).where(
            func.lower(TeamMember.email) == one_line(email or "").lower(),
            TeamMember.is_active,
            TeamMember.deleted_at.is_(None),
        )
    )
    if found is None:
        raise SightlineError(
            f"Nobody of the team signs in as '{one_line(email or '')}'.", fix="`sightline team list` shows everyone."
        )
    return found


def _require_few(connection: Connection, member: UUID) -> None:
    """Counted one after the other: the person's row is held."""
    connection.execute(select(TeamMember.id).where(TeamMember.id == member).with_for_update())
    there = select(func.count()).where(
        ApiToken.team_member_id == member, ApiToken.revoked_at.is_(None), ApiToken.expires_at > func.now()
    )
    if connection.execute(there).scalar_one() >= MOST_TOKENS:
        raise SightlineError(
            f"There are {MOST_TOKENS} tokens already.",
            why="More than that nobody looks after.",
            fix="Revoke one first.",
        )


def _name(given: str) -> str:
    called = one_line(given)
    if not called or len(called) > LONGEST_NAME:
        raise SightlineError(
            "A token needs a name.",
            why=f"It has one to {LONGEST_NAME} characters and says what the token is for.",
            fix="Give one, such as nightly export.",
        )
    return called
