"""A worker in a process of its own, to be stopped, stalled and killed."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable

from app.database import Engines
from app.jobs.catalogue import Catalogue
from app.jobs.service import serve_jobs
from db.engine import engine_for
from tests.jobs.kinds import catalogue

# Forked from a process that has imported everything already: a start takes milliseconds.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.jobs.process"])


class WorkerProcess:
    """A worker at the other end of signals."""

    def __init__(self, addresses: str, kinds: Callable[[], Catalogue] = catalogue) -> None:
        self._process = _context.Process(target=_serve, args=(addresses, kinds), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def send_signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def wait(self, seconds: float) -> int:
        """Its exit code."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, "It did not end."
        return self._process.exitcode


def _serve(addresses: str, kinds: Callable[[], Catalogue]) -> None:
    engines = Engines(**{name: engine_for(url) for name, url in json.loads(addresses).items()})
    # As the command line does: a second signal interrupts.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    serve_jobs(engines, kinds())
