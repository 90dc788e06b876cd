"""The commands that begin: everything at once, and invented data to look at."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from app import database, keys, up
from app.cli import lake, shared
from app.cli.words import out, say
from app.commands.demo_team import ensure_demo_team
from app.installation import installation
from app.lake.place import the_engine, the_place
from app.lake.refresh import Refresher
from app.settings import settings
from db.demo import Size, load_demo


def up_(
    demo: Annotated[bool, typer.Option(help="Fill an empty embedded database with invented data first.")] = True,
) -> None:
    """Start everything: the database, its tables, demo data on the first start, the lake, the app and its worker.

    Example: `PORT=8600 sightline up`
    """
    up.require_free_port()
    with shared.address() as address:
        with database.setup_engine(address) as setup:
            database.migrate(setup, say)
            # A server that somebody gave us is never filled with invented data unasked.
            if demo and address.is_embedded and not database.holds_customers(setup):
                _load(setup, Size.SMALL, seed=1, today=datetime.now(UTC))
        with database.app_engines(address) as engines:
            ensure_demo_team(engines)
        place = the_place(address)
        if not place.lake.latest_number:
            lake.bring_up(Refresher(place, the_engine(place.lake)))
        up.serve_until_stopped(say)
    say(f"Stopped. Everything is kept in {settings().home}.")


def demo(
    size: Annotated[
        Size, typer.Option(help="About 200 k, 5 M or 20 M e-mail events, the rest in proportion.")
    ] = Size.SMALL,
    seed: Annotated[int, typer.Option(help="The same seed and day give the same data.")] = 1,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day of the data.")] = None,
) -> None:
    """Fill an empty database with 13 months of invented business, five products and a few disasters.

    Example: `sightline demo --size medium`
    """
    with shared.setup() as (_, setup):
        database.migrate(setup, say)
        _load(setup, size, seed, today or datetime.now(UTC))


def _load(setup: Engine, size: Size, seed: int, today: datetime) -> None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        summary = load_demo(
            setup,
            size=size,
            seed=seed,
            today=today.date(),
            seal=lambda place, secret: keys.vault().seal(secret, place),
            digest=installation().digest,
            progress=progress,
        )
    if summary.already_loaded:
        say(f"The {summary.size} demo of seed {summary.seed} and {summary.today:%d %B %Y} is in already.")
    else:
        rows, events = sum(summary.rows.values()), summary.rows["email_events"]
        say(f"{rows:,} rows of demo data are in, {events:,} of them e-mail events.")
