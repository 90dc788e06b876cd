"""The commands of the background: the worker itself, and a look at its jobs with what can be done about them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Connection, RowMapping

from app import database
from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import jobs
from app.database import Address, Engines
from app.jobs import queue
from app.jobs.kinds import Means, catalogue, known_kinds
from app.jobs.service import CONNECTIONS_PER_WORKER, serve_jobs
from app.lake.place import the_engine, the_place
from app.lake.refresh import Refresher
from app.lake.watch import watch
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import JOB_STATUSES

jobs_app = typer.Typer(no_args_is_help=True)

# The embedded server has a hundred connections, and pages need some of them as well.
MOST_AT_ONCE = 16

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Key = Annotated[UUID, typer.Argument(help="The key of the job, as `sightline jobs list` shows it.")]


def worker(
    at_once: Annotated[int, typer.Option(min=1, max=MOST_AT_ONCE, help="How many jobs this process runs at once.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing while all is well.")] = False,
) -> None:
    """Keep the lake fresh and run jobs, scheduled and queued, until it is stopped; several may run at the same time.

    Example: `sightline worker --at-once 2`
    """
    with shared.address() as address, _engines(address, at_once) as engines:
        place = the_place(address)
        watching = _refresher(address)
        if not quiet:
            say("The worker runs - Ctrl-C stops it, nothing is lost.")
        fresh = {"refresh": lambda stop: watch(watching, place.lock_url, stop)}
        means = Means(cache(lambda: _refresher(address)), lambda: database.setup_engine(address))
        serve_jobs(engines, catalogue(means), at_once=at_once, companions=fresh)
    if not quiet:
        say("The worker has stopped.")


@jobs_app.command(name="list")
def jobs_list(
    status: Annotated[str | None, typer.Option(help=f"One of {', '.join(JOB_STATUSES)}.")] = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 20,
) -> None:
    """Show the newest jobs, and how each ended.

    Example: `sightline jobs list --status failed`
    """
    if status is not None and status not in JOB_STATUSES:
        raise SightlineError(f"No job is ever {status!r}.", fix=f"Choose one of {', '.join(JOB_STATUSES)}.")
    with _seeing_all() as connection:
        rows = queue.listed(connection, status=status, at_most=last)
    if not rows:
        say("There are no such jobs. `sightline jobs add --help` says how to add one.")
        return
    table = Table("Key", "Kind", "Status", "Attempts", "Due", "Says")
    for row in rows:
        attempts = f"{row['attempts']} of {row['max_attempts']}"
        table.add_row(
            str(row["id"]), row["job_type"], row["status"], attempts, _moment(row["scheduled_at"]), _says(row)
        )
    out.print(table)


@jobs_app.command(name="show")
def jobs_show(key: Key) -> None:
    """Show everything about one job.

    Example: `sightline jobs show 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with _seeing_all() as connection:
        row = queue.found(connection, key)
    for name, value in row.items():
        if value is not None:
            out.print(f"{name:<20} {plain(_written(value))}", soft_wrap=True)


@jobs_app.command(name="run-again")
def jobs_run_again(key: Key, reason: Reason) -> None:
    """Let a job that failed or was cancelled be tried again, from now on and as often as a new one.

    Example: `sightline jobs run-again 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The platform answers again"`
    """
    with shared.operating() as (engine, by):
        kind = jobs.run_job_again(engine, by, known_kinds(), key, reason=reason)
    say(f"The job {kind} waits for a worker.")


@jobs_app.command(name="run-now")
def jobs_run_now(key: Key, reason: Reason) -> None:
    """Let a job that waits for its time, or for its next attempt, begin as soon as a worker is free.

    Example: `sightline jobs run-now 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Mended, no need to wait"`
    """
    with shared.operating() as (engine, by):
        jobs.run_job_now(engine, by, key, reason=reason)
    say("The job begins as soon as a worker is free.")


@jobs_app.command(name="cancel")
def jobs_cancel(key: Key, reason: Reason) -> None:
    """Cancel a job that waits, or ask one that runs to stop.

    Example: `sightline jobs cancel 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Asked for twice"`
    """
    with shared.operating() as (engine, by):
        status = jobs.cancel_job(engine, by, key, reason=reason)
    say("The job is cancelled." if status == "cancelled" else "The job was asked to stop; it sees that within seconds.")


@jobs_app.command(name="keep")
def jobs_keep(key: Key, reason: Reason) -> None:
    """Take a cancellation back: the job waits again as it waited, or goes on running.

    Example: `sightline jobs keep 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It was the wrong one"`
    """
    with shared.operating() as (engine, by):
        status = jobs.keep_job(engine, by, key, reason=reason)
    say("The job goes on." if status == "running" else "The job waits again.")


@jobs_app.command(name="add")
def jobs_add(
    kind: Annotated[str, typer.Argument(help="The kind of job.")],
    reason: Reason,
    payload: Annotated[str, typer.Option(help="What the job is given, as a JSON object.")] = "{}",
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace that the job is for.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds until it may begin.")] = 0,
) -> None:
    """Add a job that a worker then runs; of a kind with a schedule, one at a time.

    Example: `sightline jobs add make_months --reason "A month was missing"`
    """
    given = _fields(payload)
    with shared.operating() as (engine, by):
        key = jobs.add_job(
            engine, by, known_kinds(), kind, reason=reason, workspace_slug=workspace, payload=given, wait_seconds=wait
        )
    say(f"A job {kind} waits or runs already." if key is None else f"The job {key} waits for a worker.")


def _refresher(address: Address) -> Refresher:
    place = the_place(address)
    return Refresher(place, the_engine(place.lake))


@contextmanager
def _engines(address: Address, at_once: int = 1) -> Iterator[Engines]:
    """Engines on the migrated database, with connections for as many jobs at once."""
    with database.setup_engine(address) as setup:
        database.migrate(setup, say)
    with database.app_engines(address, pool_size=CONNECTIONS_PER_WORKER * at_once) as engines:
        yield engines


@contextmanager
def _seeing_all() -> Iterator[Connection]:
    """A transaction of the person at this command line, who sees all workspaces."""
    with shared.reading() as (engine, by), seeing(engine, by.workspaces, actor=by.name) as connection:
        yield connection


def _fields(payload: str) -> dict[str, Any]:
    try:
        given = json.loads(payload)
    except json.JSONDecodeError as error:
        raise SightlineError(
            "The payload is not JSON.", why=f"{error}.", fix="""Give one like '{"days": 3}'."""
        ) from None
    if not isinstance(given, dict):
        raise SightlineError("The payload is not a JSON object.", fix="""Give one like '{"days": 3}'.""")
    return given


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S %Z}"


def _says(row: RowMapping) -> str:
    return plain(row["error_message"] or ("" if row["result"] is None else json.dumps(row["result"])))


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    return json.dumps(value) if isinstance(value, dict) else str(value)
