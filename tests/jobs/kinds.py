"""Kinds of jobs for tests, the table that takes their effects, and what is asked about both."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.database import Engines
from app.jobs import queue
from app.jobs.catalogue import Again, Catalogue, InTransaction, JobType, Outside
from app.jobs.stopping import Stop, run_side_by_side
from app.jobs.worker import Worker
from db.engine import seeing
from db.errors import SightlineError
from tests.servers import Database


def leave_effect(connection, job):
    """Sleeps in the database for as long as the payload says, then leaves one row."""
    connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": job.payload.get("seconds", 0)})
    connection.execute(
        text("INSERT INTO effects (job_id, attempt) VALUES (:job, :attempt)"), {"job": job.id, "attempt": job.attempt}
    )
    return {"left": 1}


def leave_effect_and_fail(connection, job):
    leave_effect(connection, job)
    if job.attempt <= job.payload.get("failures", 99):
        raise SightlineError("It went wrong.", fix="Call with password=canary4711 again.")


def leave_three(connection, job):
    """One row, and another job while there are fewer than three."""
    leave_effect(connection, job)
    rows = connection.scalar(text("SELECT count(*) FROM effects"))
    return Again({"rows": rows}) if rows < 3 else {"rows": rows}


def wait_until_told(handle):
    """Goes on until it must stop, or for as long as the payload says."""
    end = time.monotonic() + handle.job.payload.get("seconds", 30)
    while time.monotonic() < end:
        handle.go_on()
        time.sleep(0.01)
    return {"waited": True}


def catalogue(**changed):
    """The kinds; a change is one of all of them."""
    quick = {"lease_seconds": 0.6, "first_wait_seconds": 0.01, "longest_wait_seconds": 0.02, **changed}
    return Catalogue(
        JobType(name, f"{name}.", effect, **quick)
        for name, effect in {
            "effect": InTransaction(leave_effect),
            "failure": InTransaction(leave_effect_and_fail),
            "three": InTransaction(leave_three),
            "waiting": Outside(wait_until_told),
        }.items()
    )


@dataclass(frozen=True)
class Yard:
    """Where workers of a test work."""

    database: Database

    @classmethod
    def laid_out(cls, database):
        with database.setup.begin() as connection:
            connection.execute(
                text(
                    "CREATE TABLE effects (job_id uuid NOT NULL, attempt integer NOT NULL,"
                    " at timestamptz NOT NULL DEFAULT clock_timestamp())"
                )
            )
            connection.execute(text("GRANT SELECT, INSERT ON effects TO app_rw"))
        return cls(database)

    @property
    def engines(self):
        return Engines(self.database.rw, self.database.ro, self.database.pipe, self.database.ingest)

    def worker(self, kinds=None, **given):
        return Worker(self.engines, kinds or catalogue(), **given)

    def add(self, job_type, *, workspaces=(), **given) -> UUID:
        with seeing(self.database.rw, workspaces) as connection:
            key = queue.enqueue(connection, job_type, **given)
        assert key
        return key

    def run(self, *, kinds=None, turns=50):
        """Let one worker run what is due, and what becomes due within a moment."""
        worker, stop = self.worker(kinds), Stop()
        for _ in range(turns):
            wait = worker.turn(stop)
            if wait > 0.2:
                return
            time.sleep(wait)
        raise AssertionError("There is always something to do.")

    def lease(self, kinds=None, worker="a worker of the test"):
        """Take a job as a worker does, and do nothing about it."""
        given = (kinds or catalogue()).lease_seconds
        found = queue.candidates(self.database.pipe, list(given))
        return queue.lease(self.database.rw, [one for one in found if not one.is_over], given, worker)

    def job(self, key) -> Any:
        with self.database.setup.connect() as connection:
            return connection.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": key}).one()

    def ask(self, question, **given):
        with self.database.setup.connect() as connection:
            return connection.execute(text(question), given).all()

    def change(self, statement, **given):
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), given)

    def statuses(self):
        return dict(self.ask("SELECT status, count(*) FROM jobs GROUP BY status"))

    def effects(self):
        return [row.job_id for row in self.ask("SELECT job_id FROM effects ORDER BY at")]

    def until(self, question, *, seconds=15.0, **given):
        """Wait until a question is answered with yes."""
        deadline = time.monotonic() + seconds
        while not self.ask(question, **given)[0][0]:
            assert time.monotonic() < deadline, question
            time.sleep(0.02)

    @property
    def addresses(self):
        """What a worker in another process needs."""
        made = {
            "rw": self.database.rw,
            "ro": self.database.ro,
            "pipe": self.database.pipe,
            "ingest": self.database.ingest,
        }
        return json.dumps({name: engine.url.render_as_string(hide_password=False) for name, engine in made.items()})


@contextmanager
def working(yard, *, workers=1, kinds=None, **given):
    """Workers in threads of this process, for as long as the block runs."""
    stop = Stop()
    parts = {f"worker {number}": yard.worker(kinds, **given).run for number in range(workers)}
    thread = threading.Thread(target=run_side_by_side, args=(parts, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.request()
        thread.join(30)
        assert not thread.is_alive()
