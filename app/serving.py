"""The connections of a serving process: opened once, shared by all pages, closed when the process ends."""

import atexit
import threading
from contextlib import ExitStack
from functools import cache

import structlog
from psycopg.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database import Engines, app_engines, database_address
from app.settings import settings
from db.embedded import running_server
from db.errors import SightlineError

_open = ExitStack()
atexit.register(_open.close)
_mending = threading.Lock()


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


def mend() -> None:
    """Start the embedded server again, in the background, if it is gone; a server of others is theirs to start."""
    if settings().database_url is None and _mending.acquire(blocking=False):
        threading.Thread(target=_restart, name="mend-postgres", daemon=True).start()


def _restart() -> None:
    try:
        # Joining starts one that is not alive; it stays, because this process has been one of its users all along.
        with running_server(settings().server_folder, structlog.get_logger().info):
            pass
    except SightlineError as error:
        structlog.get_logger().error("The embedded Postgres could not be started again.", error=str(error))
    finally:
        _mending.release()


def close() -> None:
    """Give the connections back, and leave the embedded server."""
    engines.cache_clear()
    _open.close()
