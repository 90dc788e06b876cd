"""What a schedule asks for becomes a job once: with many workers, after a pause, and while an earlier one runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time

import pytest

from app.jobs import planner
from app.jobs.catalogue import Catalogue, InTransaction, JobType
from app.jobs.planner import plan
from app.jobs.schedules import Daily, Every
from db.engine import seeing
from tests.jobs.kinds import leave_effect, working


def kinds(schedule):
    return Catalogue([JobType("effect", "Leaves.", InTransaction(leave_effect), schedule)])


HOURLY = kinds(Every(3600))


def back(yard, spell):
    """As if the last occurrence had been so long ago."""
    yard.change(f"UPDATE job_schedules SET occurred_at = occurred_at - interval '{spell}'")


def jobs_added(yard):
    return yard.ask("SELECT count(*) FROM jobs")[0][0]


def test_a_kind_that_is_new_has_missed_nothing(yard):
    assert plan(yard.database.rw, HOURLY, "x") <= 60
    assert jobs_added(yard) == 0


def test_an_occurrence_becomes_a_job_once_however_often_it_is_asked(yard):
    plan(yard.database.rw, HOURLY, "x")
    back(yard, "1 hour")
    for _ in range(3):
        plan(yard.database.rw, HOURLY, "x")
        yard.run(kinds=HOURLY)
    assert jobs_added(yard) == 1


def test_an_occurrence_becomes_a_job_once_with_eight_workers_at_once(yard):
    """In each of ten rounds."""
    plan(yard.database.rw, HOURLY, "x")
    with ThreadPoolExecutor(8) as pool:
        for done in range(1, 11):
            back(yard, "1 hour")
            list(pool.map(lambda number: plan(yard.database.rw, HOURLY, str(number)), range(8)))
            assert jobs_added(yard) == done
            yard.run(kinds=HOURLY)


def test_a_worker_that_looked_long_ago_makes_no_second_job(yard):
    """It read the notes before another one noted the occurrence and ran its job to the end."""
    plan(yard.database.rw, HOURLY, "x")
    back(yard, "1 hour")
    latest = Every(3600).latest(datetime.now(UTC))
    for is_first in (True, False):
        with seeing(yard.database.rw, ()) as connection:
            assert planner._occur(connection, HOURLY.named("effect"), latest) is is_first
        yard.run(kinds=kinds(None))
    assert jobs_added(yard) == 1


def test_occurrences_that_were_missed_are_caught_up_once(yard):
    plan(yard.database.rw, HOURLY, "x")
    back(yard, "30 days")
    plan(yard.database.rw, HOURLY, "x")
    yard.run(kinds=HOURLY)
    plan(yard.database.rw, HOURLY, "x")
    assert jobs_added(yard) == 1


def test_an_occurrence_waits_for_the_one_before_to_end(yard):
    plan(yard.database.rw, HOURLY, "x")
    yard.add("effect", unique_key="effect", wait_seconds=0)
    held = yard.lease(HOURLY)
    back(yard, "1 hour")
    assert plan(yard.database.rw, HOURLY, "x") == 5
    assert jobs_added(yard) == 1
    yard.change("UPDATE jobs SET status = 'completed' WHERE id = :id", id=held.id)
    plan(yard.database.rw, HOURLY, "x")
    assert jobs_added(yard) == 2


def test_the_note_outlives_the_jobs(yard):
    plan(yard.database.rw, HOURLY, "x")
    back(yard, "1 hour")
    plan(yard.database.rw, HOURLY, "x")
    yard.change("TRUNCATE jobs")
    plan(yard.database.rw, HOURLY, "x")
    assert jobs_added(yard) == 0


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Pacific/Auckland"])
def test_a_daily_job_is_noted_at_its_time_in_its_zone(yard, zone):
    plan(yard.database.rw, kinds(Daily(time(2, 30), zone)), "x")
    noted = yard.ask(f"SELECT CAST(occurred_at AT TIME ZONE '{zone}' AS time) FROM job_schedules")
    assert noted == [(time(2, 30),)]


def test_a_worker_runs_what_its_schedules_ask_for(yard):
    """Every second: in three seconds at least twice, and no second twice."""
    every_second = kinds(Every(1))
    with working(yard, kinds=every_second):
        yard.until("SELECT count(*) >= 3 FROM effects", seconds=20)
    seconds = yard.ask("SELECT date_trunc('second', created_at) FROM jobs")
    assert len(set(seconds)) == len(seconds)
