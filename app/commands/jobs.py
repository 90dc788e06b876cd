"""What people do with jobs: add one, run one again or at once, cancel one, and take a cancellation back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from app.access import Permission, Viewer
from app.commands import job_rows
from app.commands.company import require_whole_company
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import Job
from db.tables.workspaces import Workspace

LONGEST_REASON = 300
LONGEST_WAIT_SECONDS = 366 * 86_400
_ATTEMPTS = 5


class Kind(Protocol):
    """What has to be known of a kind of job."""

    @property
    def schedule(self) -> object | None: ...

    @property
    def max_attempts(self) -> int: ...


class Kinds(Protocol):
    """The kinds of jobs that workers here run; one that nobody knows is refused."""

    def named(self, name: str) -> Kind: ...

    def __contains__(self, name: object) -> bool: ...


def add_job(
    engine: Engine,
    by: Viewer,
    kinds: Kinds,
    kind: str,
    *,
    reason: str,
    workspace_slug: str | None = None,
    payload: dict[str, Any] | None = None,
    wait_seconds: float = 0,
) -> UUID | None:
    """Add a job that a worker then runs; of a kind with a schedule one at a time: None when one waits or runs."""
    by.require(Permission.JOBS_MANAGE)
    known = kinds.named(kind)
    if not 0 <= wait_seconds <= LONGEST_WAIT_SECONDS:
        raise SightlineError("A job can't wait for so long.", fix="Give seconds from zero up to those of a year.")
    with seeing(engine, by.workspaces, actor=by.name, reason=_reason(reason)) as connection:
        return job_rows.enqueue(
            connection,
            kind,
            workspace_id=_place(connection, by, workspace_slug),
            payload=payload,
            unique_key=kind if known.schedule is not None else None,
            wait_seconds=wait_seconds,
            max_attempts=known.max_attempts,
        )


def cancel_job(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> str:
    """Cancel a job that waits, or ask one that runs to stop: it sees that within seconds. Its status then."""
    return _act(engine, by, key, reason, lambda connection: job_rows.cancel(connection, key))


def keep_job(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> str:
    """Take a cancellation back: the job waits again for the time for which it waited, or goes on running."""
    return _act(engine, by, key, reason, lambda connection: job_rows.keep(connection, key))


def run_job_again(engine: Engine, by: Viewer, kinds: Kinds, key: UUID, *, reason: str) -> str:
    """Let a job that failed or was cancelled be tried from now on, as often as a new one of its kind; its kind."""

    def again(connection: Connection) -> str:
        kind: str = job_rows.found(connection, key)["job_type"]
        # Kinds that nobody here knows are left to workers of the products, as they were before.
        job_rows.run_again(connection, key, kinds.named(kind).max_attempts if kind in kinds else _ATTEMPTS)
        return kind

    return _act(engine, by, key, reason, again)


def run_job_now(engine: Engine, by: Viewer, key: UUID, *, reason: str) -> str:
    """Let a job that waits for its time, or for its next attempt, begin as soon as a worker is free."""
    return _act(engine, by, key, reason, lambda connection: job_rows.put_forward(connection, key))


def _act(engine: Engine, by: Viewer, key: UUID, reason: str, change: Callable[[Connection], str]) -> str:
    with _deciding(engine, by, key, reason) as connection:
        return change(connection)


@contextmanager
def _deciding(engine: Engine, by: Viewer, key: UUID, reason: str) -> Iterator[Connection]:
    """A transaction in which the job is locked, and is one that the person may decide on."""
    by.require(Permission.JOBS_MANAGE)
    with seeing(engine, by.workspaces, actor=by.name, reason=_reason(reason)) as connection:
        if job_rows.found(connection, key)["workspace_id"] is None:
            _require_whole_company(connection, by)
        connection.execute(select(Job.id).where(Job.id == key).with_for_update())
        yield connection


def _require_whole_company(connection: Connection, by: Viewer) -> None:
    require_whole_company(connection, by, what="This job is for every workspace.", whom="an admin")


def _place(connection: Connection, by: Viewer, slug: str | None) -> UUID | None:
    if slug is None:
        _require_whole_company(connection, by)
        return None
    found: UUID | None = connection.scalar(
        select(Workspace.id).where(Workspace.slug == slug, Workspace.id.in_(by.workspaces))
    )
    if found is None:
        raise SightlineError(f"No workspace is called {slug}.", fix="Give the slug of a workspace that you see.")
    return found


def _reason(given: str) -> str:
    said = one_line(given)
    if not said:
        raise SightlineError("Jobs are changed for a reason.", fix="Say why in a few words; the audit log keeps it.")
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters.", why=f"At most {LONGEST_REASON} fit.")
    return said
