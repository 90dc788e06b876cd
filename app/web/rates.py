"""How often somebody may call: so many times within a minute, counted in this process, whose threads it protects."""

import threading
import time
from collections.abc import Callable, Hashable

from db.errors import SightlineError

_SECONDS = 60.0
_MOST_CALLERS = 10_000


class TooManyCallsError(SightlineError):
    """A program calls more often than it may."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            "There were too many calls.",
            why="So that pages stay quick, calls are limited by the minute.",
            fix=f"Call again in {seconds} seconds.",
        )


class Rates:
    """Whoever calls too often waits for the end of their minute; the others don't notice."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = a_minute
        self._clock = clock
        self._counted: dict[Hashable, tuple[float, int]] = {}
        self._one_at_a_time = threading.Lock()

    def count(self, who: Hashable) -> None:
        """One more call, which is refused when there were too many."""
        now = self._clock()
        with self._one_at_a_time:
            began, calls = self._counted.get(who, (now, 0))
            if now - began >= _SECONDS:
                began, calls = now, 0
            self._counted[who] = (began, calls + 1)
            if len(self._counted) > _MOST_CALLERS:
                self._forget(now)
        if calls >= self._most:
            raise TooManyCallsError(max(1, round(began + _SECONDS - now)))

    def _forget(self, now: float) -> None:
        """Minutes that are over; were there none, all of them: a crowd of strangers must not fill the memory."""
        kept = {who: counted for who, counted in self._counted.items() if now - counted[0] < _SECONDS}
        self._counted = kept if len(kept) <= _MOST_CALLERS else {}
