"""Workers as processes: killed, stalled, stopped, and many at once."""

import os
import random
import signal
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from app.jobs import queue
from app.jobs.attempt import Heartbeat
from app.jobs.bell import Bell
from app.jobs.catalogue import Catalogue, InTransaction, JobType
from app.jobs.service import serve_jobs
from app.jobs.stopping import Stop, run_side_by_side
from app.jobs.worker import Worker
from db.engine import seeing
from db.errors import SightlineError
from tests.jobs.kinds import catalogue, leave_effect, working
from tests.jobs.process import WorkerProcess


@pytest.fixture
def start(yard):
    """Starts workers in processes of their own, and leaves none behind."""
    started = []

    def begin():
        started.append(WorkerProcess(yard.addresses))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def test_five_hundred_jobs_and_ten_killed_workers_give_five_hundred_effects(yard, start):
    """A job takes a few milliseconds; each kill hits one of three workers in whatever it is doing."""
    chance = random.Random(20261121)
    with yard.database.rw.begin() as connection:
        keys = {queue.enqueue(connection, "effect", payload={"seconds": 0.015}) for _ in range(500)}
    began = time.monotonic()
    workers = [start() for _ in range(3)]
    hit = 0
    for kill in range(1, 11):
        yard.until("SELECT count(*) >= :some FROM effects", some=40 * kill, seconds=60)
        time.sleep(chance.uniform(0, 0.03))
        victim = workers.pop(0)
        victim.kill()
        hit += yard.ask(
            "SELECT count(*) FROM jobs WHERE status = 'running' AND worker LIKE :it", it=f"%:{victim.pid}:%"
        )[0][0]
        workers.append(start())
    yard.until("SELECT NOT EXISTS (SELECT FROM jobs WHERE status <> 'completed')", seconds=60)
    effects = yard.effects()
    assert len(effects) == 500
    assert set(effects) == keys
    assert hit >= 3, "Too few kills hit a running job to prove anything."
    assert yard.ask("SELECT sum(attempts - 1) FROM jobs")[0][0] >= hit
    assert time.monotonic() - began < 40


def test_four_workers_never_run_the_same_job_and_none_is_idle_for_long(yard):
    with yard.database.rw.begin() as connection:
        for _ in range(200):
            queue.enqueue(connection, "effect", payload={"seconds": 0.005})
    with working(yard, workers=4):
        yard.until("SELECT count(*) = 200 FROM jobs WHERE status = 'completed'", seconds=30)
    assert len(yard.effects()) == len(set(yard.effects())) == 200
    shares = [row.jobs for row in yard.ask("SELECT count(*) AS jobs FROM jobs GROUP BY worker")]
    assert len(shares) == 4
    assert min(shares) >= 20


def test_a_process_that_was_stalled_longer_than_its_lease_can_not_commit(yard, start):
    """The whole process stands still in the middle of its job, heartbeat included, and comes back too late."""
    key = yard.add("effect", payload={"seconds": 1})
    stalled = start()
    yard.until("SELECT status = 'running' FROM jobs")
    stalled.send_signal(signal.SIGSTOP)
    yard.until("SELECT leased_until < now() FROM jobs")
    with working(yard):
        yard.until("SELECT status = 'completed' FROM jobs")
    stalled.send_signal(signal.SIGCONT)
    stalled.send_signal(signal.SIGTERM)
    assert stalled.wait(20) == 0
    assert yard.ask("SELECT job_id, attempt FROM effects") == [(key, 2)]


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_that_is_asked_to_end_finishes_its_job_first(yard, start, which):
    key = yard.add("effect", payload={"seconds": 1})
    worker = start()
    yard.until("SELECT status = 'running' FROM jobs")
    worker.send_signal(which)
    assert worker.wait(20) == 0
    assert (yard.job(key).status, yard.job(key).attempts, yard.effects()) == ("completed", 1, [key])


def test_an_idle_worker_ends_at_once(yard, start):
    key = yard.add("effect")
    worker = start()
    yard.until("SELECT status = 'completed' FROM jobs WHERE id = :key", key=key)
    time.sleep(0.2)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert time.monotonic() - began < 2


def test_a_job_outside_of_the_database_is_given_back_when_its_worker_ends_and_costs_no_attempt(yard, start):
    key = yard.add("waiting", payload={"seconds": 60})
    worker = start()
    yard.until("SELECT status = 'running' FROM jobs")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    job = yard.job(key)
    assert (job.status, job.leased_until, job.max_attempts - job.attempts) == ("pending", None, 5)


def test_a_job_in_a_transaction_that_takes_longer_than_the_grace_is_given_back(yard):
    key = yard.add("effect", payload={"seconds": 60})
    with working(yard, grace_seconds=0.5) as stop:
        yard.until("SELECT status = 'running' FROM jobs")
        stop.request()
    job = yard.job(key)
    assert (job.status, job.max_attempts - job.attempts, yard.effects()) == ("pending", 5, [])


