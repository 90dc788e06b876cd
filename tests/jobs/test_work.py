"""The commands of the background, as a person runs them."""

import logging
import os
import signal
import sys
import threading
from uuid import UUID, uuid4

import pytest
import structlog
import typer
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli import shared, work
from app.jobs.stopping import Stop, run_side_by_side
from app.jobs.worker import Worker
from app.settings import settings
from db.errors import SightlineError
from tests.db.rows import workspace
from tests.jobs.kinds import Yard, catalogue

WHY = ("--reason", "A test.")
PROGRAM = typer.Typer()
PROGRAM.command(name="worker")(work.worker)
PROGRAM.add_typer(work.jobs_app, name="jobs")


@pytest.fixture
def yard(yard: Yard, tmp_path, monkeypatch):
    """An installation on the database of the tests."""
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", yard.database.server.url(yard.database.name))
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogRecordFactory(), sys.excepthook, threading.excepthook)
    settings.cache_clear()
    yield yard
    # The commands set up the log of their process, which here is that of all tests.
    root.handlers[:], level, factory, sys.excepthook, threading.excepthook = before
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    settings.cache_clear()


def run(*arguments):
    """What a command says; its error is raised here as it is at the outermost entry."""
    done = CliRunner().invoke(PROGRAM, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_a_job_that_is_added_is_run_by_the_worker_which_ends_at_ctrl_c(yard, monkeypatch):
    run("jobs", "add", "make_months", *WHY)
    assert "A job make_months waits or runs already." in run("jobs", "add", "make_months", *WHY)

    def interrupt_when_done():
        yard.until("SELECT status = 'completed' FROM jobs", seconds=60)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt_when_done)
    watcher.start()
    said = run("worker")
    watcher.join()
    assert said.startswith("The worker runs - Ctrl-C stops it, nothing is lost.")
    assert said.endswith("The worker has stopped.")
    assert "make_months completed 1 of 5" in run("jobs", "list").replace("│", "").replace("  ", " ")


def test_as_many_jobs_run_at_once_as_a_worker_may_be_asked_for(yard):
    for _ in range(work.MOST_AT_ONCE):
        yard.add("effect", payload={"seconds": 3})
    stop = Stop()
    with shared.address() as address, work._engines(address, work.MOST_AT_ONCE) as engines:
        workers = {str(number): Worker(engines, catalogue(lease_seconds=5)).run for number in range(work.MOST_AT_ONCE)}
        thread = threading.Thread(target=run_side_by_side, args=(workers, stop))
        thread.start()
        try:
            yard.until(f"SELECT count(*) = {work.MOST_AT_ONCE} FROM jobs WHERE status = 'running'")
            yard.until(f"SELECT count(*) = {work.MOST_AT_ONCE} FROM effects")
        finally:
            stop.request()
            thread.join(60)


def test_jobs_are_listed_by_status_with_what_they_say(yard):
    yard.add("effect")
    assert "There are no such jobs." in run("jobs", "list", "--status", "failed")
    yard.change("UPDATE jobs SET status = 'failed', error_message = 'It [went] wrong.'")
    assert "It [went] wrong." in run("jobs", "list", "--status", "failed")
    with pytest.raises(SightlineError, match="No job is ever 'dead'"):
        run("jobs", "list", "--status", "dead")


def test_one_job_is_shown_with_all_that_is_known(yard):
    key = yard.add("effect", payload={"seconds": 3})
    said = run("jobs", "show", str(key))
    assert f"id {key}" in said
    assert 'payload {"seconds": 3}' in said
    with pytest.raises(SightlineError, match="No job has the key"):
        run("jobs", "show", str(uuid4()))


def test_a_waiting_job_is_cancelled_and_run_again(yard):
    run("jobs", "add", "forget_event_keys", "--wait", "60", *WHY)
    key = yard.ask("SELECT id FROM jobs")[0][0]
    assert "The job is cancelled." in run("jobs", "cancel", str(key), *WHY)
    with pytest.raises(SightlineError, match="it is cancelled"):
        run("jobs", "cancel", str(key), *WHY)
    assert "waits for a worker" in run("jobs", "run-again", str(key), *WHY)
    assert yard.job(key).status == "pending"


def test_a_job_that_waits_begins_at_once_and_one_that_was_cancelled_is_kept(yard):
    run("jobs", "add", "forget_event_keys", "--wait", "6000", *WHY)
    key = yard.ask("SELECT id FROM jobs")[0][0]
    run("jobs", "cancel", str(key), *WHY)
    assert "The job waits again." in run("jobs", "keep", str(key), *WHY)
    assert yard.ask("SELECT status, scheduled_at > now() + interval '1 hour' FROM jobs") == [("pending", True)]
    assert "as soon as a worker is free" in run("jobs", "run-now", str(key), *WHY)
    assert yard.ask("SELECT scheduled_at <= now() FROM jobs") == [(True,)]
    said = yard.ask("SELECT reason FROM audit_log WHERE table_name = 'jobs' AND row_key = CAST(:key AS TEXT)", key=key)
    assert [row.reason for row in said] == ["A test."] * 4


def test_a_running_job_is_asked_to_stop(yard):
    yard.add("effect")
    job = yard.lease()
    assert "was asked to stop" in run("jobs", "cancel", str(job.id), *WHY)
    assert yard.job(job.id).cancel_requested_at is not None


def test_a_job_for_a_workspace_with_a_payload(yard):
    with yard.database.setup.begin() as connection:
        theirs = workspace(connection)
    run("jobs", "add", "forget_tombstones", "--workspace", theirs.slug, "--payload", '{"at_once": 7}', *WHY)
    job = yard.ask("SELECT id, workspace_id, payload FROM jobs")[0]
    assert (job.workspace_id, job.payload) == (theirs.id, {"at_once": 7})
    assert isinstance(job.id, UUID)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["make_month"], "Did you mean 'make_months'"),
        (["make_months", "--payload", "{"], "not JSON"),
        (["make_months", "--payload", "[]"], "not a JSON object"),
        (["make_months", "--workspace", "nobody"], "No workspace is called nobody"),
    ],
)
def test_what_can_not_be_added_is_told(yard, arguments, says):
    with pytest.raises(SightlineError, match=says):
        run("jobs", "add", *arguments, *WHY)
    with yard.database.setup.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
