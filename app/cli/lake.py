"""Commands of the lake: bringing it up to the database once, or keeping it fresh."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from app import database
from app.cli import shared
from app.cli.words import out, say
from app.jobs.stopping import Stop, at_signals
from app.lake.place import the_engine, the_place
from app.lake.refresh import Outcome, Refresher, Told
from app.lake.watch import watch


def refresh(
    keep_on: Annotated[
        bool, typer.Option("--watch", help="Keep going: what is committed shows within seconds.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the lake anew from the database; old answers stay until it is done.")
    ] = False,
) -> None:
    """Bring the lake and its rollups up to the database. May be stopped at any time, and goes on where it stopped.

    Example: `sightline refresh --rebuild`
    """
    with shared.address() as address:
        with database.setup_engine(address) as setup:
            database.migrate(setup, say)
        place = the_place(address)
        refresher = Refresher(place, the_engine(place.lake))
        bring_up(refresher, refresher.rebuild if rebuild else refresher.refresh)
        if keep_on:
            say("Watching. Ctrl-C ends it.")
            stop = Stop()
            with at_signals(stop):
                watch(refresher, place.lock_url, stop, _tell_news)


def bring_up(refresher: Refresher, bring: Callable[[Told], Outcome] | None = None) -> None:
    """Refresh once, or make all anew, with a bar for whoever waits."""
    with _Bars() as bars:
        outcome = (bring or refresher.refresh)(bars.told)
        refresher.tidy()
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    news = "is new" if outcome.is_new else "tells everything already"
    say(
        f"Version {outcome.version} of the lake {news}; it holds what was committed"
        f" until {outcome.data_through:%Y-%m-%d %H:%M:%S} UTC. It took {outcome.seconds:.1f} seconds."
    )


def _tell_news(outcome: Outcome) -> None:
    if outcome.is_new:
        _tell(outcome)


class _Bars(Progress):
    """A bar per step, with how fast it goes and how long it will take."""

    def __init__(self) -> None:
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=out,
        )
        self._steps: dict[str, TaskID] = {}

    def told(self, step: str, done: int, total: int) -> None:
        if step not in self._steps:
            self._steps[step] = self.add_task(step, total=total, rate="")
        task = self._steps[step]
        speed = self.tasks[task].speed
        self.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")
