"""The commands of budgets: making, changing and pausing them, what to do about alerts, and emergency stops."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import alerts as acting
from app.commands import budgets as changing
from app.commands import stops as stopping
from app.commands.budgets import Terms
from app.records import alerts as listing
from app.records import budgets as reading
from app.records import stops as stopped
from app.records.alerts import AlertState
from app.records.budgets import BudgetNow
from db.errors import SightlineError

budgets_app = typer.Typer(no_args_is_help=True)

Key = Annotated[UUID, typer.Argument(help="The key, as the list shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Amount = Annotated[str | None, typer.Option(help="In dollars.")]
Threshold = Annotated[list[int] | None, typer.Option(help="In per cent; may be given more than once.")]
Period = Annotated[str | None, typer.Option(help="day, month, year or lifetime.")]
Zone = Annotated[str | None, typer.Option(help="In which days and months begin, such as Asia/Kolkata.")]
Block = Annotated[bool | None, typer.Option("--block/--notify", help="What happens at 100 %.")]


@budgets_app.command(name="list")
def budgets_list() -> None:
    """Show every budget, what its period has cost so far, and what it is expected to.

    Example: `sightline budgets list`
    """
    with shared.reading() as (engine, by):
        rows = reading.budgets(engine, by)
    if not rows:
        say("There are no budgets. `sightline budgets create --help` says how to make one.")
        return
    table = Table("Key", "Name", "Of", "Dollars", "A", "Spent", "Held", "Expected", "At 100 %", "Active")
    for one in rows:
        table.add_row(
            str(one.id), plain(one.name), plain(_of(one)), f"{one.amount:,.2f}", one.period, f"{one.spent:,.4f}",
            f"{one.held:,.4f}", "" if one.forecast is None else f"{one.forecast:,.2f}", one.at_limit,
            "yes" if one.is_active else "no",
        )  # fmt: skip
    out.print(table)


@budgets_app.command(name="create")
def budgets_create(
    name: Annotated[str, typer.Argument(help="As people will read it.")],
    *,
    amount: Annotated[str, typer.Option(help="In dollars.")],
    scope: Annotated[
        str, typer.Option(help="company, product, provider, generation_type, workspace or user.")
    ] = "company",
    value: Annotated[str | None, typer.Option(help="The product, provider or type.")] = None,
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace.")] = None,
    user: Annotated[str | None, typer.Option(help="The e-mail address of the customer in the workspace.")] = None,
    period: Period = None,
    zone: Zone = None,
    threshold: Threshold = None,
    block: Block = None,
) -> None:
    """Make a budget. It alerts at its thresholds; with --block, calls are refused once it is spent.

    Example: `sightline budgets create "AI of OpenAI" --amount 500 --scope provider --value openai --block`
    """
    terms = _terms(Terms(name, _dollars(amount)), period=period, zone=zone, threshold=threshold, block=block)
    with shared.operating() as (engine, by):
        key = changing.create_budget(
            engine, by, terms, scope=scope, scope_value=value, workspace_slug=workspace, user_email=user
        )
    say(f"The budget {key} is there.")


@budgets_app.command(name="change")
def budgets_change(
    key: Key,
    *,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    amount: Amount = None,
    period: Period = None,
    zone: Zone = None,
    threshold: Threshold = None,
    block: Block = None,
    reason: Reason = "",
) -> None:
    """Change a budget; what is not given stays as it is.

    Example: `sightline budgets change 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --amount 800 --reason "A launch"`
    """
    with shared.operating() as (engine, by):
        now = _now(engine, by, key)
        before = Terms(
            name or now.name, now.amount if amount is None else _dollars(amount), now.period, now.timezone,
            now.thresholds, now.at_limit, now.warns_of_forecast,
        )  # fmt: skip
        terms = _terms(before, period=period, zone=zone, threshold=threshold, block=block)
        changing.change_budget(engine, by, key, terms, revision=now.revision, reason=reason, made_on=before)
    say("The budget was changed.")


@budgets_app.command(name="pause")
def budgets_pause(key: Key, reason: Reason) -> None:
    """Let a budget neither alert nor block until it is resumed.

    Example: `sightline budgets pause 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Under discussion"`
    """
    with shared.operating() as (engine, by):
        changing.pause_budget(engine, by, key, revision=_now(engine, by, key).revision, reason=reason)
    say("The budget is paused.")


@budgets_app.command(name="resume")
def budgets_resume(key: Key) -> None:
    """Let a paused budget alert and block again.

    Example: `sightline budgets resume 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        changing.resume_budget(engine, by, key, revision=_now(engine, by, key).revision)
    say("The budget holds again.")


@budgets_app.command(name="delete")
def budgets_delete(key: Key, reason: Reason) -> None:
    """Take a budget away; its alerts stay.

    Example: `sightline budgets delete 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Replaced by one a team"`
    """
    with shared.operating() as (engine, by):
        changing.delete_budget(engine, by, key, revision=_now(engine, by, key).revision, reason=reason)
    say("The budget is gone.")


@budgets_app.command(name="alerts")
def budgets_alerts(
    state: Annotated[AlertState, typer.Option(help="open, snoozed or done.")] = AlertState.OPEN,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 20,
) -> None:
    """Show alerts, and how people were told of them.

    Example: `sightline budgets alerts --state open`
    """
    with shared.reading() as (engine, by):
        rows = listing.alerts(engine, by, state, limit=last).rows
    if not rows:
        say(f"No alert is {state}.")
        return
    table = Table("Key", "Since", "Alert", "Of", "Says", "Told")
    for one in rows:
        of = one.budget or one.workspace or one.about
        table.add_row(
            str(one.id), f"{one.created_at:%Y-%m-%d %H:%M}", one.kind, plain(of), plain(one.reason or ""),
            plain(one.told or ""),
        )  # fmt: skip
    out.print(table)


@budgets_app.command(name="acknowledge")
def budgets_acknowledge(key: Key) -> None:
    """Say that somebody knows of an alert.

    Example: `sightline budgets acknowledge 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        acting.acknowledge_alert(engine, by, key)
    say("The alert is acknowledged.")


@budgets_app.command(name="snooze")
def budgets_snooze(
    key: Key, hours: Annotated[float, typer.Option(min=0.1, help="For so long it is not open.")] = 24
) -> None:
    """Put an alert off; then those who were told of it are reminded.

    Example: `sightline budgets snooze 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --hours 24`
    """
    with shared.operating() as (engine, by):
        acting.snooze_alert(engine, by, key, until=datetime.now(UTC) + timedelta(hours=hours))
    say(f"The alert comes back in {hours:g} hours.")


@budgets_app.command(name="stop")
def budgets_stop(
    reason: Reason,
    scope: Annotated[str, typer.Option(help="all, provider or product.")] = "all",
    value: Annotated[str | None, typer.Option(help="The provider or product.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Stop AI at once: every call that asks its quota first is refused until the stop is ended.

    Example: `sightline budgets stop --scope provider --value openai --reason "A key leaked"`
    """
    if not yes and not typer.confirm(f"Refuse every new AI call of {value or 'every product'} from now on?"):
        say("Nothing was stopped.")
        return
    with shared.operating() as (engine, by):
        key = stopping.start_stop(engine, by, scope=scope, value=value, reason=reason)
    say(f"AI of {value or 'everything'} is stopped. `sightline budgets end-stop {key}` lets it through again.")


@budgets_app.command(name="stops")
def budgets_stops() -> None:
    """Show the stops that hold, and those that held.

    Example: `sightline budgets stops`
    """
    with shared.reading() as (engine, by):
        rows = stopped.stops(engine, by)
    if not rows:
        say("AI was never stopped.")
        return
    table = Table("Key", "Of", "Since", "By", "Why", "Ended", "Refused calls")
    for one in rows:
        table.add_row(
            str(one.id), one.scope_value or "everything", f"{one.created_at:%Y-%m-%d %H:%M}",
            plain(one.started_by or "the command line"), plain(one.reason),
            "" if one.ended_at is None else f"{one.ended_at:%Y-%m-%d %H:%M}", f"{one.refused:,}",
        )  # fmt: skip
    out.print(table)


@budgets_app.command(name="end-stop")
def budgets_end_stop(key: Key, reason: Reason) -> None:
    """Let calls through again.

    Example: `sightline budgets end-stop 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The key was replaced"`
    """
    with shared.operating() as (engine, by):
        stopping.end_stop(engine, by, key, reason=reason)
    say("The stop has ended.")


def _now(engine: Engine, by: Viewer, key: UUID) -> BudgetNow:
    found = reading.budget(engine, by, key)
    if found is None:
        raise SightlineError("No budget has this key.", fix="`sightline budgets list` shows them all.")
    return found


def _terms(
    terms: Terms, *, period: str | None, zone: str | None, threshold: list[int] | None, block: bool | None
) -> Terms:
    at_limit = terms.at_limit if block is None else "block" if block else "notify"
    return Terms(
        terms.name, terms.amount, period or terms.period, zone or terms.timezone, tuple(threshold or terms.thresholds),
        at_limit, terms.warns_of_forecast,
    )  # fmt: skip


def _dollars(given: str) -> Decimal:
    try:
        return Decimal(given)
    except InvalidOperation:
        raise SightlineError(f"'{given}' is no amount.", fix="Give dollars, such as 500 or 99.50.") from None


def _of(one: BudgetNow) -> str:
    return " · ".join(filter(None, (one.scope.replace("_", " "), one.scope_value, one.workspace, one.customer)))
