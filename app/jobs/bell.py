"""Waits for new jobs without asking for them: Postgres rings when one is added, and so may anyone in this process."""

import os
import selectors
from types import TracebackType
from typing import Self

from psycopg import OperationalError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from db.engine import driver, without_statement

log = get_logger(__name__)


class Bell:
    """One waiting place. A connection that is lost is made anew; until then only the time limit wakes."""

    def __init__(self, engine: Engine, channel: str) -> None:
        self._engine = engine
        self._channel = channel
        self._listening: Connection | None = None
        self._inside, self._rope = os.pipe()
        os.set_blocking(self._inside, False)
        os.set_blocking(self._rope, False)

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        rope, self._rope = self._rope, -1
        os.close(rope)
        os.close(self._inside)

    def ring(self) -> None:
        """Wake whoever waits; also from a signal's handler, which may do little more than write a byte."""
        try:
            os.write(self._rope, b"!")
        except (BlockingIOError, OSError):
            return  # it rings already, or nobody waits any more

    def wait(self, seconds: float) -> None:
        """Until it rings, or for so long. Rings that came since the last wait count."""
        if self._listening is None and self._listen():
            return  # what came while nobody listened has to be looked for
        with selectors.DefaultSelector() as selector:
            selector.register(self._inside, selectors.EVENT_READ)
            if self._listening is not None:
                selector.register(driver(self._listening).fileno(), selectors.EVENT_READ)
            rung = [key.fd for key, _ in selector.select(max(0.0, seconds))]
        if self._inside in rung:
            os.read(self._inside, 4096)
        if self._listening is not None:
            self._take_notices(self._listening)

    def _listen(self) -> bool:
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"LISTEN {self._channel}"))
        except SQLAlchemyError as error:
            log.warning("Nobody rings for new jobs: the database can't be reached.", error=without_statement(error))
            return False
        self._listening = connection
        return True

    def _take_notices(self, connection: Connection) -> None:
        try:
            for _ in driver(connection).notifies(timeout=0):
                pass
        except OperationalError as error:
            log.warning("The connection that rings for new jobs is lost.", error=str(error))
            self._hang_up()

    def _hang_up(self) -> None:
        if self._listening is not None:
            # Given back to the pool, the connection would go on listening for whoever takes it next.
            self._listening.invalidate()
            self._listening.close()
            self._listening = None
