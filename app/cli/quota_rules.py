"""The commands of quotas over all workspaces: who is close, exceptions, what calls hold, and service limits."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import quota_rules as changing
from app.records import quotas as reading
from app.records.quotas import Override, Within
from app.records.reading import MOST_ROWS
from db.errors import SightlineError

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Workspaces = Annotated[list[str] | None, typer.Option("--workspace", help="Of this one alone, by its slug.")]
Products = Annotated[list[str] | None, typer.Option("--product", help="Of this one alone, such as mailer.")]


def quotas_close(workspace: Workspaces = None, product: Products = None) -> None:
    """Show who has used 80 % of a limit or more, the fullest first.

    Example: `sightline quotas close --product mailer`
    """
    with shared.reading() as (engine, by):
        rows = reading.close_to_limits(engine, by, _within(workspace, product))
    if not rows:
        say("Nobody is close to a limit.")
        return
    table = Table("Workspace", "Product", "Meter", "Of", "A", "Limit", "Used", "Held", "Until")
    for one in rows:
        limit = "none" if one.amount is None else f"{one.amount + one.rolled_over:,}{' soft' if one.is_soft else ''}"
        table.add_row(
            one.slug, one.product, one.meter, plain(one.customer or "all"), one.period, limit, f"{one.used:,}",
            f"{one.held:,}", "" if one.period_end is None else f"{one.period_end:%Y-%m-%d}",
        )  # fmt: skip
    out.print(table)


def quotas_overrides(workspace: Workspaces = None, product: Products = None) -> None:
    """Show the exceptions that hold or will, those that end first before the others.

    Example: `sightline quotas overrides`
    """
    with shared.reading() as (engine, by):
        rows = reading.overrides(engine, by, _within(workspace, product))
    out.print(exceptions(rows)) if rows else say("There is no exception from a limit.")


def exceptions(rows: Sequence[Override]) -> Table:
    table = Table("Override", "Workspace", "Product", "Meter", "Of", "A", "Limit", "Until", "By", "Why")
    for one in rows:
        table.add_row(
            str(one.id), one.slug, one.product, one.meter, plain(one.customer or "all"), one.period,
            "none" if one.amount is None else f"{one.amount:,}", f"{one.ends_at:%Y-%m-%d}",
            plain(one.granted_by or ""), plain(one.reason),
        )  # fmt: skip
    return table


def quotas_credits(workspace: Annotated[str, typer.Argument(help="The slug of the workspace.")]) -> None:
    """Show the customers of a workspace with the credits that they have left.

    Example: `sightline quotas credits bright-bakery`
    """
    with shared.reading() as (engine, by):
        rows = reading.credit_holders(engine, by, slug=workspace)
    if not rows:
        say(f"No workspace is called {workspace}.")
        return
    table = Table("Customer", "Name", "Role", "Credits", "Last moved")
    for one in rows:
        moved = f"{one.last_moved_at:%Y-%m-%d}" if one.last_moved_at else ""
        table.add_row(plain(one.email), plain(one.name or ""), one.role or "", f"{one.balance:,}", moved)
    out.print(table)


def quotas_holds(workspace: Workspaces = None, product: Products = None) -> None:
    """Show what calls that run hold of limits, those that expire first before the others.

    Example: `sightline quotas holds`
    """
    with shared.reading() as (engine, by):
        rows = reading.held(engine, by, _within(workspace, product))
    if not rows:
        say("No call holds anything.")
        return
    table = Table("Key", "Workspace", "Of", "Product", "Meter", "Held", "Since", "Expires", "Call")
    for one in rows:
        table.add_row(
            str(one.id), plain(one.workspace), plain(one.customer or "all"), one.product, one.meter,
            f"{one.amount:,}", f"{one.created_at:%Y-%m-%d %H:%M}", f"{one.expires_at:%Y-%m-%d %H:%M}", plain(one.key),
        )  # fmt: skip
    out.print(table)


def quotas_give_up(
    key: Annotated[UUID, typer.Argument(help="The key, as `sightline quotas holds` shows it.")], reason: Reason
) -> None:
    """Free what a lost call holds, in every limit at once; should it still end, what it used is counted.

    Example: `sightline quotas give-up 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Its machine is gone"`
    """
    with shared.operating() as (engine, by):
        for one in reading.held(engine, by, limit=MOST_ROWS):
            if one.id == key:
                changing.give_up(engine, by, one.workspace_id, key, reason=reason)
                break
        else:
            raise SightlineError(
                "No call that holds anything has this key.", fix="`sightline quotas holds` lists them."
            )
    say(f"What the call {one.key} held is free.")


def quotas_service_limits() -> None:
    """Show how much of a meter each customer may use on one day, whatever the plan allows.

    Example: `sightline quotas service-limits`
    """
    with shared.reading() as (engine, by):
        rows = reading.service_limits(engine, by)
    table = Table("Meter", "A day")
    for one in rows:
        table.add_row(one.meter, "no such limit" if one.amount is None else f"{one.amount:,}")
    out.print(table)


def quotas_limit_service(
    meter: Annotated[str, typer.Argument(help="Such as imagen.")],
    *,
    reason: Reason,
    amount: Annotated[int | None, typer.Option(help="So much on one day.")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Without such a limit, in place of --amount.")] = False,
) -> None:
    """Change how much of a meter each customer of every workspace may use on one day, from the next call on.

    Example: `sightline quotas limit-service imagen --amount 200 --reason "The provider allows more"`
    """
    if (amount is None) != unlimited:
        raise SightlineError("How much is allowed was not said.", fix="Give either --amount or --unlimited.")
    with shared.operating() as (engine, by):
        found = reading.service_limits(engine, by)
        before = {one.meter: one.amount for one in found if one.amount is not None}
        wanted = {name: most for name, most in (before | {meter: amount}).items() if most is not None}
        changing.set_service_limits(
            engine, by, wanted, revision=found[0].revision if found else 0, reason=reason, made_on=before
        )
    say("The limits of services were changed.")


def _within(workspaces: Sequence[str] | None, products: Sequence[str] | None) -> Within:
    return Within(tuple(workspaces or ()), tuple(products or ()))
