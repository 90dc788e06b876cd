"""The commands of the price book: what it says, what lists propose, and approving that after seeing the effect."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import prices
from app.commands.bill_prices import propose_from_bills
from app.commands.prices import BookRow, MonthEffect
from app.commands.texts import one_line
from app.money.by_hand import Given
from app.money.units import MILLION
from db.errors import SightlineError
from db.tables.ai import SERVICE_TIERS

prices_app = typer.Typer(no_args_is_help=True)

Model = Annotated[str | None, typer.Option(help="Of one model alone, as provider/model.")]


@prices_app.command(name="list")
def prices_list(
    model: Model = None,
    waiting: Annotated[bool, typer.Option("--proposed", help="What waits to be approved, with keys.")] = False,
) -> None:
    """Show the price book, or what is proposed for it.

    Example: `sightline prices list --model openai/gpt-4o`
    """
    with shared.reading() as (engine, by):
        rows = prices.proposals(engine, by) if waiting else prices.book(engine, by)
    chosen = _of(rows, model)
    if not chosen:
        say("No prices are there. `sightline prices propose` looks for some.")
        return
    out.print(_table(chosen))


@prices_app.command(name="propose")
def prices_propose(
    model: Model = None,
    bills: Annotated[
        bool, typer.Option("--bills", help="What providers' bills of the last months show instead.")
    ] = False,
) -> None:
    """Propose what lists of prices say and the book does not, of the models in use or of one; nothing is priced by it.

    Example: `sightline prices propose`
    """
    models = None if model is None else [_named(model)]
    with shared.operating() as (engine, by):
        found = propose_from_bills(engine, by) if bills else prices.propose(engine, by, models)
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
        done = prices.approve(engine, by, chosen, seen=prices.difference_of(changes))
    say(
        f"The book is at version {done.version}: {done.calls_rated:,} calls were priced anew,"
        f" and {done.corrections:,} corrections of closed months were made: {done.difference:+,.2f} USD in all."
    )


@prices_app.command(name="reject")
def prices_reject(
    keys: Annotated[list[UUID], typer.Argument(help="Of the proposals, as `sightline prices list --proposed` shows.")],
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")],
) -> None:
    """Take proposals off the list, for a reason.

    Example: `sightline prices reject 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Last year's page"`
    """
    with shared.operating() as (engine, by):
        prices.reject(engine, by, keys, reason=reason)
    say(f"{len(set(keys)):,} proposals are off the list.")


@prices_app.command(name="add")
def prices_add(
    model: Annotated[str, typer.Argument(help="As provider/model.")],
    unit: Annotated[str, typer.Argument(help="What is charged for, such as input or image.")],
    dollars: Annotated[str, typer.Argument(help="The price of --per units.")],
    *,
    reference: Annotated[str, typer.Option("--from", help="Where it says so: an address, or who told you.")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day, from midnight UTC.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it is valid no more.")
    ] = None,
    per: Annotated[int, typer.Option(help="The price is for so many units.")] = MILLION,
    kind: Annotated[str, typer.Option(help="Of an image, a second or a tool call, such as 1024x1024/hd.")] = "",
    tier: Annotated[str, typer.Option(help=f"One of {', '.join(SERVICE_TIERS)}.")] = "standard",
    context_from: Annotated[int, typer.Option(help="Of calls that read at least so many tokens.")] = 0,
) -> None:
    """Propose a price that no list has; somebody approves it like any other.

    Example: `sightline prices add openai/dall-e-3 image 0.04 --per 1 --since 2026-11-01 --from https://prices.example`
    """
    provider, name = _named(model)
    given = Given(
        provider=provider, model=name, unit=unit, price=_dollars(dollars), per=per, reference=one_line(reference),
        valid_from=since.date(), valid_to=until and until.date(), variant=kind, service_tier=tier,
        context_from=context_from,
    )  # fmt: skip
    with shared.operating() as (engine, by):
        key = prices.propose_by_hand(engine, by, given)
    say(f"The price is proposed as {key}. `sightline prices approve {key}` shows what it would change.")


def _dollars(told: str) -> Decimal:
    try:
        return Decimal(told)
    except InvalidOperation:
        raise SightlineError(f"{told} is no price.", fix="Give dollars, such as 2.50.") from None


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
