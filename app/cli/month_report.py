"""The command that writes the month's report."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli import shared
from app.cli.words import say
from app.exports.report import month_named, month_report
from app.lake.lake import the_lake
from app.metrics.desk import Desk
from app.settings import settings
from db.errors import SightlineError


def export_month(
    month: Annotated[str, typer.Option(help="Such as 2026-10.")],
    to: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write the report of a month as a PDF: totals, margin, budgets, forecasts, bills and closes, with receipts.

    Example: `sightline export month --month 2026-10 --to report.pdf`
    """
    first = month_named(month)
    if to.suffix.lower() != ".pdf":
        raise SightlineError(f"{to} is no PDF.", fix="Give a file that ends in .pdf.")
    with shared.operating_all() as (engines, by):
        desk = Desk(the_lake(), currency=settings().currency)
        try:
            made = month_report(desk, engines.ro, engines.rw, by, first)
        finally:
            desk.close()
    try:
        to.write_bytes(made)
    except OSError as error:
        raise SightlineError(f"{to} could not be written.", why=str(error.strerror), fix="Give another file.") from None
    say(f"{to} is written, {len(made):,} bytes.")
