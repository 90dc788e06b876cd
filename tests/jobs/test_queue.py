"""A job is leased by one worker at a time, its effect comes with its completion, and what fails is tried again."""

import statistics
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.jobs import queue
from app.jobs.attempt import Attempt
from app.jobs.catalogue import Catalogue, InTransaction, JobType, UnknownJobTypeError
from app.jobs.stopping import Stop
from db.engine import seeing
from db.errors import SightlineError
from tests.db.rows import workspace
from tests.jobs.kinds import catalogue, working


def test_an_effect_and_its_completion_come_together(each_yard):
    key = each_yard.add("effect")
    each_yard.run()
    done = each_yard.job(key)
    assert (done.status, done.attempts, done.result, done.error_message) == ("completed", 1, {"left": 1}, None)
    assert (done.leased_until, done.completed_at is not None) == (None, True)
    assert each_yard.effects() == [key]


def test_the_effect_of_a_failed_attempt_goes_back(yard):
    key = yard.add("failure", payload={"failures": 2})
    yard.run()
    assert yard.job(key).status == "completed"
    assert yard.ask("SELECT job_id, attempt FROM effects") == [(key, 3)]


def test_a_job_that_fails_too_often_is_kept_with_a_sentence_and_without_secrets(yard):
    key = yard.add("failure", max_attempts=3)
    yard.run()
    dead = yard.job(key)
    assert (dead.status, dead.attempts) == ("failed", 3)
    assert dead.error_message == "It went wrong. Call with password=*** again."
    assert yard.effects() == []


def test_a_dead_job_can_be_run_again_as_often_as_a_new_one(yard):
    key = yard.add("failure", max_attempts=2, payload={"failures": 3})
    yard.run()
    with seeing(yard.database.rw, ()) as connection:
        assert queue.run_again(connection, key, more_attempts=2) == "pending"
    yard.run()
    again = yard.job(key)
    assert (again.status, again.attempts, again.max_attempts) == ("completed", 4, 4)
    with seeing(yard.database.rw, ()) as connection, pytest.raises(SightlineError, match="it is completed"):
        queue.run_again(connection, key)


def test_a_failed_job_waits_before_it_is_tried_again(yard):
    patient = catalogue(first_wait_seconds=1000, longest_wait_seconds=2000)
    key = yard.add("failure")
    yard.run(kinds=patient)
    assert yard.job(key).status == "retrying"
    assert yard.lease(patient) is None
    yard.change("UPDATE jobs SET scheduled_at = now()")
    assert yard.lease(patient).attempt == 2


def test_waits_double_up_to_a_limit_and_are_spread_over_all_of_it():
    kind = JobType("x", "x.", InTransaction(lambda _connection, _job: None), first_wait_seconds=10)
    for attempt, limit in {1: 10, 2: 20, 5: 160, 50: 3600}.items():
        waits = [kind.wait_before_next(attempt) for _ in range(2000)]
        assert 0 <= min(waits) < limit * 0.05
        assert limit * 0.95 < max(waits) <= limit
        assert abs(statistics.fmean(waits) - limit / 2) < limit * 0.05


def test_two_leases_never_take_the_same_job(yard):
    keys = {yard.add("effect") for _ in range(3)}
    taken = [yard.lease() for _ in range(4)]
    assert {job.id for job in taken[:3]} == keys
    assert taken[3] is None


def test_a_locked_job_is_passed_over(yard):
    first, second = yard.add("effect"), yard.add("effect")
    with yard.database.setup.begin() as connection:
        connection.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": first})
        assert yard.lease().id == second


def test_what_was_found_a_while_ago_is_not_taken_when_others_took_or_ended_it(yard):
    """A worker looks for jobs first and leases then; much can happen in between."""
    taken, ended, cancelled = (yard.add("effect") for _ in range(3))
    found = queue.candidates(yard.database.pipe, ["effect"])
    yard.change("UPDATE jobs SET status = 'running', leased_until = now() + interval '1 hour' WHERE id = :id", id=taken)
    yard.change("UPDATE jobs SET status = 'completed' WHERE id = :id", id=ended)
    yard.change("UPDATE jobs SET status = 'cancelled' WHERE id = :id", id=cancelled)
    assert len(found) == 3
    assert queue.lease(yard.database.rw, found, {"effect": 60}, "x") is None
    over = [queue.Candidate(one.id, None, is_over=True) for one in found]
    assert queue.end_lost(yard.database.rw, over, "x") == 0


def test_the_job_that_waited_longest_comes_first(yard):
    later, earlier = yard.add("effect"), yard.add("effect")
    yard.change("UPDATE jobs SET scheduled_at = now() - interval '1 hour' WHERE id = :id", id=earlier)
    assert [yard.lease().id, yard.lease().id] == [earlier, later]


