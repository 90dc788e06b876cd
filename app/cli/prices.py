"""The commands of the price book: what it says, what lists propose, and approving that after seeing the effect."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.shared import out, plain, say
from app.commands import prices
from app.commands.prices import BookRow, MonthEffect
from db.errors import SightlineError

prices_app = typer.Typer(help="What models cost, from when to when.", no_args_is_help=True)

Model = Annotated[str | None, typer.Option(help="Of one model alone, as provider/model.")]


@prices_app.command(name="list")
def prices_list(
    model: Model = None,
    waiting: Annotated[bool, typer.Option("--proposed", help="What waits to be approved, with keys.")] = False,
) -> None:
    """Show the price book, or what is proposed for it.

    Example: `sightline prices list --model openai/gpt-4o`
    """
    with shared.operating() as (engine, by):
        rows = prices.proposals(engine, by) if waiting else prices.book(engine, by)
    chosen = _of(rows, model)
    if not chosen:
        say("No prices are there. `sightline prices propose` looks for some.")
        return
    out.print(_table(chosen))


@prices_app.command(name="propose")
def prices_propose(model: Model = None) -> None:
    """Propose what lists of prices say and the book does not, of the models in use or of one; nothing is priced by it.

    Example: `sightline prices propose`
    """
    models = None if model is None else [_named(model)]
    with shared.operating() as (engine, by):
        found = prices.propose(engine, by, models)
    for sentence in found.left_out:
        say(sentence)
    say(f"{found.count:,} prices are proposed. `sightline prices list --proposed` shows them.")


@prices_app.command(name="approve")
def prices_approve(
    keys: Annotated[list[UUID] | None, typer.Argument(help="Of the proposals; without any, --model chooses.")] = None,
    model: Model = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask after showing the effect.")] = False,
) -> None:
    """Show what proposals would change month by month, ask, and put them into the book.

    Calls of open months are priced anew; closed months get corrections.

    Example: `sightline prices approve --model openai/gpt-4o`
    """
    with shared.operating() as (engine, by):
        waiting = _of(prices.proposals(engine, by), model)
        chosen = [row.id for row in waiting if keys is None or row.id in keys]
        if not chosen or (keys is None and model is None):
            raise SightlineError(
                "No proposal was chosen.",
                fix="Give keys as `sightline prices list --proposed` shows them, or --model provider/model.",
            )
        changes = prices.effect(engine, by, chosen)
        out.print(_effect(changes)) if changes else say("No call would cost anything else than it does.")
        if not yes and not typer.confirm(f"Approve {len(chosen):,} prices?"):
            say("Nothing was changed.")
            return
        done = prices.approve(engine, by, chosen)
    say(
        f"The book is at version {done.version}: {done.calls_rated:,} calls were priced anew,"
        f" and {done.corrections:,} corrections of closed months were made."
    )


def _of(rows: Sequence[BookRow], model: str | None) -> list[BookRow]:
    wanted = None if model is None else _named(model)
    return [row for row in rows if wanted in {None, (row.price.provider, row.price.model)}]


def _named(model: str) -> tuple[str, str]:
    provider, _, name = model.partition("/")
    if not name:
        raise SightlineError(f"{model} names no model.", fix="Give provider/model, such as openai/gpt-4o.")
    return provider, name


def _table(rows: Sequence[BookRow]) -> Table:
    table = Table("Key", "Model", "Unit", "Tier", "Context from", "Dollars", "For", "From", "To", "Source")
    for row in rows:
        price = row.price
        table.add_row(
            str(row.id),
            plain(f"{price.provider}/{price.model}"),
            plain(str(price.unit)),
            price.service_tier,
            f"{price.context_from:,}" if price.context_from else "",
            f"{price.price.normalize():f}",
            f"{price.per:,}",
            _day(price.valid_from),
            _day(price.valid_to),
            plain(row.source),
        )
    return table


def _effect(changes: Sequence[MonthEffect]) -> Table:
    table = Table("Month", "Model", "Calls", "Newly priced", "No longer priced", "Dollars now", "Then", "Becomes")
    for one in changes:
        table.add_row(
            f"{one.month:%Y-%m}",
            plain(f"{one.provider}/{one.model}"),
            f"{one.calls:,}",
            f"{one.newly_priced:,}",
            f"{one.newly_unpriced:,}",
            f"{one.cost_before:,.4f}",
            f"{one.cost_after:,.4f}",
            "a correction" if one.is_closed else "the cost",
        )
    return table


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}".removesuffix(" 00:00")