def test_a_second_signal_ends_the_worker_without_waiting_and_the_job_is_taken_over(yard, start):
    key = yard.add("effect", payload={"seconds": 5})
    worker = start()
    yard.until("SELECT status = 'running' FROM jobs")
    worker.send_signal(signal.SIGINT)
    time.sleep(0.3)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(3) != 0
    yard.change("UPDATE jobs SET payload = '{}'")
    with working(yard):
        yard.until("SELECT status = 'completed' FROM jobs")
    assert yard.ask("SELECT job_id, attempt FROM effects") == [(key, 2)]


def test_a_running_job_sees_that_it_was_cancelled(yard):
    key = yard.add("waiting", payload={"seconds": 60})
    with working(yard):
        yard.until("SELECT status = 'running' FROM jobs")
        with seeing(yard.database.rw, ()) as connection:
            queue.cancel(connection, key)
        yard.until("SELECT status = 'cancelled' FROM jobs", seconds=5)


def test_the_query_of_a_cancelled_job_is_broken_off(yard):
    key = yard.add("effect", payload={"seconds": 60})
    with working(yard):
        yard.until("SELECT status = 'running' FROM jobs")
        with seeing(yard.database.rw, ()) as connection:
            queue.cancel(connection, key)
        yard.until("SELECT status = 'cancelled' FROM jobs", seconds=5)
    assert yard.effects() == []


def test_a_new_job_wakes_a_worker_that_would_sleep_for_an_hour(yard):
    with working(yard, poll_seconds=3600):
        yard.add("effect")
        yard.until("SELECT count(*) = 1 FROM effects")
        time.sleep(0.5)
        began = time.monotonic()
        yard.add("effect")
        yard.until("SELECT count(*) = 2 FROM effects")
    assert time.monotonic() - began < 1


def test_a_job_that_is_due_later_is_run_when_it_is_due(yard):
    with working(yard, poll_seconds=3600):
        yard.add("effect", wait_seconds=1)
        yard.until("SELECT count(*) = 1 FROM effects")
    late = yard.ask("SELECT EXTRACT(EPOCH FROM started_at - scheduled_at) FROM jobs")[0][0]
    assert 0 <= late < 0.5


def test_a_worker_that_lost_all_its_connections_works_on(yard):
    with working(yard, poll_seconds=0.5):
        yard.add("effect")
        yard.until("SELECT count(*) = 1 FROM effects")
        yard.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'test_app%'")
        yard.add("effect")
        yard.until("SELECT count(*) = 2 FROM effects", seconds=10)


@pytest.fixture
def taken_pool(yard):
    """An engine whose only connection somebody has."""
    engine = create_engine(yard.database.rw.url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect():
        yield engine
    engine.dispose()


def test_a_job_whose_sign_of_life_finds_no_connection_is_lost_when_its_lease_is_over(yard, taken_pool):
    yard.add("effect")
    with Heartbeat(taken_pool, yard.lease(), lease_seconds=0.6) as heartbeat:
        time.sleep(0.3)
        assert not heartbeat.is_lost
        time.sleep(1)
        assert heartbeat.is_lost


def test_a_bell_without_a_connection_waits_for_its_time(taken_pool):
    with Bell(taken_pool, queue.CHANNEL) as bell:
        began = time.monotonic()
        bell.wait(0.2)
        assert 0.2 <= time.monotonic() - began < 2


def test_a_worker_that_finds_no_connection_looks_again_later(yard, taken_pool):
    crowded = replace(yard.engines, rw=taken_pool, pipe=taken_pool)
    stop = Stop()
    thread = threading.Thread(target=run_side_by_side, args=({"worker": Worker(crowded, catalogue()).run}, stop))
    thread.start()
    time.sleep(0.5)
    assert thread.is_alive()
    stop.request()
    thread.join(10)
    assert not thread.is_alive()


def test_an_idle_worker_asks_little(yard):
    """Two workers, two seconds: a few questions, and hardly any time of the processor."""
    asked = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    with working(yard, workers=2):
        time.sleep(1)
        used, before = time.process_time(), yard.ask(asked)[0][0]
        time.sleep(2)
        used = time.process_time() - used
        yard.ask("SELECT pg_stat_force_next_flush()")
        questions = yard.ask(asked)[0][0] - before
    assert used < 0.2
    assert questions < 40


def test_what_runs_beside_the_workers_is_stopped_with_them():
    seen = []

    def companion(stop):
        while not stop.wait(0.01):
            pass
        seen.append("stopped")

    def other(stop):
        stop.wait(0.05)

    run_side_by_side({"companion": companion, "other": other}, Stop())
    assert seen == ["stopped"]


def test_a_companion_that_fails_ends_the_process_with_its_error(yard):
    def companion(_stop):
        raise SightlineError("The lake can't be written.")

    with pytest.raises(SightlineError, match="The lake"):
        serve_jobs(yard.engines, catalogue(), at_once=2, companions={"refresh": companion})


def test_two_kinds_of_one_name_are_refused():
    kind = JobType("effect", "Leaves.", InTransaction(leave_effect))
    with pytest.raises(ValueError, match="Two kinds"):
        Catalogue([kind, kind])


def test_a_worker_names_itself_by_its_process(yard):
    assert f":{os.getpid()}:" in yard.worker().name
    with yard.database.setup.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
