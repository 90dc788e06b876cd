"""Makes jobs of schedules: each occurrence once, however many workers run, and missed ones together once."""

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.jobs.catalogue import Catalogue, JobType
from app.jobs.queue import LIVE, enqueue
from app.jobs.schedules import Schedule
from db.engine import seeing
from db.tables.system import Job, JobSchedule, JobWorker

# Occurrences wait for the one before to end; then they come soon.
_LOOK_AGAIN_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
# Whoever was killed took no leave.
_FORGOTTEN_SECONDS = 86_400


def plan(rw: Engine, catalogue: Catalogue, worker: str) -> float:
    """Enqueue what has become due, by the clock of the database, and say in how many seconds to come again."""
    with seeing(rw, (), actor=worker) as connection:
        _give_sign_of_life(connection, worker)
        now = connection.execute(select(func.now())).scalar_one()
        rows = connection.execute(select(JobSchedule.job_type, JobSchedule.occurred_at))
        notes = {row.job_type: row.occurred_at for row in rows}
        waits = [
            _wait_after(connection, one, one.schedule, notes.get(one.name), now)
            for one in catalogue
            if one.schedule is not None
        ]
    return min(waits, default=_LONGEST_SECONDS)


def take_leave(rw: Engine, worker: str) -> None:
    """A worker that ends in order is not missed."""
    with seeing(rw, (), actor=worker) as connection:
        connection.execute(delete(JobWorker).where(JobWorker.name == worker))


def _give_sign_of_life(connection: Connection, worker: str) -> None:
    lives = insert(JobWorker).values(name=worker)
    connection.execute(lives.on_conflict_do_update(index_elements=[JobWorker.name], set_={"seen_at": func.now()}))
    long_ago = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, _FORGOTTEN_SECONDS)
    gone = select(JobWorker.name).where(JobWorker.seen_at < long_ago).with_for_update(skip_locked=True)
    connection.execute(delete(JobWorker).where(JobWorker.name.in_(gone)))


def _wait_after(
    connection: Connection, job_type: JobType, schedule: Schedule, noted: datetime | None, now: datetime
) -> float:
    latest = schedule.latest(now)
    if noted is None:
        # A kind that is new here has missed nothing.
        _note_first(connection, job_type.name, latest)
    elif noted < latest and not _occur(connection, job_type, latest):
        return _LOOK_AGAIN_SECONDS
    return min(_LONGEST_SECONDS, (schedule.following(now) - now).total_seconds())


def _note_first(connection: Connection, name: str, latest: datetime) -> None:
    connection.execute(insert(JobSchedule).values(job_type=name, occurred_at=latest).on_conflict_do_nothing())


def _occur(connection: Connection, job_type: JobType, latest: datetime) -> bool:
    """Note the occurrence and add its job; false while the job of an earlier one is live.

    The note's row is locked by the first worker that comes, and to the others the occurrence is then noted already.
    """
    is_live = (
        select(Job.id).where(Job.workspace_id.is_(None), Job.unique_key == job_type.name, Job.status.in_(LIVE)).exists()
    )
    noted = connection.execute(
        update(JobSchedule)
        .where(JobSchedule.job_type == job_type.name, JobSchedule.occurred_at < latest, not_(is_live))
        .values(occurred_at=latest)
        .returning(JobSchedule.job_type)
    )
    if noted.one_or_none() is None:
        return False
    enqueue(connection, job_type.name, unique_key=job_type.name, max_attempts=job_type.max_attempts)
    return True
