"""Sightline's own accounts: signing in with a password, and changing it."""

from sqlalchemy import Engine, func, select, update

from app.access import Viewer
from app.identity import attempts
from app.identity.passwords import hashed, matches, require_good
from app.identity.sessions import Device, Person, open_session
from db.engine import seeing
from db.errors import SightlineError
from db.tables.identity import TeamMember, TeamSession
from db.tables.workspaces import Workspace

_LONGEST_EMAIL = 320


class SignInRefusedError(SightlineError):
    """Somebody is not let in."""


def sign_in(engine: Engine, email: str, password: str, device: Device, *, replaces: str | None = None) -> str:
    """A new session's token. Why somebody is refused is not told: it would say who has an account."""
    email = email.strip()
    if len(email) > _LONGEST_EMAIL or "\x00" in email:
        raise _refused()
    attempts.count(engine, account=email, address=device.ip_address)
    found = select(TeamMember.id, TeamMember.email, TeamMember.password_hash, TeamMember.is_active).where(
        func.lower(TeamMember.email) == email.lower(), TeamMember.deleted_at.is_(None)
    )
    with engine.connect() as connection:
        member = connection.execute(found).one_or_none()
    is_right, renewed = matches(password, member.password_hash if member else None)
    if member is None or not is_right or not member.is_active:
        raise _refused()
    with seeing(engine, (), actor=member.email, reason="Signed in.") as connection:
        attempts.forgive(connection, account=email, address=device.ip_address)
        if renewed:
            connection.execute(update(TeamMember).where(TeamMember.id == member.id).values(password_hash=renewed))
        return open_session(connection, member.id, "password", device, replaces=replaces)


def change_password(engine: Engine, person: Person, *, current: str, new: str) -> None:
    """Set a new password, and end every session but the one that asked."""
    attempts.count(engine, account=person.email, address=None)
    with engine.connect() as connection:
        kept = connection.scalar(select(TeamMember.password_hash).where(TeamMember.id == person.member_id))
    if not matches(current, kept)[0]:
        raise SightlineError(
            "The password was not changed.",
            why="The current password is not right." if kept else "This account signs in through a provider alone.",
            fix="Type it again." if kept else "Change the password there.",
        )
    require_good(new)
    fresh = hashed(new)
    with seeing(engine, (), actor=person.email, reason="Changed the password.") as connection:
        attempts.forgive(connection, account=person.email, address=None)
        version = connection.execute(
            update(TeamMember)
            .where(TeamMember.id == person.member_id)
            .values(password_hash=fresh, session_version=TeamMember.session_version + 1)
            .returning(TeamMember.session_version)
        ).scalar_one()
        connection.execute(
            update(TeamSession).where(TeamSession.id == person.session_id).values(session_version=version)
        )


def admins(engine: Engine) -> list[str]:
    """Whom to ask for a role."""
    asked = (
        select(TeamMember.email)
        .where(TeamMember.roles.contains(["admin"]), TeamMember.is_active, TeamMember.deleted_at.is_(None))
        .order_by(func.lower(TeamMember.email))
        .limit(3)
    )
    with engine.connect() as connection:
        return list(connection.scalars(asked))


def workspace_names(engine: Engine, viewer: Viewer) -> list[str]:
    """The workspaces that somebody sees, by name."""
    with seeing(engine, viewer.workspaces) as connection:
        return list(
            connection.scalars(
                select(Workspace.name).where(Workspace.id.in_(viewer.workspaces)).order_by(Workspace.name)
            )
        )


def has_password(engine: Engine, person: Person) -> bool:
    """Whether the person can sign in without a provider."""
    asked = select(TeamMember.password_hash.is_not(None)).where(TeamMember.id == person.member_id)
    with engine.connect() as connection:
        return bool(connection.scalar(asked))


def _refused() -> SignInRefusedError:
    return SignInRefusedError(
        "This e-mail address and password do not belong together.",
        fix="Try again, or ask an admin of Sightline for a new password.",
    )
