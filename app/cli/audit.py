"""The commands of the audit log: what was changed, as a list and as a file, and whether the log is as it was sealed."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import audit as keeping
from app.commands.audit_chain import Head, Verified
from app.exports.address import Kind
from app.exports.files import WRITERS
from app.exports.given import Values, given
from app.exports.lists import the_list
from app.exports.live import Whole
from app.exports.sheets import sheet_of_list
from app.exports.wanted import Wanted
from app.records.audit import ACTIONS, AuditRow

audit_app = typer.Typer(no_args_is_help=True)
FAILED = 1

Actors = Annotated[list[str] | None, typer.Option("--by", help="Who; may be given more than once.")]
Tables = Annotated[list[str] | None, typer.Option("--of", help="A table, such as budgets; more than once.")]
Actions = Annotated[list[str] | None, typer.Option("--action", help=f"One of {', '.join(ACTIONS)}; more than once.")]
Row = Annotated[str | None, typer.Option(help="The key of one row, whose history is shown.")]
Words = Annotated[str | None, typer.Option(help="What a change says somewhere.")]
Slugs = Annotated[list[str] | None, typer.Option("--workspace", help="By slug; may be given more than once.")]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day.")]


@audit_app.command(name="list")
def audit_list(
    *,
    by: Actors = None,
    of: Tables = None,
    action: Actions = None,
    row: Row = None,
    words: Words = None,
    workspace: Slugs = None,
    since: Since = None,
    until: Until = None,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 20,
) -> None:
    """Show the newest changes: when, by whom, what and why.

    Example: `sightline audit list --of budgets --since 2026-11-01`
    """
    narrowed = _given(by=by, of=of, action=action, row=row, words=words, workspace=workspace, since=since, until=until)
    with shared.operating_all() as (engines, viewer):
        wanted = Wanted(engines.ro, viewer, narrowed, limit=last)
        found = the_list("audit", narrowed).read(wanted).rows
    if not found:
        say("Nobody has changed such a thing.")
        return
    out.print(_table(found))


@audit_app.command(name="export")
def audit_export(
    to: Annotated[Path, typer.Argument(help="The file; what it ends in says how: .csv, .xlsx or .parquet.")],
    *,
    by: Actors = None,
    of: Tables = None,
    action: Actions = None,
    row: Row = None,
    words: Words = None,
    workspace: Slugs = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write all changes, or those that are chosen, to a file, with what was there before and after.

    Example: `sightline audit export /tmp/audit.csv --since 2026-10-01`
    """
    kind = _kind(to)
    narrowed = _given(by=by, of=of, action=action, row=row, words=words, workspace=workspace, since=since, until=until)
    with shared.operating_all() as (engines, viewer):
        whole = Whole("audit", narrowed, engines.ro, lambda: viewer)
        with to.open("wb") as file:
            for piece in WRITERS[kind](sheet_of_list(whole)):
                file.write(piece)
    say(f"{to} is written, {whole.rows:,} changes.")


@audit_app.command(name="verify")
def audit_verify(
    head: Annotated[str | None, typer.Option(help="A head that was kept elsewhere, as this command prints it.")] = None,
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Only what came since it was last verified.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Compare with no head that was kept, as after a restore, and keep this one.")
    ] = False,
) -> None:
    """Walk the chain of the audit log, name what was changed, deleted or put between, and print the chain's head.

    Exits with 1 when something was. A log whose end was cut off is a chain as well: only a head that was kept tells,
    so keep the one that is printed where nobody of the database can write. Example: `sightline audit verify`
    """
    known = Head.read(head) if head else None
    with shared.operating_all() as (engines, viewer), _bar() as bar:
        task = bar.add_task("Verifying", total=None)

        def told(seen: Verified) -> None:
            bar.update(task, completed=seen.head.number, total=max(seen.total, seen.head.number))

        found = keeping.verify_audit(engines, viewer, known=known, since_last=since_last, anew=anew, told=told)
    _tell(found)
    if not found.is_whole:
        raise typer.Exit(FAILED)


def _tell(found: Verified) -> None:
    for one in found.findings:
        out.print(f"[red]NOT AS SEALED[/]  {plain(one.says)}", soft_wrap=True)
    if found.is_whole:
        after = f" after number {found.since.number:,}" if found.since.number else ""
        say(f"{found.rows:,} rows{after} are as they were sealed.")
    say(f"Head: {found.head}")


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out, transient=True)


def _kind(file: Path) -> Kind:
    named = file.suffix.removeprefix(".").lower()
    if named not in set(Kind):
        raise typer.BadParameter(f"{file.name} ends in none of {', '.join(f'.{kind}' for kind in Kind)}.")
    return Kind(named)


def _given(
    *,
    by: list[str] | None,
    of: list[str] | None,
    action: list[str] | None,
    row: str | None,
    words: str | None,
    workspace: list[str] | None,
    since: datetime | None,
    until: datetime | None,
) -> Values:
    """As a page's address narrows the list; the last day is part of the period here."""
    return given(
        actor=by or (), table=of or (), action=action or (), row=row, words=words, workspace=workspace or (),
        since=since and since.date(), until=until and until.date() + timedelta(days=1),
    )  # fmt: skip


def _table(found: tuple[AuditRow, ...]) -> Table:
    table = Table("Position", "When", "Who", "What", "Why")
    for one in found:
        table.add_row(
            str(one.position), f"{one.at:%Y-%m-%d %H:%M:%S}", plain(one.actor or ""), plain(one.says),
            plain(one.reason or ""),
        )  # fmt: skip
    return table
