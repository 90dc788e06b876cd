"""The worker: takes one job after another, plans what is scheduled, and sleeps while there is nothing to do."""

import os
import secrets
import socket
import time

from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from app.database import Engines
from app.jobs import queue
from app.jobs.attempt import Attempt
from app.jobs.bell import Bell
from app.jobs.catalogue import Catalogue, Job
from app.jobs.planner import plan, take_leave
from app.jobs.stopping import Stop
from db.engine import without_statement

log = get_logger(__name__)

# Others took what was found, or a row is locked: look again soon, but not without pause.
_BUSY_SECONDS = 0.05
_FIRST_PATIENCE_SECONDS = 0.5
_LONGEST_PATIENCE_SECONDS = 30.0


class Worker:
    """One job at a time; as many workers as you like, in this process and in others, share the work."""

    def __init__(
        self,
        engines: Engines,
        catalogue: Catalogue,
        *,
        name: str | None = None,
        poll_seconds: float = 5,
        grace_seconds: float = 15,
    ) -> None:
        self._engines = engines
        self._catalogue = catalogue
        self._lease_seconds = catalogue.lease_seconds
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._plan_at = 0.0
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    def run(self, stop: Stop) -> None:
        """Work until the end is requested; a database that is away is waited for."""
        patience = _FIRST_PATIENCE_SECONDS
        with Bell(self._engines.rw, queue.CHANNEL) as bell:
            stop.also_tell(bell.ring)
            while not stop.is_requested:
                try:
                    wait = self.turn(stop)
                    patience = _FIRST_PATIENCE_SECONDS
                except SQLAlchemyError as error:
                    said = without_statement(error)
                    log.warning("The worker could not look for jobs.", error=said, wait_seconds=patience)
                    wait, patience = patience, min(2 * patience, _LONGEST_PATIENCE_SECONDS)
                if wait:
                    bell.wait(wait)
        self._take_leave()

    def _take_leave(self) -> None:
        try:
            take_leave(self._engines.rw, self.name)
        except SQLAlchemyError as error:
            log.warning("The worker ended without a word: the database did not answer.", error=without_statement(error))

    def turn(self, stop: Stop) -> float:
        """Plan, run one job if there is one, and say for how long nothing will be due."""
        if time.monotonic() >= self._plan_at:
            self._plan_at = time.monotonic() + plan(self._engines.rw, self._catalogue, self.name)
        found = queue.candidates(self._engines.pipe, list(self._lease_seconds))
        if not found:
            return self._idle_seconds()
        job = self._take(found)
        if job is None:
            return _BUSY_SECONDS
        self._run(job, stop)
        return 0.0

    def _take(self, found: list[queue.Candidate]) -> Job | None:
        if over := [one for one in found if one.is_over]:
            ended = queue.end_lost(self._engines.rw, over, self.name)
            log.warning("Jobs were given up: their worker ended and no attempt is left.", jobs=ended)
        open_to_us = [one for one in found if not one.is_over]
        return queue.lease(self._engines.rw, open_to_us, self._lease_seconds, self.name) if open_to_us else None

    def _run(self, job: Job, stop: Stop) -> None:
        began = time.monotonic()
        attempt = Attempt(job, self._catalogue.named(job.job_type), self._engines, stop, self.name, self._grace_seconds)
        ended = attempt.run()
        log.info(
            "A job has ended.",
            job=str(job.id),
            job_type=job.job_type,
            attempt=job.attempt,
            ended=ended,
            seconds=round(time.monotonic() - began, 3),
        )

    def _idle_seconds(self) -> float:
        """Until the next job, the end of a lease or a schedule, and never longer than the poll."""
        to_next = queue.seconds_to_next(self._engines.pipe, list(self._lease_seconds))
        soonest = min(self._poll_seconds, self._plan_at - time.monotonic())
        return max(_BUSY_SECONDS, soonest if to_next is None else min(soonest, to_next))