def test_jobs_of_kinds_that_a_worker_does_not_know_are_left_to_others(yard):
    yard.add("of_a_newer_version")
    yard.run()
    assert yard.statuses() == {"pending": 1}


def test_a_job_that_is_due_later_is_not_taken(yard):
    yard.add("effect", wait_seconds=60)
    assert yard.lease() is None
    assert 50 < queue.seconds_to_next(yard.database.pipe, ["effect"]) < 61


def attempt_at(yard, job, kinds=None):
    kinds = kinds or catalogue()
    return Attempt(job, kinds.named(job.job_type), yard.engines, Stop(), "a worker of the test", 15)


def test_a_worker_whose_lease_was_taken_over_can_not_commit_its_effect(each_yard):
    """Its heartbeat is silent, as after a long pause of the machine."""
    key = each_yard.add("effect")
    stalled = each_yard.lease()
    each_yard.change("UPDATE jobs SET leased_until = now() - interval '1 second'")
    second = each_yard.lease()
    assert (second.id, second.attempt) == (key, 2)
    assert attempt_at(each_yard, stalled, catalogue(lease_seconds=60)).run() == "lost"
    assert each_yard.effects() == []
    assert each_yard.job(key).status == "running"
    assert attempt_at(each_yard, second).run() == "completed"
    assert each_yard.ask("SELECT attempt FROM effects") == [(2,)]


def test_nothing_is_written_about_a_job_that_is_another_attempts(yard):
    yard.add("effect")
    old = yard.lease()
    yard.change("UPDATE jobs SET leased_until = now() - interval '1 second'")
    yard.lease()
    before = yard.job(old.id)
    writes = {
        "extend": lambda connection: queue.extend(connection, old, 60),
        "complete": lambda connection: queue.complete(connection, old, None),
        "fail": lambda connection: queue.fail(connection, old, "No.", 0),
        "give back": lambda connection: queue.give_back(connection, old),
        "cancel": lambda connection: queue.end_cancelled(connection, old),
    }
    for name, write in writes.items():
        with seeing(yard.database.rw, ()) as connection, pytest.raises(queue.LeaseLostError):
            write(connection)
        assert yard.job(old.id) == before, name


def test_a_job_that_was_given_back_or_run_again_has_a_new_attempt_number(yard):
    """Else a worker of before would hold the number of the one after it."""
    yard.add("effect", max_attempts=1)
    first = yard.lease()
    with seeing(yard.database.rw, ()) as connection:
        queue.give_back(connection, first)
    second = yard.lease()
    with seeing(yard.database.rw, ()) as connection:
        assert queue.fail(connection, second, "No.", 0) == "failed"
        queue.run_again(connection, second.id)
    assert [first.attempt, second.attempt, yard.lease().attempt] == [1, 2, 3]


def test_a_job_whose_worker_is_gone_is_taken_over_until_no_attempt_is_left(yard):
    key = yard.add("effect", max_attempts=2)
    assert yard.lease(worker="first").attempt == 1
    yard.change("UPDATE jobs SET leased_until = now() - interval '1 second'")
    assert yard.lease(worker="second").attempt == 2
    yard.change("UPDATE jobs SET leased_until = now() - interval '1 second'")
    yard.run()
    dead = yard.job(key)
    assert dead.status == "failed"
    assert dead.error_message == "Its worker second ended during attempt 2 of 2."
    assert yard.effects() == []


def test_a_live_unique_key_is_taken_once_per_workspace(yard):
    with yard.database.setup.begin() as connection:
        theirs = workspace(connection).id
    yard.add("effect", unique_key="digest")
    yard.add("effect", unique_key="digest", workspace_id=theirs, workspaces=[theirs])
    with seeing(yard.database.rw, ()) as connection:
        assert queue.enqueue(connection, "effect", unique_key="digest") is None
    yard.run()
    yard.add("effect", unique_key="digest")


def test_a_job_is_added_with_the_transaction_that_wants_it_or_not_at_all(yard):
    with yard.database.rw.connect() as connection:
        queue.enqueue(connection, "effect")
        connection.rollback()
    assert yard.statuses() == {}


def test_a_job_that_asks_for_another_goes_on_under_its_unique_key(yard):
    yard.add("three", unique_key="three")
    yard.run()
    assert [row.result for row in yard.ask("SELECT result FROM jobs ORDER BY created_at")] == [
        {"rows": 1},
        {"rows": 2},
        {"rows": 3},
    ]


