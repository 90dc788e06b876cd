"""Passwords: hashed slowly with argon2id, a few at a time, and as slowly for people who don't exist."""

import threading
from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from db.errors import SightlineError

SHORTEST_PASSWORD = 12
# Whoever sends a book as a password only wants us to be busy.
LONGEST_PASSWORD = 1024
# The figures of OWASP's password storage advice for argon2id.
_PASSWORDS = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
# Each takes 19 MB and most of a core: many at once would stop the pages.
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 10


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _Turn():
        return _PASSWORDS.hash(password)


def matches(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the password, and a new hash if the kept one is of older figures.

    Without a hash, or with one of a kind that is not known here, it takes as long and is wrong.
    """
    if len(password) > LONGEST_PASSWORD:
        return False, None
    with _Turn():
        if kept is not None:
            try:
                return _PASSWORDS.verify_and_update(password, kept)
            except PwdlibError:
                pass
        _PASSWORDS.verify(password, _nobodys())
        return False, None


def require_good(password: str) -> None:
    """Refuse what is too easily guessed."""
    if len(password) < SHORTEST_PASSWORD:
        raise SightlineError(
            "The password is too short.",
            why=f"It has {len(password)} characters; at least {SHORTEST_PASSWORD} are needed.",
            fix="Choose a longer one, such as four random words.",
        )
    if len(password) > LONGEST_PASSWORD:
        raise SightlineError(
            "The password is too long.",
            why=f"It has {len(password)} characters; at most {LONGEST_PASSWORD} are taken.",
            fix="Choose a shorter one.",
        )


@cache
def _nobodys() -> str:
    return _PASSWORDS.hash("the password of nobody")


class _Turn:
    """One of the few who may hash now."""

    def __enter__(self) -> None:
        if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
            raise SightlineError(
                "Too many people are signing in at this moment.",
                why="Checking a password is slow on purpose.",
                fix="Try again in a minute.",
            )

    def __exit__(self, *_: object) -> None:
        _AT_ONCE.release()
