"""Commands that write figures to files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli import month_report, shared
from app.cli.words import say
from app.exports import focus as exports
from app.exports.address import Kind
from app.exports.files import WRITERS
from app.money import focus
from app.money.focus import Dataset

export_app = typer.Typer(no_args_is_help=True)


@export_app.command(name="focus")
def export_focus(
    month: Annotated[str, typer.Option(help="Such as 2026-10; days are UTC, as billing periods are.")],
    to: Annotated[Path, typer.Option(help="The folder to write into.")] = Path(),
    dataset: Annotated[list[Dataset] | None, typer.Option(help="May be given more than once; without it, all.")] = None,
    kind: Annotated[Kind, typer.Option(help="CSV or Parquet, as programs read them.")] = Kind.CSV,
) -> None:
    """Write a month of AI cost in the form of FOCUS 1.4: what it cost, its billing periods and its providers' bills.

    Example: `sightline export focus --month 2026-10 --to /tmp`
    """
    chosen = exports.month_named(month)
    to.mkdir(parents=True, exist_ok=True)
    with shared.reading() as (engine, by):
        told = exports.Month(engine, lambda: by, chosen, datetime.now(UTC))
        for one in dataset or list(Dataset):
            _write(told, one, kind, to)


export_app.command(name="month")(month_report.export_month)


def _write(month: exports.Month, dataset: Dataset, kind: Kind, folder: Path) -> None:
    """The rows as they come, and beside them what their columns are."""
    name = f"focus-{month.month:%Y-%m}-{dataset}"
    file = folder / f"{name}.{kind}"
    with file.open("wb") as out:
        for piece in WRITERS[kind](exports.sheet(month, dataset)):
            out.write(piece)
    schema = folder / f"{name}.schema.json"
    schema.write_text(json.dumps(focus.metadata(dataset, month.at), indent=2) + "\n", encoding="utf-8")
    say(f"{file} is written, {file.stat().st_size:,} bytes, and what its columns are in {schema.name}.")
