"""The commands that read in what other companies charge, and show how it compares with the ledger."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import bills
from app.commands.reconciling import bills as all_bills
from app.commands.reconciling import reconciliation
from app.commands.stripe_invoices import RevenueReport, compare_invoices, compare_month
from app.ingest.fetching import fetch_bill
from app.ingest.formats import READERS
from app.money.bills import Kind
from app.money.reconciliation import Reconciliation
from db.errors import SightlineError

import_app = typer.Typer(no_args_is_help=True)

Provider = Annotated[str | None, typer.Option(help=f"One of {', '.join(READERS)}; told by the file itself if it can.")]


@import_app.command(name="bill")
def import_bill(
    files: Annotated[list[Path] | None, typer.Argument(help="As the provider exports them; in any order.")] = None,
    provider: Provider = None,
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Ask the provider's interface for this month instead.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Days that are told otherwise replace what is in.")
    ] = False,
) -> None:
    """Read bills of AI providers: OpenAI's costs and usage, Anthropic's reports, Google Cloud's cost table as CSV.

    Each file is taken whole or not at all; a file that was read before changes nothing.

    Example: `sightline import bill openai-costs-2026-10.json openai-usage-2026-10.json`
    """
    if bool(files) == (month is not None):
        raise SightlineError("There is nothing to read.", fix="Give files, or --provider and --month.")
    with shared.operating() as (engine, by):
        if month is not None:
            for name, content in fetch_bill(provider or "", month.date().replace(day=1)):
                report = bills.read_file(engine, by, content, name, provider=provider, replace=replace, source="api")
                say(f"{name}: {report.sentence}")
        for file in files or []:
            report = bills.read_file(engine, by, _content(file), file.name, provider=provider, replace=replace)
            say(f"{file.name}: {report.sentence}")


@import_app.command(name="invoices")
def import_invoices(
    file: Annotated[Path | None, typer.Argument(help="As Stripe's interface lists invoices, all pages of it.")] = None,
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Ask Stripe's interface for this month instead.")
    ] = None,
) -> None:
    """Compare Stripe's invoices with ours: what one of the two lacks, and what they say otherwise; nothing is changed.

    Example: `sightline import invoices stripe-invoices-2026-10.json`
    """
    with shared.reading() as (engine, by):
        report = _revenue(engine, by, file, month)
    if report.differences:
        table = Table("Invoice", "Number", "What differs", "Ours", "Stripe's", "Currency", "Difference")
        for one in report.differences:
            told = (one.key, one.number or "", one.what, one.ours, one.theirs, one.currency)
            table.add_row(*(plain(part) for part in told), f"{one.difference:+,}")
        out.print(table)
    say(f"{report.invoices:,} invoices were read, {report.same:,} of them say the same as ours.")


def _revenue(engine: Engine, by: Viewer, file: Path | None, month: datetime | None) -> RevenueReport:
    if file and month is None:
        return compare_invoices(engine, by, _content(file), file.name)
    if month and file is None:
        return compare_month(engine, by, month.date())
    raise SightlineError("What is compared with ours was not said.", fix="Give a file, or --month.")


def reconcile(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="Such as 2026-10.")],
) -> None:
    """Show what each provider charged for a month beside the ledger, and the names of the difference.

    Example: `sightline reconcile 2026-10`
    """
    first = month.replace(tzinfo=UTC).date().replace(day=1)
    # Sums of the whole company are answered to the role of commands alone.
    with shared.operating() as (engine, by):
        found = [reconciliation(engine, by, bill) for bill in all_bills(engine, by) if bill.month == first]
    if not found:
        say(f"No bill of {first:%B %Y} was read in. `sightline import bill --help` says how.")
        return
    out.print(_table(found))


def _table(found: list[Reconciliation]) -> Table:
    table = Table("USD", *(plain(one.provider) for one in found))
    table.add_row("Our ledger", *(f"{one.ledger:,.4f}" for one in found))
    for kind in Kind:
        table.add_row(kind.replace("_", " "), *(_amount(one.by_kind[kind]) for one in found))
    table.add_row("Provider's lines", *(f"{one.charged:,.4f}" for one in found))
    table.add_row("Invoice", *("" if one.invoiced is None else f"{one.invoiced:,.2f}" for one in found))
    return table


def _amount(amount: Decimal) -> str:
    return f"{amount:+,.4f}" if amount else ""


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SightlineError(f"{file} can't be read.", why=f"{error.strerror}.") from None
