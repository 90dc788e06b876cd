"""The commands of quotas: what is used of every limit, exceptions from limits, and credits."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import quota_rules, shared
from app.cli.quota_rules import exceptions
from app.cli.words import out, plain, say
from app.commands import quotas as changing
from app.commands.quotas import Allowance
from app.records import quotas as reading
from app.records.quotas import Override, Standing, Within
from app.records.reading import MOST_ROWS
from db.errors import SightlineError

quotas_app = typer.Typer(no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The slug of the workspace.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Until = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends, at midnight UTC.")]
User = Annotated[str, typer.Option(help="The e-mail address of the customer in the workspace.")]


@quotas_app.command(name="show")
def quotas_show(
    workspace: Slug,
    user: Annotated[str | None, typer.Option(help="With the limits of one customer in it, by e-mail address.")] = None,
) -> None:
    """Show every limit of a workspace with what is used, held and left of it, and its exceptions.

    Example: `sightline quotas show bright-bakery`
    """
    with shared.reading() as (engine, by):
        limits = reading.standings(engine, by, slug=workspace, customer=_customer(engine, by, workspace, user))
        found = reading.overrides(engine, by, Within((workspace,)))
    if not limits:
        say(f"No workspace with a plan is called {workspace}.")
        return
    out.print(_limits(limits))
    if found:
        out.print(exceptions(found))


@quotas_app.command(name="override")
def quotas_override(
    workspace: Slug,
    product: Annotated[str, typer.Argument(help="Such as web_builder.")],
    meter: Annotated[str, typer.Argument(help="Such as generations.")],
    *,
    until: Until,
    reason: Reason,
    amount: Annotated[int | None, typer.Option(help="How much is allowed.")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Without a limit, in place of --amount.")] = False,
    period: Annotated[str, typer.Option(help="day, month, year or lifetime: the period of the limit.")] = "month",
    user: Annotated[str | None, typer.Option(help="Of one customer alone, by e-mail address.")] = None,
    key: Annotated[UUID | None, typer.Option(help="Change this override in place of making one.")] = None,
) -> None:
    """Allow another amount than the plan until a day, or change such an exception.

    Example: `sightline quotas override bright-bakery web_builder generations --amount 50 --until 2027-01-31 --reason A`
    """
    if (amount is None) != unlimited:
        raise SightlineError("How much is allowed was not said.", fix="Give either --amount or --unlimited.")
    wanted = Allowance(amount, until.replace(tzinfo=UTC))
    with shared.operating() as (engine, by):
        if key is None:
            key = changing.override_quota(
                engine, by, wanted, workspace_slug=workspace, product=product, meter=meter, period=period,
                reason=reason, user_email=user,
            )  # fmt: skip
        else:
            now = _one(reading.overrides(engine, by, Within((workspace,))), key)
            made_on = Allowance(now.amount, now.ends_at)
            changing.change_override(engine, by, key, wanted, revision=now.revision, reason=reason, made_on=made_on)
    say(f"The override {key} allows {wanted}.")


@quotas_app.command(name="revoke")
def quotas_revoke(key: Annotated[UUID, typer.Argument(help="Of the override.")], reason: Reason) -> None:
    """End an exception now; the plan's limit rules again, and what was used stays used.

    Example: `sightline quotas revoke 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The launch is over"`
    """
    with shared.operating() as (engine, by):
        now = _one(reading.overrides(engine, by), key)
        changing.end_override(engine, by, key, revision=now.revision, reason=reason)
    say("The override has ended.")


@quotas_app.command(name="grant")
def quotas_grant(
    workspace: Slug,
    credits_: Annotated[int, typer.Argument(metavar="CREDITS", help="How many.")],
    *,
    user: User,
    until: Until,
    reason: Reason,
) -> None:
    """Give a customer credits until a day, after which what is left of them goes.

    Example: `sightline quotas grant bright-bakery 100 --user ada@example.com --until 2026-12-31 --reason "An outage"`
    """
    with shared.operating() as (engine, by):
        balance = changing.grant_credits(
            engine, by, workspace_slug=workspace, user_email=user, amount=credits_, reason=reason,
            ends_at=until.replace(tzinfo=UTC),
        )  # fmt: skip
    say(f"{user} has {balance:,} credits now.")


@quotas_app.command(name="take-back")
def quotas_take_back(
    workspace: Slug,
    credits_: Annotated[int, typer.Argument(metavar="CREDITS", help="How many.")],
    *,
    user: User,
    reason: Reason,
) -> None:
    """Take credits back from a customer who has as many.

    Example: `sightline quotas take-back bright-bakery 100 --user ada@example.com --reason "Granted twice"`
    """
    with shared.operating() as (engine, by):
        balance = changing.take_back_credits(
            engine, by, workspace_slug=workspace, user_email=user, amount=credits_, reason=reason
        )
    say(f"{user} has {balance:,} credits now.")


quotas_app.command(name="close")(quota_rules.quotas_close)
quotas_app.command(name="overrides")(quota_rules.quotas_overrides)
quotas_app.command(name="credits")(quota_rules.quotas_credits)
quotas_app.command(name="holds")(quota_rules.quotas_holds)
quotas_app.command(name="give-up")(quota_rules.quotas_give_up)
quotas_app.command(name="service-limits")(quota_rules.quotas_service_limits)
quotas_app.command(name="limit-service")(quota_rules.quotas_limit_service)


def _customer(engine: Engine, by: Viewer, workspace: str, email: str | None) -> UUID | None:
    if email is None:
        return None
    for one in reading.credit_holders(engine, by, slug=workspace, limit=MOST_ROWS):
        if one.email == email:
            return one.user_id
    raise SightlineError(
        f"No customer in {workspace} has the address {email}.",
        fix=f"`sightline quotas credits {workspace}` lists them.",
    )


def _one(rows: list[Override], key: UUID) -> Override:
    for row in rows:
        if row.id == key:
            return row
    raise SightlineError("No override that holds has this key.", fix="`sightline quotas show` lists them.")


def _limits(rows: list[Standing]) -> Table:
    table = Table("Product", "Plan", "Meter", "Of", "A", "Limit", "By", "Used", "Held", "Left", "Until")
    for one in rows:
        amount = "none" if one.amount is None else f"{one.amount + one.rolled_over:,}{' soft' if one.is_soft else ''}"
        table.add_row(
            one.product, one.tier, one.meter, plain(one.customer or "all"), one.period, amount, one.source,
            f"{one.used:,}", f"{one.held:,}", "" if one.left is None else f"{one.left:,}",
            "" if one.period_end is None else f"{one.period_end:%Y-%m-%d}",
        )  # fmt: skip
    return table
