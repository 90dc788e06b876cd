"""Garbage is collected when some time has passed, and not after each run of each page, as Streamlit does it."""

import gc
import threading
import time

from streamlit.runtime.scriptrunner import script_runner

# Looking at all that is kept took a quarter of what twenty people at once cost, and nobody else could run meanwhile.
# Python itself collects besides, when there is more that is new.
_EVERY_SECONDS = 10


class Sparing:
    """In the place of the module `gc`, for whoever collects too often."""

    def __init__(self) -> None:
        self._collected_at = 0.0
        self._one_at_a_time = threading.Lock()

    def collect(self, generation: int = 2) -> int:
        """How many things nobody can reach any more; none, where it was looked a moment ago."""
        if not self._one_at_a_time.acquire(blocking=False):
            return 0
        try:
            if time.monotonic() - self._collected_at < _EVERY_SECONDS:
                return 0
            found = gc.collect(generation)
            self._collected_at = time.monotonic()
            return found
        finally:
            self._one_at_a_time.release()


def collect_sparingly() -> None:
    """From now on, runs of pages share a collection."""
    vars(script_runner)["gc"] = Sparing()
