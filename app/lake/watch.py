"""Keeps the lake fresh: woken by the database when something was written, and looking by itself every few seconds."""

import time
from collections.abc import Callable
from typing import Protocol

import psycopg
import structlog

from app.lake.refresh import Outcome, Refresher
from db.errors import SightlineError

CHANNEL = "sightline_lake"
# A notice may be missed, and a replica gives none: looking costs a few milliseconds.
_LOOK_SECONDS = 2.0
_APART_SECONDS = 1.0
_PATIENCE_SECONDS = (1, 2, 5, 10, 30)


class Stopping(Protocol):
    """Somebody's wish to stop."""

    @property
    def is_requested(self) -> bool: ...

    def wait(self, seconds: float) -> bool: ...


class Waker:
    """Waits until the database says that something was written."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def wait(self, stop: Stopping) -> None:
        """Until the next notice or look, or until somebody asks to stop."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while not stop.is_requested and (left := deadline - time.monotonic()) > 0:
            try:
                # In short turns: a wish to stop is heard soon.
                if any(True for _ in self._listening().notifies(timeout=min(left, 0.25), stop_after=1)):
                    return
            except psycopg.OperationalError:
                self.close()
                stop.wait(left)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _listening(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection


def watch(refresher: Refresher, url: str, stop: Stopping, seen: Callable[[Outcome], None] = lambda _: None) -> None:
    """Refresh until asked to stop, at most once a second. What goes wrong is said, and tried again ever more rarely."""
    waker = Waker(url)
    failures = 0
    while not stop.is_requested:
        started = time.monotonic()
        try:
            seen(refresher.refresh())
            failures = 0
            refresher.tidy()
        except (SightlineError, psycopg.OperationalError) as error:
            wait = _PATIENCE_SECONDS[min(failures, len(_PATIENCE_SECONDS) - 1)]
            structlog.get_logger().warning("The lake could not be refreshed.", error=str(error), again_in_seconds=wait)
            failures += 1
            stop.wait(wait)
            continue
        stop.wait(max(0.0, _APART_SECONDS - (time.monotonic() - started)))
        waker.wait(stop)
    waker.close()
