"""Two people who change the same at once: the one who waited too long is told so, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg.errors
from sqlalchemy.exc import DBAPIError

from db.errors import SightlineError


@contextmanager
def one_after_the_other(what: str) -> Iterator[None]:
    """Where the database let somebody else go first, a sentence says so; `what` they changed meanwhile."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            raise SightlineError(
                f"Nothing was changed: somebody else changed {what} at the same moment.",
                why="Each waited for the other, and the database let the other go first.",
                fix="Try again.",
            ) from None
        raise
