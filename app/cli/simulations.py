"""The commands that simulate a draft of a plan, and hold the forecast of a publication against what happened."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress
from rich.table import Table

from app.cli import shared
from app.cli.words import err, out, plain, say
from app.commands.simulations import WINDOWS, Simulation, review_publication, simulate_plan
from app.records import simulations as reading
from app.records.outcomes import DAYS, Beside, side_by_side


def simulate(
    key: Annotated[UUID, typer.Argument(help="The key of the draft, as the list shows it.")],
    days: Annotated[int, typer.Option(help="How many days of usage to replay, from 30 to 90.")] = WINDOWS[0],
    most: Annotated[int, typer.Option(help="List so many workspaces at the most.")] = 20,
) -> None:
    """Replay the usage of everybody who has the plan through a draft: who would hit a limit, and what it would earn.

    Example: `sightline plans simulate 0199a8f2-7c4e-7d2a-9a31-5f0c2b7e4d10 --days 60`
    """
    with shared.operating() as (engine, by):
        with Progress(console=err, transient=True) as bar:
            task = bar.add_task("Going through usage", total=None)
            found = simulate_plan(
                engine, by, key, days=days,
                progress=lambda done, number: bar.update(task, completed=done, total=number),
            )  # fmt: skip
        page = reading.simulated_workspaces(engine, by, found.id, limit=most)
    _sums(found)
    table = Table("Workspace", "First refused", "By", "Calls", "Refused", "Refused now", "Is shown")
    for one in page.rows:
        if one.refused_after or one.goes_over or one.gains_room:
            table.add_row(
                plain(one.workspace), f"{one.first_hit_at:%Y-%m-%d %H:%M}" if one.first_hit_at else "",
                one.limit or "", f"{one.calls:,}", f"{one.refused_after:,}", f"{one.refused_before:,}",
                plain(one.prompt or one.shown or ""),
            )  # fmt: skip
    if table.row_count:
        out.print(table)


def _sums(found: Simulation) -> None:
    sums = found.sums
    say(
        f"{found.workspaces:,} workspaces have the plan; {found.workspaces_hit:,} would be refused something"
        f" ({found.workspaces_hit_before:,} by the plan they have), {found.workspaces_eased:,} would get more room."
    )
    say(f"Of {sums.calls:,} calls {sums.refused_after:,} would be refused.")
    table = Table(f"In {found.currency}", "Now", "With the draft")
    for name, before, after in (
        ("Revenue", sums.revenue_before, sums.revenue_after),
        ("AI cost", sums.ai_cost_before, sums.ai_cost_after),
        ("Margin", sums.margin_before, sums.margin_after),
    ):
        table.add_row(name, f"{before:,.2f}", f"{after:,.2f}")
    out.print(table)


def review(
    key: Annotated[UUID, typer.Argument(help="The key of the published version, as the list shows it.")],
    again: Annotated[bool, typer.Option("--again", help="Look anew, also where somebody has looked.")] = False,
) -> None:
    """Show the forecast of a publication beside what its first two weeks brought; look, where nobody has yet.

    Example: `sightline plans review 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating_all() as (engines, by):
        found = reading.simulations(engines.ro, by, key)
        if again or not side_by_side(found):
            review_publication(engines.rw, by, key)
            found = reading.simulations(engines.ro, by, key)
    table = Table(f"As in {DAYS} days, {found[0].currency}", "Forecast", "What happened", "Difference")
    for one in side_by_side(found):
        table.add_row(one.name, _figure(one, one.forecast), _figure(one, one.happened), _figure(one, one.difference))
    out.print(table)
    say("At a limit: in the forecast who would be refused something, in what happened who used a limit up.")


def _figure(one: Beside, value: Decimal | None) -> str:
    return "" if value is None else f"{value:,.0f}" if one.is_counted else f"{value:,.2f}"
