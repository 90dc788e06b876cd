"""The rows of jobs: added with the transaction that wants them, cancelled, put forward and run again."""

from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, RowMapping, Update, case, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from db.errors import SightlineError
from db.tables.system import Job as JobRow

Fields = dict[str, Any]
LIVE = ("pending", "running", "retrying")
WAITING = ("pending", "retrying")
ENDED = ("failed", "cancelled")


class UnknownJobError(SightlineError):
    """No job has this key, or it is in another workspace."""


def enqueue(
    connection: Connection,
    job_type: str,
    *,
    workspace_id: UUID | None = None,
    user_id: UUID | None = None,
    campaign_id: UUID | None = None,
    payload: Fields | None = None,
    unique_key: str | None = None,
    wait_seconds: float = 0,
    max_attempts: int = 5,
) -> UUID | None:
    """Add a job with the transaction that wants it; None when one of its unique key is live already."""
    given = {"workspace_id": workspace_id, "user_id": user_id, "campaign_id": campaign_id, "unique_key": unique_key}
    added = (
        insert(JobRow)
        .values(
            job_type=job_type,
            payload=payload or {},
            max_attempts=max_attempts,
            scheduled_at=func.now() + func.make_interval(0, 0, 0, 0, 0, 0, wait_seconds),
            **given,
        )
        .on_conflict_do_nothing(
            index_elements=["workspace_id", "unique_key"],
            index_where=text("unique_key IS NOT NULL AND status IN ('pending', 'running', 'retrying')"),
        )
        .returning(JobRow.id)
    )
    return connection.scalar(added)


def cancel(connection: Connection, key: UUID) -> str:
    """Cancel a waiting job at once, and ask a running one to stop; its status then."""
    waits = JobRow.status.in_(WAITING)
    change = (
        update(JobRow)
        .where(JobRow.id == key, JobRow.status.in_(LIVE))
        .values(
            status=case((waits, "cancelled"), else_=JobRow.status),
            completed_at=case((waits, func.now()), else_=null()),
            cancel_requested_at=func.coalesce(JobRow.cancel_requested_at, func.now()),
        )
    )
    return _change(connection, key, change, "cancelled", "Only jobs that wait or run can be cancelled.")


def run_again(connection: Connection, key: UUID, more_attempts: int = 5) -> str:
    """Let a job that failed or was cancelled be tried from now on, as often as a new one."""
    change = (
        update(JobRow)
        .where(JobRow.id == key, JobRow.status.in_(ENDED))
        .values(
            status="pending",
            max_attempts=JobRow.attempts + more_attempts,
            scheduled_at=func.now(),
            completed_at=None,
            cancel_requested_at=None,
        )
    )
    return _beside_none(
        connection, key, change, "run again", "Only jobs that failed or were cancelled can be run again."
    )


def put_forward(connection: Connection, key: UUID) -> str:
    """Let a job that waits for its time begin now."""
    change = (
        update(JobRow)
        .where(JobRow.id == key, JobRow.status.in_(WAITING), JobRow.scheduled_at > func.now())
        .values(scheduled_at=func.now())
    )
    return _change(connection, key, change, "put forward", "Only jobs that wait for a later time can begin now.")


def keep(connection: Connection, key: UUID) -> str:
    """Take a cancellation back: what was asked to stop goes on, what was cancelled waits again for its old time."""
    waits = case((JobRow.attempts == 0, "pending"), else_="retrying")
    change = (
        update(JobRow)
        .where(JobRow.id == key, JobRow.cancel_requested_at.is_not(None), JobRow.status.in_(("running", "cancelled")))
        .values(
            status=case((JobRow.status == "running", "running"), else_=waits),
            max_attempts=case(
                (JobRow.status == "running", JobRow.max_attempts),
                else_=func.greatest(JobRow.max_attempts, JobRow.attempts + 1),
            ),
            completed_at=None,
            cancel_requested_at=None,
        )
    )
    return _beside_none(
        connection, key, change, "kept", "Only jobs that were cancelled, or asked to stop, can be kept."
    )


def found(connection: Connection, key: UUID) -> RowMapping:
    """One job with everything that is known of it."""
    row = connection.execute(select(JobRow.__table__).where(JobRow.id == key)).mappings().one_or_none()
    if row is None:
        raise UnknownJobError(
            f"No job has the key {key}.",
            why="Jobs that are done are kept for as long as the retention policy says.",
            fix="`sightline jobs list` shows those that there are.",
        )
    return row


def _beside_none(connection: Connection, key: UUID, change: Update, word: str, rule: str) -> str:
    """Back among those that live, where none of its unique key may be already."""
    try:
        return _change(connection, key, change, word, rule)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        raise SightlineError(
            "One of its kind waits or runs already.",
            why="Jobs with the same unique key follow each other and never stand beside each other.",
            fix="Let that one end, or cancel it: `sightline jobs list` shows it.",
        ) from None


def _change(connection: Connection, key: UUID, change: Update, word: str, rule: str) -> str:
    status = connection.scalar(change.returning(JobRow.status))
    if status is None:
        raise SightlineError(f"The job can't be {word}: it is {found(connection, key)['status']}.", why=rule)
    return str(status)
