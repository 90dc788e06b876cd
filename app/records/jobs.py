"""Jobs: those of a status, how many there are of each kind, how they went by the hour, their schedules and workers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine

from app.access import Permission, Viewer
from app.records.alerts import OF_THE_COMPANY
from app.records.reading import Page, Place, page_of, rows, some
from app.redaction import without_secrets
from db.engine import seeing

# A worker says that it lives every minute.
LIVES_SECONDS = 180
DAYS_COUNTED = 7
HOURS_TOLD = 48


@dataclass(frozen=True)
class JobRecord:
    """A job with everything that is known of it. What it says, and was given, is without what looks like a secret."""

    id: UUID
    created_at: datetime
    job_type: str
    workspace: str | None
    status: str
    attempts: int
    max_attempts: int
    scheduled_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    seconds: float | None
    leased_until: datetime | None
    worker: str | None
    cancel_requested_at: datetime | None
    error: str | None
    result: str | None
    payload: str | None


@dataclass(frozen=True)
class JobCount:
    """How many jobs of a kind are in a status; of those that are done, the ones of the last days."""

    job_type: str
    status: str
    jobs: int
    oldest: datetime


@dataclass(frozen=True)
class JobHour:
    """How jobs went that ended in an hour."""

    hour: datetime
    completed: int
    failed: int
    cancelled: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True)
class ScheduleNote:
    """The last occurrence of a schedule that became a job."""

    job_type: str
    occurred_at: datetime


@dataclass(frozen=True)
class WorkerRecord:
    """A worker, when it last gave a sign of life, and what it runs."""

    name: str
    since: datetime | None
    seen_at: datetime
    lives: bool
    runs: str | None


Shown = TypeVar("Shown")

# Jobs of the company are for who sees every workspace: their results tell of all of them.
_SEEN = f"(j.workspace_id = ANY (:workspaces) OR j.workspace_id IS NULL AND {OF_THE_COMPANY})"
_SHOWN = """j.id, j.created_at, j.job_type, w.name AS workspace, j.status, j.attempts, j.max_attempts, j.scheduled_at,
        j.started_at, j.completed_at, j.leased_until, j.worker, j.cancel_requested_at, j.error_message AS error,
        j.result, j.payload,
        CAST(EXTRACT(EPOCH FROM j.completed_at - j.started_at) AS DOUBLE PRECISION) AS seconds"""
_JOBS = f"""
    SELECT {_SHOWN}
    FROM jobs AS j
    LEFT JOIN workspaces AS w ON w.id = j.workspace_id
    WHERE {_SEEN}
        AND (CAST(:statuses AS TEXT[]) IS NULL OR j.status = ANY (:statuses))
        AND (CAST(:kind AS TEXT) IS NULL OR j.job_type = :kind)
        AND (CAST(:slugs AS TEXT[]) IS NULL OR w.slug = ANY (:slugs))
        AND (CAST(:after_at AS TIMESTAMPTZ) IS NULL OR (j.created_at, j.id) < (:after_at, CAST(:after_key AS UUID)))
    ORDER BY j.created_at DESC, j.id DESC
    LIMIT :most
    """  # noqa: S608 - our own text
_JOB = f"""
    SELECT {_SHOWN}
    FROM jobs AS j
    LEFT JOIN workspaces AS w ON w.id = j.workspace_id
    WHERE {_SEEN} AND j.id = :key
    """  # noqa: S608
_COUNTS = f"""
    SELECT j.job_type, j.status, COUNT(*) AS jobs, MIN(j.created_at) AS oldest
    FROM jobs AS j
    WHERE {_SEEN}
        AND (j.status NOT IN ('completed', 'cancelled') OR j.created_at > now() - make_interval(days => :days))
    GROUP BY j.job_type, j.status
    ORDER BY j.job_type, j.status
    """  # noqa: S608
# A job may wait for days before it runs, and is found by when it was made.
_HOURS = f"""
    SELECT date_trunc('hour', j.completed_at, 'UTC') AS hour,
        COUNT(*) FILTER (WHERE j.status = 'completed') AS completed,
        COUNT(*) FILTER (WHERE j.status = 'failed') AS failed,
        COUNT(*) FILTER (WHERE j.status = 'cancelled') AS cancelled,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM j.completed_at - j.started_at))
            FILTER (WHERE j.status = 'completed') AS median_seconds,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM j.completed_at - j.started_at))
            FILTER (WHERE j.status = 'completed') AS p95_seconds
    FROM jobs AS j
    WHERE {_SEEN} AND j.status IN ('completed', 'failed', 'cancelled')
        AND j.created_at > now() - make_interval(days => :days + 7)
        AND j.completed_at >= date_trunc('hour', now(), 'UTC') - make_interval(hours => :hours - 1)
        AND (CAST(:kind AS TEXT) IS NULL OR j.job_type = :kind)
    GROUP BY 1
    ORDER BY 1
    """  # noqa: S608
_NOTES = f"SELECT s.job_type, s.occurred_at FROM job_schedules AS s WHERE {OF_THE_COMPANY} ORDER BY 1"  # noqa: S608
# A worker that is busy for long says so through its job.
_WORKERS = f"""
    SELECT COALESCE(k.name, j.worker) AS name, k.created_at AS since,
        GREATEST(k.seen_at, MAX(j.started_at)) AS seen_at,
        COALESCE(k.seen_at > now() - make_interval(secs => :lives), false)
            OR COALESCE(bool_or(j.leased_until > now()), false) AS lives,
        string_agg(j.job_type, ', ' ORDER BY j.job_type) AS runs
    FROM job_workers AS k
    FULL JOIN (SELECT * FROM jobs WHERE status = 'running') AS j ON j.worker = k.name
    WHERE COALESCE(k.name, j.worker) IS NOT NULL AND {OF_THE_COMPANY}
    GROUP BY 1, k.created_at, k.seen_at
    ORDER BY lives DESC, seen_at DESC, name
    """  # noqa: S608


def jobs(
    engine: Engine,
    viewer: Viewer,
    *,
    statuses: Sequence[str] = (),
    kind: str | None = None,
    slugs: Sequence[str] = (),
    after: Place | None = None,
    limit: int = 50,
) -> Page[JobRecord]:
    """The newest first; of some statuses, of a kind, or of workspaces."""
    viewer.require(Permission.JOBS_READ)
    only = {"statuses": list(statuses) or None, "kind": kind, "slugs": list(slugs) or None, "most": some(limit) + 1}
    place = {"after_at": after and after.at, "after_key": after and after.key}
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _JOBS, **_who(viewer), **only, **place)
    return page_of(found, some(limit), lambda row: Place(row["created_at"], row["id"]), _record)


def job(engine: Engine, viewer: Viewer, key: UUID) -> JobRecord | None:
    """One job, if the viewer may see it."""
    viewer.require(Permission.JOBS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, _JOB, **_who(viewer), key=key)
    return _record(**found[0]) if found else None


def job_counts(engine: Engine, viewer: Viewer) -> tuple[JobCount, ...]:
    """All that wait, run or failed, and those that were done in the last days."""
    return _few(engine, viewer, _COUNTS, JobCount, days=DAYS_COUNTED, **_who(viewer))


def job_hours(engine: Engine, viewer: Viewer, kind: str | None = None) -> tuple[JobHour, ...]:
    """The last two days up to this hour; hours in which no job ended are left out."""
    asked = {"hours": HOURS_TOLD, "days": HOURS_TOLD // 24 + 1, "kind": kind}
    return _few(engine, viewer, _HOURS, JobHour, **asked, **_who(viewer))


def schedule_notes(engine: Engine, viewer: Viewer) -> tuple[ScheduleNote, ...]:
    """When each schedule last made a job; for who sees every workspace."""
    return _few(engine, viewer, _NOTES, ScheduleNote, member=viewer.member_id)


def workers(engine: Engine, viewer: Viewer) -> tuple[WorkerRecord, ...]:
    """Those that live first; one that was killed is listed for a day. For who sees every workspace."""
    return _few(engine, viewer, _WORKERS, WorkerRecord, member=viewer.member_id, lives=LIVES_SECONDS)


def _few(engine: Engine, viewer: Viewer, question: str, make: type[Shown], **asked: Any) -> tuple[Shown, ...]:  # noqa: ANN401 - what drivers take
    viewer.require(Permission.JOBS_READ)
    with seeing(engine, viewer.workspaces) as connection:
        found = rows(connection, question, **asked)
    return tuple(make(**row) for row in found)


def _who(viewer: Viewer) -> dict[str, Any]:
    return {"workspaces": sorted(viewer.workspaces), "member": viewer.member_id}


def _record(**row: Any) -> JobRecord:  # noqa: ANN401 - columns of any type
    error, result, payload = row.pop("error"), row.pop("result"), row.pop("payload")
    return JobRecord(
        **row,
        error=without_secrets(error) if error else None,
        result=_written(result),
        payload=_written(payload),
    )


def _written(fields: dict[str, Any] | None) -> str | None:
    return without_secrets(json.dumps(fields, ensure_ascii=False, sort_keys=True)) if fields else None
