"""The process of the worker: workers and whatever else runs beside them, until a signal asks for the end."""

from collections.abc import Mapping

from app.database import Engines
from app.jobs.catalogue import Catalogue
from app.jobs.stopping import Part, Stop, at_signals, run_side_by_side
from app.jobs.worker import Worker

# Of one worker: its bell, the transaction of its job, and the heartbeat.
CONNECTIONS_PER_WORKER = 3


def serve_jobs(
    engines: Engines, catalogue: Catalogue, *, at_once: int = 1, companions: Mapping[str, Part] | None = None
) -> None:
    """Run so many workers, and each companion in a thread of its own, until SIGTERM, SIGINT or SIGHUP.

    A companion is called with the `Stop` of the process; it returns soon after `stop.is_requested`, and may sleep with
    `stop.wait(seconds)`. One that fails ends the process, with its error.
    """
    stop = Stop()
    workers = {f"worker {number}": Worker(engines, catalogue).run for number in range(1, at_once + 1)}
    with at_signals(stop):
        run_side_by_side({**workers, **(companions or {})}, stop)
