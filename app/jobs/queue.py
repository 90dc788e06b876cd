"""The queue in the table of jobs: leasing and finishing; what people do with jobs is in `app/commands/jobs.py`.

Who looks for work must see the jobs of all workspaces. The role of the pull does, and only reads; with what it found,
a worker leases as the app's own role in a transaction that names the workspaces of those jobs and no others. So no
function runs with the owner's rights here, and a job's own transactions see the one workspace that the job is for.

The number of attempts is the fencing token: whatever is written about a running job names it, and it never goes back.
Giving a job back or running it again raises the limit of attempts instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, case, func, null, select, text, update

from app.commands.job_rows import LIVE, UnknownJobError, cancel, enqueue, found, run_again
from app.jobs.catalogue import Fields, Job
from app.redaction import without_secrets
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import Job as JobRow

__all__ = [
    "CHANNEL",
    "LIVE",
    "Candidate",
    "LeaseLostError",
    "UnknownJobError",
    "cancel",
    "candidates",
    "complete",
    "end_cancelled",
    "end_lost",
    "enqueue",
    "extend",
    "fail",
    "found",
    "give_back",
    "lease",
    "listed",
    "run_again",
    "seconds_to_next",
]

CHANNEL = "sightline_jobs"
_LONGEST_MESSAGE = 2000
_LOOKED_AT = 20


class LeaseLostError(SightlineError):
    """The job is no longer this attempt's: another worker has it, or somebody ended it."""


@dataclass(frozen=True)
class Candidate:
    """A job that may be leased, or one whose worker is gone and that must not be tried again."""

    id: UUID
    workspace_id: UUID | None
    is_over: bool


_CANDIDATES = text("""
    (
        SELECT id, workspace_id, false AS is_over
        FROM jobs
        WHERE status IN ('pending', 'retrying') AND scheduled_at <= now() AND job_type = ANY (:types)
        ORDER BY scheduled_at
        LIMIT :at_most
    )
    UNION ALL
    (
        SELECT id, workspace_id, attempts >= max_attempts OR cancel_requested_at IS NOT NULL
        FROM jobs
        WHERE status = 'running' AND leased_until < now() AND job_type = ANY (:types)
        ORDER BY leased_until
        LIMIT :at_most
    )
""")


def candidates(pipe: Engine, types: Sequence[str]) -> list[Candidate]:
    """What could be leased now, of all workspaces; the first few, because others look as well."""
    with pipe.connect() as connection:
        rows = connection.execute(_CANDIDATES, {"types": list(types), "at_most": _LOOKED_AT}).all()
    return [Candidate(row.id, row.workspace_id, row.is_over) for row in rows]


_NEXT = text("""
    SELECT EXTRACT(EPOCH FROM LEAST(
        (
            SELECT scheduled_at
            FROM jobs
            WHERE status IN ('pending', 'retrying') AND job_type = ANY (:types)
            ORDER BY scheduled_at
            LIMIT 1
        ),
        (
            SELECT leased_until
            FROM jobs
            WHERE status = 'running' AND job_type = ANY (:types)
            ORDER BY leased_until
            LIMIT 1
        )
    ) - now())
""")


def seconds_to_next(pipe: Engine, types: Sequence[str]) -> float | None:
    """How long until a waiting job is due or a lease ends; None when there is neither."""
    with pipe.connect() as connection:
        seconds = connection.scalar(_NEXT, {"types": list(types)})
    return None if seconds is None else float(seconds)


_LEASE = text("""
    UPDATE jobs
    SET
        status = 'running',
        attempts = attempts + 1,
        started_at = now(),
        leased_until = now() + make_interval(
            secs => CAST(CAST(:lease_seconds AS jsonb) ->> job_type AS double precision)
        ),
        worker = :worker
    WHERE id = (
        SELECT id
        FROM jobs
        WHERE id = ANY (:ids) AND cancel_requested_at IS NULL AND (
            status IN ('pending', 'retrying') AND scheduled_at <= now()
            OR status = 'running' AND leased_until < now() AND attempts < max_attempts
        )
        ORDER BY scheduled_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING
        id, job_type, workspace_id, user_id, campaign_id, unique_key, payload, attempts AS attempt, max_attempts
""").columns(payload=JobRow.__table__.c.payload.type)


def lease(rw: Engine, found: Sequence[Candidate], lease_seconds: Mapping[str, float], worker: str) -> Job | None:
    """Take one of these jobs for a while; None when others were faster with all of them."""
    given = {"ids": [one.id for one in found], "lease_seconds": _as_json(lease_seconds), "worker": worker}
    with seeing(rw, _workspaces(found), actor=worker) as connection:
        taken = connection.execute(_LEASE, given).mappings().one_or_none()
    return None if taken is None else Job(**taken)