def test_a_job_sees_its_own_workspace_and_a_job_of_the_company_none(yard):
    with yard.database.setup.begin() as connection:
        hers, theirs = workspace(connection).id, workspace(connection).id

    def look(connection, _job):
        return {
            "sees": [str(key) for key in connection.scalars(text("SELECT id FROM workspaces WHERE kind <> 'house'"))]
        }

    kinds = Catalogue([JobType("look", "Looks.", InTransaction(look))])
    own = yard.add("look", workspace_id=hers, workspaces=[hers])
    other = yard.add("look", workspace_id=theirs, workspaces=[theirs])
    company = yard.add("look")
    yard.run(kinds=kinds)
    assert yard.job(own).result == {"sees": [str(hers)]}
    assert yard.job(other).result == {"sees": [str(theirs)]}
    assert yard.job(company).result == {"sees": []}


def test_what_the_database_refuses_is_told_without_the_values(yard):
    def violate(connection, _job):
        connection.execute(text("INSERT INTO settings (key, value) VALUES ('ai_service_limits', '{}')"))

    key = yard.add("violate", max_attempts=1)
    yard.run(kinds=Catalogue([JobType("violate", "Fails.", InTransaction(violate))]))
    message = yard.job(key).error_message
    assert message.startswith("UniqueViolation: duplicate key value")
    assert "ai_service_limits" not in message


def test_a_waiting_job_is_cancelled_at_once_and_can_be_run_again(yard):
    key = yard.add("effect")
    with seeing(yard.database.rw, ()) as connection:
        assert queue.cancel(connection, key) == "cancelled"
    yard.run()
    assert (yard.job(key).status, yard.effects()) == ("cancelled", [])
    with seeing(yard.database.rw, ()) as connection:
        queue.run_again(connection, key)
    yard.run()
    assert (yard.job(key).status, yard.effects()) == ("completed", [key])


def test_a_job_beside_which_one_of_its_kind_lives_is_not_run_again_and_it_says_why(yard):
    key = yard.add("effect", unique_key="effect")
    with seeing(yard.database.rw, ()) as connection:
        queue.cancel(connection, key)
    yard.add("effect", unique_key="effect")
    with (
        pytest.raises(SightlineError, match="One of its kind waits or runs already") as refused,
        seeing(yard.database.rw, ()) as connection,
    ):
        queue.run_again(connection, key)
    assert refused.value.why
    assert refused.value.fix
    assert yard.job(key).status == "cancelled"


def test_the_effect_of_a_job_that_was_cancelled_while_it_ran_goes_back(yard):
    key = yard.add("effect")
    job = yard.lease()
    with seeing(yard.database.rw, ()) as connection:
        assert queue.cancel(connection, key) == "running"
    assert attempt_at(yard, job).run() == "cancelled"
    assert (yard.job(key).status, yard.effects()) == ("cancelled", [])


def test_a_job_whose_worker_is_gone_and_that_was_to_be_cancelled_is_cancelled(yard):
    key = yard.add("effect")
    yard.lease()
    with seeing(yard.database.rw, ()) as connection:
        queue.cancel(connection, key)
    yard.change("UPDATE jobs SET leased_until = now() - interval '1 second'")
    yard.run()
    assert yard.job(key).status == "cancelled"


def test_a_running_job_keeps_its_lease_while_its_worker_lives(yard):
    """It takes four times as long as its lease, and another worker waits for it."""
    key = yard.add("effect", payload={"seconds": 4})
    with working(yard, workers=2, kinds=catalogue(lease_seconds=1)):
        yard.until("SELECT status = 'completed' FROM jobs")
    assert yard.job(key).attempts == 1
    assert yard.ask("SELECT attempt FROM effects WHERE job_id = :key", key=key) == [(1,)]


def test_a_query_that_can_not_be_committed_any_more_is_broken_off(yard):
    """Another worker has the job; waiting for the minute to pass would only hold its locks."""
    yard.add("effect", payload={"seconds": 60})
    job = yard.lease()
    yard.change("UPDATE jobs SET attempts = 7")
    began = time.monotonic()
    assert attempt_at(yard, job).run() == "lost"
    assert time.monotonic() - began < 5


def test_an_unknown_kind_is_told_with_what_may_have_been_meant():
    with pytest.raises(UnknownJobTypeError) as caught:
        catalogue().named("efect")
    assert caught.value.fix == "Did you mean 'effect'?"


def test_the_app_can_not_lease_what_it_may_not_see(yard):
    """The workspaces of a transaction bind the worker as well."""
    with yard.database.setup.begin() as connection:
        theirs = workspace(connection).id
    key = yard.add("effect", workspace_id=theirs, workspaces=[theirs])
    hidden = [queue.Candidate(key, None, is_over=False)]
    assert queue.lease(yard.database.rw, hidden, catalogue().lease_seconds, "x") is None
    with seeing(yard.database.rw, ()) as connection, pytest.raises(DBAPIError):
        queue.enqueue(connection, "effect", workspace_id=theirs)
