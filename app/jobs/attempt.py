"""One attempt at a job: its signs of life while it runs, and what is written when it ends, however it ends."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from psycopg import Error as PsycopgError
from psycopg.errors import QueryCanceled
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from structlog import get_logger

from app.database import Engines
from app.jobs import queue
from app.jobs.catalogue import Again, Fields, InTransaction, Job, JobType, Outcome, Outside
from app.jobs.stopping import Stop
from db.engine import driver, seeing, without_statement
from db.errors import SightlineError

log = get_logger(__name__)

# A request to cancel is seen this soon, also by jobs with a long lease.
_LONGEST_BEAT_SECONDS = 5.0
_LOOK_SECONDS = 0.5


class StoppedEarlyError(Exception):
    """The job left its work where it was: the worker ends, it was cancelled, or another worker has it."""


class JobCancelledError(Exception):
    """Somebody asked to cancel the job before its effect was committed."""


class Heartbeat:
    """Extends a lease from a thread and a connection of its own, and sees what becomes of the job."""

    def __init__(self, rw: Engine, job: Job, lease_seconds: float) -> None:
        self._rw = rw
        self._job = job
        self._lease_seconds = lease_seconds
        self._held_until = time.monotonic() + lease_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name=f"heartbeat of {job.id}", daemon=True)
        self.is_lost = False
        self.is_cancelled = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _beat_on(self) -> None:
        while not self._over.wait(min(self._lease_seconds / 3, _LONGEST_BEAT_SECONDS)):
            self._beat()
            if self.is_lost:
                return

    def _beat(self) -> None:
        until = time.monotonic() + self._lease_seconds
        try:
            with seeing(self._rw, self._job.workspaces) as connection:
                self.is_cancelled = queue.extend(connection, self._job, self._lease_seconds)
            self._held_until = until
        except queue.LeaseLostError:
            self.is_lost = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the lease runs out meanwhile
            log.warning("A job could give no sign of life.", job=str(self._job.id), error=without_statement(error))
            self.is_lost = time.monotonic() > self._held_until


class Interrupter:
    """Breaks off the query of a job in a transaction when its effect can't be committed any more.

    When the worker ends, the job has `grace_seconds` to finish.
    """

    def __init__(self, heartbeat: Heartbeat, stop: Stop, grace_seconds: float, break_off: Callable[[], None]) -> None:
        self._heartbeat = heartbeat
        self._stop = stop
        self._grace_seconds = grace_seconds
        self._break_off = break_off
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="interrupter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        stopped_at: float | None = None
        while not self._over.wait(_LOOK_SECONDS):
            if self._stop.is_requested and stopped_at is None:
                stopped_at = time.monotonic()
            is_late = stopped_at is not None and time.monotonic() > stopped_at + self._grace_seconds
            # Again at each look: a job may be between two queries.
            if is_late or self._heartbeat.is_lost or self._heartbeat.is_cancelled:
                self._break_off_quietly()

    def _break_off_quietly(self) -> None:
        try:
            self._break_off()
        except PsycopgError as error:
            log.warning("The query of a job could not be broken off.", error=str(error))


@dataclass(frozen=True)
class Running:
    """The handle of a job with an effect outside of the database."""

    job: Job
    engines: Engines
    heartbeat: Heartbeat
    stop: Stop

    @property
    def should_stop(self) -> bool:
        return self.stop.is_requested or self.heartbeat.is_lost or self.heartbeat.is_cancelled

    def go_on(self) -> None:
        if self.should_stop:
            raise StoppedEarlyError("It was stopped before it was done.")


@dataclass(frozen=True)
class Attempt:
    """A leased job in the hands of one worker."""

    job: Job
    job_type: JobType
    engines: Engines
    stop: Stop
    worker: str
    grace_seconds: float

    def run(self) -> str:
        """Do the work and write down how it ended; the status then, or `lost` when it was no longer ours to write."""
        heartbeat = Heartbeat(self.engines.rw, self.job, self.job_type.lease_seconds)
        try:
            with heartbeat:
                return self._work(heartbeat)
        except queue.LeaseLostError:
            return "lost"
        except Exception as error:  # noqa: BLE001 - the outermost entry of a job: its row says what happened
            return self._end(heartbeat, error)

    def _work(self, heartbeat: Heartbeat) -> str:
        match self.job_type.effect:
            case InTransaction() as effect:
                return self._in_transaction(effect, heartbeat)
            case Outside() as effect:
                return self._outside(effect, heartbeat)

    def _in_transaction(self, effect: InTransaction, heartbeat: Heartbeat) -> str:
        """The completion is the last statement: when it finds the lease lost, the effect goes back with it."""
        with self._transaction() as connection:
            with Interrupter(heartbeat, self.stop, self.grace_seconds, driver(connection).cancel_safe):
                outcome = effect.work(connection, self.job)
            if self._complete(connection, outcome):
                raise JobCancelledError
        return "completed"

    def _outside(self, effect: Outside, heartbeat: Heartbeat) -> str:
        """What was done outside is done, also when it was to be cancelled meanwhile."""
        outcome = effect.work(Running(self.job, self.engines, heartbeat, self.stop))
        with self._transaction() as connection:
            self._complete(connection, outcome)
        return "completed"

    def _complete(self, connection: Connection, outcome: Outcome) -> bool:
        """Note the completion, and add the job that goes on; true when the job was to be cancelled."""
        result: Fields | None = outcome.result if isinstance(outcome, Again) else outcome
        is_cancelled = queue.complete(connection, self.job, result)
        if isinstance(outcome, Again) and not is_cancelled:
            queue.enqueue(
                connection,
                self.job.job_type,
                workspace_id=self.job.workspace_id,
                user_id=self.job.user_id,
                campaign_id=self.job.campaign_id,
                payload=self.job.payload,
                unique_key=self.job.unique_key,
                wait_seconds=outcome.wait_seconds,
                max_attempts=self.job_type.max_attempts,
            )
        return is_cancelled

    def _end(self, heartbeat: Heartbeat, error: Exception) -> str:
        was_stopped = isinstance(error, StoppedEarlyError) or isinstance(getattr(error, "orig", None), QueryCanceled)
        try:
            with self._transaction() as connection:
                if isinstance(error, JobCancelledError) or (was_stopped and heartbeat.is_cancelled):
                    queue.end_cancelled(connection, self.job)
                    return "cancelled"
                if was_stopped and self.stop.is_requested:
                    queue.give_back(connection, self.job)
                    return "given back"
                wait_seconds = self.job_type.wait_before_next(self.job.attempt)
                return queue.fail(connection, self.job, _sentence(error), wait_seconds)
        except queue.LeaseLostError:
            return "lost"

    def _transaction(self) -> AbstractContextManager[Connection]:
        return seeing(self.engines.rw, self.job.workspaces, actor=f"the job {self.job.job_type}")


def _sentence(error: Exception) -> str:
    """What a person reads in the row of the job."""
    if isinstance(error, SightlineError):
        return str(error)
    if isinstance(error, DBAPIError):
        error = error.orig if isinstance(error.orig, Exception) else error
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}"