_END_LOST = text("""
    UPDATE jobs
    SET
        status = CASE WHEN cancel_requested_at IS NULL THEN 'failed' ELSE 'cancelled' END,
        completed_at = now(),
        leased_until = NULL,
        error_message = concat_ws(
            ' ', format('Its worker %s ended during attempt %s of %s.', worker, attempts, max_attempts), error_message
        )
    WHERE id IN (
        SELECT id
        FROM jobs
        WHERE id = ANY (:ids) AND status = 'running' AND leased_until < now()
            AND (attempts >= max_attempts OR cancel_requested_at IS NOT NULL)
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
""")


def end_lost(rw: Engine, found: Sequence[Candidate], worker: str) -> int:
    """Give up on jobs whose worker is gone and that have no attempt left, or that were to be cancelled."""
    with seeing(rw, _workspaces(found), actor=worker) as connection:
        return len(connection.execute(_END_LOST, {"ids": [one.id for one in found]}).all())


def extend(connection: Connection, job: Job, lease_seconds: float) -> bool:
    """Hold the job for longer; true when somebody asked to cancel it."""
    until = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, lease_seconds)
    return _write(connection, job, {"leased_until": until})["cancel_requested_at"] is not None


def complete(connection: Connection, job: Job, result: Fields | None) -> bool:
    """Note that the job is done; true when somebody asked to cancel it in the meantime."""
    written = {"status": "completed", "completed_at": func.now(), "result": null() if result is None else result}
    return _write(connection, job, {**written, "error_message": None})["cancel_requested_at"] is not None


def fail(connection: Connection, job: Job, message: str, wait_seconds: float) -> str:
    """Note why the attempt failed, and what becomes of the job: it is tried again, kept as failed, or cancelled."""
    has_more = JobRow.attempts < JobRow.max_attempts
    is_cancelled = JobRow.cancel_requested_at.is_not(None)
    status = case((is_cancelled, "cancelled"), (has_more, "retrying"), else_="failed")
    later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, wait_seconds)
    written = {
        "status": status,
        "scheduled_at": case((has_more, later), else_=JobRow.scheduled_at),
        "completed_at": case((has_more & ~is_cancelled, null()), else_=func.now()),
        "error_message": without_secrets(message)[:_LONGEST_MESSAGE],
    }
    return str(_write(connection, job, written)["status"])


def give_back(connection: Connection, job: Job) -> None:
    """Let another worker have the job at once; this attempt counts as none."""
    written = {
        "status": case((JobRow.cancel_requested_at.is_(None), "pending"), else_="cancelled"),
        "completed_at": case((JobRow.cancel_requested_at.is_(None), null()), else_=func.now()),
        "max_attempts": JobRow.max_attempts + 1,
    }
    _write(connection, job, written)


def end_cancelled(connection: Connection, job: Job) -> None:
    """Note that the job stopped because somebody asked for it."""
    _write(connection, job, {"status": "cancelled", "completed_at": func.now()})


def listed(connection: Connection, *, status: str | None = None, at_most: int = 50) -> Sequence[RowMapping]:
    """The newest jobs that this transaction sees."""
    wanted = select(JobRow.__table__).order_by(JobRow.created_at.desc()).limit(at_most)
    if status is not None:
        wanted = wanted.where(JobRow.status == status)
    return connection.execute(wanted).mappings().all()


def _write(connection: Connection, job: Job, values: Mapping[str, Any]) -> RowMapping:
    """Change the row of a running job, if it still is this attempt's; without a new lease, the lease ends."""
    written = connection.execute(
        update(JobRow)
        .where(JobRow.id == job.id, JobRow.attempts == job.attempt, JobRow.status == "running")
        .values({"leased_until": None, **values})
        .returning(JobRow.cancel_requested_at, JobRow.status)
    )
    row = written.mappings().one_or_none()
    if row is None:
        raise LeaseLostError(
            f"The job {job.id} is no longer this worker's.",
            why=f"Attempt {job.attempt} gave no sign of life for too long, and another one took its place.",
        )
    return row


def _workspaces(found: Sequence[Candidate]) -> set[UUID]:
    return {one.workspace_id for one in found if one.workspace_id is not None}


def _as_json(numbers: Mapping[str, float]) -> str:
    return "{" + ", ".join(f'"{name}": {number}' for name, number in numbers.items()) + "}"
