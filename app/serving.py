"""The connections of a serving process: opened once, shared by all pages, closed when the process ends."""

import atexit
from contextlib import ExitStack
from functools import cache

import structlog
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database import Engines, app_engines, database_address

_open = ExitStack()
atexit.register(_open.close)


@cache
def engines() -> Engines:
    """The engines of every role, on the database of this installation."""
    address = _open.enter_context(database_address(structlog.get_logger().info))
    return _open.enter_context(app_engines(address))


def make_months() -> None:
    """Make the months ahead, as a database that is served for long needs them."""
    try:
        with engines().rw.begin() as connection:
            connection.execute(text("SELECT make_partitions()"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        # There are months left, or health would be red: serving must not wait for somebody's lock.
        structlog.get_logger().warning("The months ahead could not be made now; the next start tries again.")


def close() -> None:
    """Give the connections back, and leave the embedded server."""
    engines.cache_clear()
    _open.close()
