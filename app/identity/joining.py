"""From what a provider says to a person of the team: known ones are found, new ones let in if they bring a role."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.access import Role
from app.identity.accounts import SignInRefusedError
from app.identity.oidc import Claims
from app.identity.sessions import Device, open_session
from db.engine import seeing
from db.tables.identity import TeamMember

_Known = Row[UUID, str | None, bool, datetime | None]


def sign_in_as(engine: Engine, claims: Claims, device: Device, *, replaces: str | None = None) -> str:
    """A new session's token. The roles of the claim count at the first time alone: then the database rules."""
    with seeing(engine, (), actor=claims.email or claims.subject, reason="Signed in through a provider.") as connection:
        member = _by_subject(connection, claims)
        if member is None or member.deleted_at is not None:
            # Who was deleted and is added again comes back as the new person; the claim alone lets them in no more.
            member = _by_email(connection, claims) or member or _joined(connection, claims)
        if not member.is_active or member.deleted_at is not None:
            raise _refused("Your account in Sightline is closed.")
        return open_session(connection, member.id, "oidc", device, replaces=replaces)


def _by_subject(connection: Connection, claims: Claims) -> _Known | None:
    return _one(connection, TeamMember.oidc_issuer == claims.issuer, TeamMember.oidc_subject == claims.subject)


def _by_email(connection: Connection, claims: Claims) -> _Known | None:
    """Somebody who was added before, and comes through the provider for the first time."""
    if claims.email is None:
        return None
    member = _one(connection, func.lower(TeamMember.email) == claims.email.lower(), TeamMember.deleted_at.is_(None))
    if member is None:
        return None
    if not claims.is_email_verified:
        raise _refused("The provider has not verified that this e-mail address is yours.")
    if member.oidc_subject is not None:
        raise _refused("This e-mail address belongs to another identity.")
    # Whoever was deleted under this identity gives it back: it belongs to one row alone.
    connection.execute(
        update(TeamMember)
        .where(
            TeamMember.oidc_issuer == claims.issuer,
            TeamMember.oidc_subject == claims.subject,
            TeamMember.deleted_at.is_not(None),
        )
        .values(oidc_issuer=None, oidc_subject=None)
    )
    connection.execute(
        update(TeamMember)
        .where(TeamMember.id == member.id)
        .values(oidc_issuer=claims.issuer, oidc_subject=claims.subject)
    )
    return member


def _joined(connection: Connection, claims: Claims) -> _Known:
    roles = sorted({role for role in claims.roles if role in set(Role)})
    if not roles:
        raise _refused("You are not in the team of Sightline yet.")
    if claims.email is None or not claims.is_email_verified:
        raise _refused("The provider told no verified e-mail address of yours.")
    # Two windows of the same person may come at once.
    connection.execute(
        insert(TeamMember)
        .values(
            email=claims.email,
            name=claims.name,
            roles=roles,
            oidc_issuer=claims.issuer,
            oidc_subject=claims.subject,
        )
        .on_conflict_do_nothing()
    )
    member = _by_subject(connection, claims)
    if member is None:
        raise _refused("Somebody else was added with your e-mail address at this moment.")
    return member


def _one(connection: Connection, *which: ColumnElement[bool]) -> _Known | None:
    asked = select(TeamMember.id, TeamMember.oidc_subject, TeamMember.is_active, TeamMember.deleted_at).where(*which)
    return connection.execute(asked).one_or_none()


def _refused(why: str) -> SignInRefusedError:
    return SignInRefusedError("You were not signed in.", why=why, fix="Ask an admin of Sightline.")
