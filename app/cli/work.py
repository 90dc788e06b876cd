"""The commands of the background: the worker itself, and a look at its jobs with what can be done about them."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Connection, RowMapping, select

from app import database
from app.access import operator
from app.cli import shared
from app.cli.shared import out, plain, say
from app.database import Address, Engines
from app.jobs import queue
from app.jobs.alerts import alert_jobs
from app.jobs.audit import audit_jobs
from app.jobs.budgets import budget_jobs
from app.jobs.catalogue import Catalogue
from app.jobs.costs import cost_jobs
from app.jobs.lake import lake_jobs
from app.jobs.prices import price_jobs
from app.jobs.quotas import quota_jobs
from app.jobs.service import CONNECTIONS_PER_WORKER, serve_jobs
from app.jobs.upkeep import upkeep
from app.lake.place import the_engine, the_place
from app.lake.refresh import Refresher
from app.lake.watch import watch
from app.settings import settings
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import JOB_STATUSES
from db.tables.workspaces import Workspace

jobs_app = typer.Typer(help="The jobs of the background.", no_args_is_help=True)

# The embedded server has a hundred connections, and pages need some of them as well.
MOST_AT_ONCE = 16

Key = Annotated[UUID, typer.Argument(help="The key of the job, as `sightline jobs list` shows it.")]


def catalogue(refresher: Refresher) -> Catalogue:
    """Every kind of job that this program runs."""
    zone = settings().zone
    alerting = (*budget_jobs(), *cost_jobs(zone), *alert_jobs())
    return Catalogue((*upkeep(zone), *price_jobs(), *quota_jobs(), *audit_jobs(zone), *alerting, *lake_jobs(refresher)))


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
        serve_jobs(engines, catalogue(_refresher(address)), at_once=at_once, companions=fresh)
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
    with _seeing_all() as (connection, _):
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
    with _seeing_all() as (connection, _):
        row = queue.found(connection, key)
    for name, value in row.items():
        if value is not None:
            out.print(f"{name:<20} {plain(_written(value))}", soft_wrap=True)


@jobs_app.command(name="run-again")
def jobs_run_again(key: Key) -> None:
    """Let a job that failed or was cancelled be tried again, from now on and as often as a new one.

    Example: `sightline jobs run-again 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with _seeing_all() as (connection, kinds):
        row = queue.found(connection, key)
        queue.run_again(connection, key, kinds.named(row["job_type"]).max_attempts)
    say(f"The job {row['job_type']} waits for a worker.")


@jobs_app.command(name="cancel")
def jobs_cancel(key: Key) -> None:
    """Cancel a job that waits, or ask one that runs to stop.

    Example: `sightline jobs cancel 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with _seeing_all() as (connection, _):
        status = queue.cancel(connection, key)
    say("The job is cancelled." if status == "cancelled" else "The job was asked to stop; it sees that within seconds.")


@jobs_app.command(name="add")
def jobs_add(
    kind: Annotated[str, typer.Argument(help="The kind of job.")],
    payload: Annotated[str, typer.Option(help="What the job is given, as a JSON object.")] = "{}",
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace that the job is for.")] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds until it may begin.")] = 0,
) -> None:
    """Add a job that a worker then runs; of a kind with a schedule, one at a time.

    Example: `sightline jobs add make_months`
    """
    with _seeing_all() as (connection, kinds):
        job_type = kinds.named(kind)
        key = queue.enqueue(
            connection,
            kind,
            workspace_id=None if workspace is None else _workspace(connection, workspace),
            payload=_fields(payload),
            unique_key=kind if job_type.schedule is not None else None,
            wait_seconds=wait,
            max_attempts=job_type.max_attempts,
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
def _seeing_all() -> Iterator[tuple[Connection, Catalogue]]:
    """A transaction of the person at this command line, and the kinds of jobs."""
    with shared.address() as address, _engines(address) as engines:
        by = operator(engines.pipe, f"{getpass.getuser()} at the command line")
        with seeing(engines.rw, by.workspaces, actor=by.name) as connection:
            yield connection, catalogue(_refresher(address))


def _workspace(connection: Connection, slug: str) -> UUID:
    key = connection.scalar(select(Workspace.id).where(Workspace.slug == slug))
    if key is None:
        raise SightlineError(f"No workspace is called {slug}.", fix="Give a workspace's slug.")
    return key


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
