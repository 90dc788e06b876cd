"""The first jobs: months ahead, what is old forgotten, counters checked, and the refresh of the lake."""

from collections.abc import Callable
from datetime import time
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, select, text

from app.jobs.catalogue import Again, Fields, Handle, InTransaction, Job, JobType, Outcome, Outside
from app.jobs.counters import counters_of_sample
from app.jobs.schedules import Daily, Schedule
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import Job as JobRow
from db.tables.system import RetentionPolicy

# So many rows in one transaction: none is long, and whoever waits for a lock does not wait long.
AT_ONCE = 50_000
JOBS_AT_ONCE = 1_000
SAMPLED_CAMPAIGNS = 20
_TOLD = 10


class CountersDifferError(SightlineError):
    """A counter of a campaign is not what a recount of its facts says."""


def upkeep(zone: str) -> tuple[JobType, ...]:
    """The jobs that every installation needs, at night in its zone."""
    return (
        JobType(
            "make_months",
            "Makes the monthly partitions of the months ahead.",
            InTransaction(_make_months),
            Daily(time(2, 30), zone),
        ),
        JobType(
            "forget_event_keys",
            "Deletes fingerprints of e-mail events that are older than the retention policy says.",
            InTransaction(_forgetting("forget_event_keys")),
            Daily(time(3, 0), zone),
            lease_seconds=300,
        ),
        JobType(
            "forget_tombstones",
            "Deletes traces of deleted facts after 30 days; the lake has read them long before.",
            InTransaction(_forgetting("forget_tombstones")),
            Daily(time(3, 15), zone),
            lease_seconds=300,
        ),
        JobType(
            "forget_budget_traces",
            "Deletes holds of calls that are long over, and evaluations of budgets after 400 days.",
            InTransaction(_forgetting("forget_budget_traces")),
            Daily(time(3, 20), zone),
            lease_seconds=300,
        ),
        JobType(
            "forget_done_jobs",
            "Deletes completed and cancelled jobs that are older than the retention policy says; failed ones stay.",
            Outside(_forget_done_jobs),
            Daily(time(3, 30), zone),
        ),
        JobType(
            "check_counters",
            "Compares the counters of campaigns that changed lately with a recount, and fails when they differ.",
            Outside(_check_counters),
            Daily(time(4, 0), zone),
            max_attempts=1,
            lease_seconds=300,
        ),
    )


def refresh_lake(refresh: Callable[[Handle], Fields], schedule: Schedule | None = None) -> JobType:
    """The refresh as a job. It may be killed at any point and run again: the lake takes each change once."""
    return JobType(
        "refresh_lake",
        "Brings what changed in the database into the lake and its rollups.",
        Outside(refresh),
        schedule,
        lease_seconds=120,
    )


def _make_months(connection: Connection, _job: Job) -> Outcome:
    return {"partitions_made": connection.scalar(text("SELECT make_partitions()"))}


def _forgetting(function: str) -> Callable[[Connection, Job], Outcome]:
    """A job that deletes a batch, and asks for another one of its kind while batches are full."""
    call = text(f"SELECT {function}(:at_most)")

    def forget(connection: Connection, job: Job) -> Outcome:
        at_most = int(job.payload.get("at_once", AT_ONCE))
        forgotten = connection.execute(call, {"at_most": at_most}).scalar_one()
        result = {"forgotten": forgotten}
        return Again(result) if forgotten == at_most else result

    return forget


def _forget_done_jobs(handle: Handle) -> Outcome:
    """Found by the role that sees all workspaces, deleted by the role that may, each batch in its own transaction."""
    forgotten = 0
    while old := _old_jobs(handle):
        handle.go_on()
        workspaces = {row.workspace_id for row in old if row.workspace_id is not None}
        with seeing(handle.engines.rw, workspaces, actor=f"the job {handle.job.job_type}") as connection:
            deleted = connection.execute(delete(JobRow).where(JobRow.id.in_([row.id for row in old]))).rowcount
        forgotten += deleted
        if not deleted:
            break  # another worker is at it
    return {"forgotten": forgotten}


def _old_jobs(handle: Handle) -> list[Row[tuple[UUID, UUID | None]]]:
    kept_days = (
        select(RetentionPolicy.keep_days)
        .where(RetentionPolicy.subject == "completed_jobs", RetentionPolicy.audience == "all")
        .where(RetentionPolicy.is_active)
        .scalar_subquery()
    )
    old = (
        select(JobRow.id, JobRow.workspace_id)
        .where(JobRow.status.in_(("completed", "cancelled")))
        # Without a policy there are no days, and nothing is older than that.
        .where(JobRow.completed_at < func.now() - func.make_interval(0, 0, 0, kept_days))
        .limit(JOBS_AT_ONCE)
    )
    with handle.engines.pipe.connect() as connection:
        return list(connection.execute(old))


def _check_counters(handle: Handle) -> Outcome:
    with handle.engines.pipe.connect() as connection:
        compared, wrong = counters_of_sample(connection, SAMPLED_CAMPAIGNS)
    if wrong:
        raise CountersDifferError(
            f"Counters differ from a recount: {len(wrong)} among those of {compared} campaigns.",
            why=" ".join(wrong[:_TOLD]),
            fix="Nothing was changed. Look for writes that passed by the triggers before the counters are set right.",
        )
    return {"campaigns_compared": compared}
