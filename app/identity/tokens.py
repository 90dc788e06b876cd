"""Tokens by which programs of the team's people call the API: a digest in the database, read anew at each call."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, func, select, update

from app.access import Role, Viewer, all_workspaces
from db.tables.identity import ApiToken, TeamMember

# People know a token by it, and those who look for lost ones too.
BEGINNING = "sightline_"
_LONGEST = 100
_TOLD = len(BEGINNING) + 4
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Bearer:
    """Whose token is shown, and what it may, as the database says at this moment."""

    token_id: UUID
    token_name: str
    only_reads: bool
    member_id: UUID
    email: str
    roles: frozenset[Role]
    workspace_ids: frozenset[UUID] | None

    def viewer(self, pipe: Engine) -> Viewer:
        """The person, by a name that tells the audit log of the token as well."""
        there = all_workspaces(pipe)
        seen = there if self.workspace_ids is None else there & self.workspace_ids
        return Viewer(f"{self.email} by the token {self.token_name}", self.roles, seen, self.member_id)


def new_token() -> tuple[str, str, bytes]:
    """A token, its beginning, by which it is told from others, and its digest, which alone is kept."""
    token = BEGINNING + secrets.token_urlsafe(32)
    return token, token[:_TOLD], _digest(token)


def bearer_of(engine: Engine, token: str) -> Bearer | None:
    """Who shows this token; nobody if it has ended or was revoked, or the person may not sign in any more."""
    if not token.startswith(BEGINNING) or len(token) > _LONGEST:
        return None
    asked = (
        select(
            ApiToken.id, ApiToken.name.label("token_name"), ApiToken.only_reads, TeamMember.id.label("member_id"),
            TeamMember.email, TeamMember.roles, TeamMember.workspace_ids,
            (ApiToken.last_used_at > func.now() - _USED_EVERY).label("is_noted"),
        )
        .join(TeamMember, TeamMember.id == ApiToken.team_member_id)
        .where(
            ApiToken.token_hash == _digest(token),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > func.now(),
            TeamMember.is_active,
            TeamMember.deleted_at.is_(None),
        )
    )  # fmt: skip
    with engine.begin() as connection:
        row = connection.execute(asked).one_or_none()
        if row is None:
            return None
        if not row.is_noted:
            connection.execute(update(ApiToken).where(ApiToken.id == row.id).values(last_used_at=func.now()))
    return Bearer(
        row.id,
        row.token_name,
        row.only_reads,
        row.member_id,
        row.email,
        frozenset(Role(role) for role in row.roles),
        None if row.workspace_ids is None else frozenset(row.workspace_ids),
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
