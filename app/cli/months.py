"""The commands of closed months: which there are, closing one that is over, opening one again, correcting one."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, say
from app.commands import closes
from db.errors import SightlineError

months_app = typer.Typer(no_args_is_help=True)

Month = Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="As 2026-10.")]


@months_app.command(name="list")
def months_list() -> None:
    """Show the closed months with the sums that they were closed with.

    Example: `sightline months list`
    """
    with shared.reading() as (engine, by):
        closed = closes.closed_months(engine, by)
    if not closed:
        say("No month is closed. `sightline months close --help` says how to close one.")
        return
    table = Table("Month", "Closed", "Calls", "Without a price", "Dollars", "Price book")
    for one in closed:
        version = "" if one.price_version is None else str(one.price_version)
        table.add_row(
            f"{one.month:%Y-%m}", f"{one.closed_at:%Y-%m-%d %H:%M}", f"{one.calls:,}", f"{one.unpriced:,}",
            f"{one.cost:,.2f}", version,
        )  # fmt: skip
    out.print(table)


@months_app.command(name="close")
def months_close(
    month: Month,
    despite_unpriced: Annotated[
        bool, typer.Option("--despite-unpriced", help="Also where calls have no price: only corrections give them one.")
    ] = False,
) -> None:
    """Close a month that is over: what its calls cost stays as it is, and what is found out later is a correction.

    Example: `sightline months close 2026-10`
    """
    first = _first(month)
    with shared.operating() as (engine, by):
        warnings = closes.open_calls(engine, by, first).warnings
        closes.close_month(engine, by, first, despite_unpriced=despite_unpriced)
    for warning in warnings:
        say(warning)
    say(f"{first:%B %Y} is closed.")


@months_app.command(name="reopen")
def months_reopen(
    month: Month,
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")],
) -> None:
    """Open a closed month again: its calls are rated by today's book.

    Example: `sightline months reopen 2026-10 --reason "A price was wrong"`
    """
    first = _first(month)
    with shared.operating() as (engine, by):
        reopened = closes.reopen_month(engine, by, first, reason=reason)
    say(f"{first:%B %Y} is open.")
    if reopened.warning:
        say(reopened.warning)


@months_app.command(name="correct")
def months_correct(
    month: Month,
    amount: Annotated[str, typer.Argument(help="Dollars; below zero after --, such as -- -1.50.")],
    *,
    workspace: Annotated[str, typer.Option(help="Its short name.")],
    model: Annotated[str, typer.Option(help="As openai/gpt-4o.")],
    product: Annotated[str, typer.Option(help="As mailer.")],
    of_type: Annotated[str, typer.Option("--type", help="What was made, as email.")],
    reason: Annotated[str, typer.Option(help="Why; it stands beside the amount.")],
    kind: Annotated[str, typer.Option(help="late_usage or other.")] = "late_usage",
) -> None:
    """Correct a closed month: its calls stay as they are, and the correction stands beside them.

    Example: `sightline months correct 2026-10 1.50 --workspace acme --model openai/gpt-4o --product mailer \\
    --type email --reason "A worker was cut off"`
    """
    first = _first(month)
    provider, _, name = model.partition("/")
    if not name:
        raise SightlineError(f"{model} names no model.", fix="Name the provider too: openai/gpt-4o.")
    with shared.operating() as (engine, by):
        closes.correct_month(
            engine, by, first, workspace_slug=workspace, kind=kind, product=product, provider=provider, model=name,
            generation_type=of_type, amount=_dollars(amount), reason=reason,
        )  # fmt: skip
    say(f"{first:%B %Y} is corrected by {amount} USD.")


def _dollars(told: str) -> Decimal:
    try:
        amount = Decimal(told)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise SightlineError(f"{told} is no amount.", fix="Give dollars, such as 1.50.")
    return amount


def _first(month: datetime) -> date:
    return month.date().replace(day=1)
