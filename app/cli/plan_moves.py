"""The commands that move subscriptions from one version of a plan to another, and back."""

from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import plan_moves as moving
from app.commands.plan_moves import AT_ONCE, AT_PERIOD_END, Offer
from app.records import plans as reading

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]


def plans_migrate(
    key: Annotated[UUID, typer.Argument(help="The key of the version that they have.")],
    *,
    to: Annotated[UUID, typer.Option(help="The key of the live version that they get.")],
    reason: Reason,
    at_once: Annotated[bool, typer.Option("--at-once", help="Now, and not when each one's period ends.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Show whom a move touches, and move exactly those: at the end of what they paid for, or at once.

    Example: `sightline plans migrate $OLD --to $NEW --reason "One price for all"`
    """
    with shared.operating() as (engine, by):
        offer = moving.whom_it_touches(engine, by, key, to)
        out.print(_touched(offer))
        when = AT_ONCE if at_once else AT_PERIOD_END
        if not yes and not typer.confirm(f"Move these {len(offer.touched):,} to {offer.to_plan} {when}?"):
            say("Nobody was moved.")
            return
        done = moving.move_subscriptions(engine, by, key, to, seen=offer.seen, when=when, reason=reason)
    say(
        f"{done.moved:,} were moved and {done.waiting:,} wait. `sightline plans undo-migration {done.batch}` undoes it."
    )


def plans_migrations(key: Annotated[UUID, typer.Argument(help="The key of either version.")]) -> None:
    """Show which moves there were to a version and away from it.

    Example: `sightline plans migrations 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.reading() as (engine, by):
        rows = reading.moves(engine, by, key)
    if not rows:
        say("Nobody was moved to this plan or away from it.")
        return
    table = Table("Key", "From", "To", "Asked by", "On", "Waiting", "Moved", "Stayed", "Why")
    for one in rows:
        table.add_row(
            str(one.batch_id), plain(one.from_plan), plain(one.to_plan), plain(one.asked_name),
            f"{one.asked_at:%Y-%m-%d}", f"{one.waiting:,}", f"{one.moved:,}", f"{one.stayed:,}", plain(one.reason),
        )  # fmt: skip
    out.print(table)


def plans_undo_migration(
    batch: Annotated[UUID, typer.Argument(help="The key, as `sightline plans migrations` shows it.")], reason: Reason
) -> None:
    """Let those stay who still wait, and bring back those who were moved.

    Example: `sightline plans undo-migration 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The price was wrong"`
    """
    with shared.operating() as (engine, by):
        back = moving.undo_move(engine, by, batch, reason=reason)
    say(f"{back:,} have the plan that they had.")


def _touched(offer: Offer) -> Table:
    table = Table("Workspace", "Pays", "Would pay", "Period ends on", "Limits below what is used")
    for one in offer.touched:
        shrunk = ", ".join(f"{limit.meter} {limit.limit:,} of {limit.used:,} used" for limit in one.shrunk)
        table.add_row(
            plain(one.workspace), f"{one.price_before.normalize():f} {one.currency}",
            f"{one.price_after.normalize():f} {one.currency}", str(one.period_ends_on), shrunk,
        )  # fmt: skip
    return table
