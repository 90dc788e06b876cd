"""Limits on guessing: attempts to sign in are counted over all processes, and nobody can lock somebody else out.

An account is closed to the address that guesses. When many addresses guess one account, it is closed to all of them
but those from which its owner signed in before.
"""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from db.errors import SightlineError

WINDOW = timedelta(minutes=15)
# Of one address on one account.
PER_ACCOUNT = 10
# An office shares one address.
PER_ADDRESS = 100
# Of all addresses on one account.
PER_ACCOUNT_EVERYWHERE = 100
# Ways to the provider and back: each makes us ask it something.
PER_ADDRESS_AT_PROVIDER = 200
_FORGOTTEN_AFTER = timedelta(days=1)

# One statement: two processes that count at once both count. The window ends however often somebody goes on trying.
_COUNT = text("""
INSERT INTO sign_in_limits AS known (subject_hash, attempts)
VALUES (:subject, 1)
ON CONFLICT (subject_hash) DO UPDATE SET
    attempts = CASE WHEN known.began_at <= now() - CAST(:window AS interval) THEN 1 ELSE known.attempts + 1 END,
    began_at = CASE WHEN known.began_at <= now() - CAST(:window AS interval) THEN now() ELSE known.began_at END
RETURNING attempts, began_at
""")
_KNOWN_ADDRESS = text("""
SELECT EXISTS (
    SELECT FROM team_sessions AS s
    JOIN team_members AS m ON m.id = s.team_member_id
    WHERE LOWER(m.email) = LOWER(:account)
        AND m.deleted_at IS NULL
        AND s.ip_address = CAST(:address AS INET)
        AND s.created_at > now() - INTERVAL '90 days'
)
""")
_FORGIVE = text("UPDATE sign_in_limits SET attempts = GREATEST(attempts - :forgiven, 0) WHERE subject_hash = :subject")
# Rows that others hold at this moment are left to the next attempt: waiting for them could be a deadlock.
_FORGET_OLD = text("""
DELETE FROM sign_in_limits
WHERE subject_hash IN (
    SELECT subject_hash FROM sign_in_limits WHERE began_at < now() - CAST(:old AS interval) LIMIT 100
    FOR UPDATE SKIP LOCKED
)
""")


class TooManyAttemptsError(SightlineError):
    """Somebody guesses, or has forgotten."""


def count(engine: Engine, *, account: str, address: str | None) -> None:
    """Count an attempt before it is made, and refuse it when there were too many."""
    with engine.begin() as connection:
        over = _counted(connection, _subjects(account, address))
        if set(over) == {_everywhere(account)} and _is_known(connection, account, address):
            over = {}
    _refuse(over)


def count_at_provider(engine: Engine, address: str | None) -> None:
    """The same of ways to the provider, which name no account."""
    with engine.begin() as connection:
        over = _counted(connection, [(_digest(f"provider:{address}"), PER_ADDRESS_AT_PROVIDER)])
    _refuse(over)


def _counted(connection: Connection, subjects: list[tuple[bytes, int]]) -> dict[bytes, datetime]:
    """Those of which there were too many, and until when."""
    over: dict[bytes, datetime] = {}
    for subject, limit in subjects:
        attempts, began_at = connection.execute(_COUNT, {"subject": subject, "window": WINDOW}).one()
        if attempts > limit:
            over[subject] = began_at + WINDOW
    connection.execute(_FORGET_OLD, {"old": _FORGOTTEN_AFTER})
    return over


def _is_known(connection: Connection, account: str, address: str | None) -> bool:
    named = {"account": account.strip(), "address": address}
    return address is not None and bool(connection.scalar(_KNOWN_ADDRESS, named))


def _refuse(over: dict[bytes, datetime]) -> None:
    if over:
        raise TooManyAttemptsError(
            "There were too many attempts to sign in.",
            why="To keep passwords from being guessed, attempts are limited.",
            fix=_when(max(over.values())),
        )


def forgive(connection: Connection, *, account: str, address: str | None) -> None:
    """Who signed in has guessed nothing: their own count starts anew, and the others have one attempt less."""
    for subject, limit in _subjects(account, address):
        connection.execute(_FORGIVE, {"subject": subject, "forgiven": limit if limit == PER_ACCOUNT else 1})


def _subjects(account: str, address: str | None) -> list[tuple[bytes, int]]:
    """What is counted and how far, in the order of the keys: two attempts that lock the same rows never deadlock."""
    subjects = [
        (_digest(f"account:{account.strip().lower()}|address:{address}"), PER_ACCOUNT),
        (_everywhere(account), PER_ACCOUNT_EVERYWHERE),
    ]
    if address is not None:
        subjects.append((_digest(f"address:{address}"), PER_ADDRESS))
    return sorted(subjects)


def _everywhere(account: str) -> bytes:
    return _digest(f"account:{account.strip().lower()}")


def _when(until: datetime) -> str:
    minutes = max(1, -int((datetime.now(UTC) - until) / timedelta(minutes=1)) + 1)
    return f"Try again at {until.astimezone(UTC):%H:%M} UTC, in about {minutes} minute{'s' if minutes > 1 else ''}."


def _digest(subject: str) -> bytes:
    return hashlib.sha256(subject.encode(errors="replace")).digest()
