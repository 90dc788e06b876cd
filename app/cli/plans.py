"""The commands of plans: drafts and what they say, publishing with approval, and moving who has a version."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import plan_moves, shared, simulations
from app.cli.words import out, plain, say
from app.commands import plan_publishing as publishing
from app.commands import plans as drafting
from app.commands.texts import plain as as_read
from app.records import plans as reading
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms, side_by_side
from app.records.plans import PlanDetail
from db.errors import SightlineError

plans_app = typer.Typer(no_args_is_help=True)

Key = Annotated[UUID, typer.Argument(help="The key of the plan, as the list shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Name = Annotated[str | None, typer.Option(help="As customers read it.")]
Description = Annotated[str | None, typer.Option(help="A sentence about it.")]
Price = Annotated[str | None, typer.Option(help="For a billing period, such as 29 or 99.50.")]
Currency = Annotated[str | None, typer.Option(help="Its code, such as USD.")]
Period = Annotated[str | None, typer.Option(help="monthly or annual.")]
Credits = Annotated[int | None, typer.Option(help="For generations, in a billing period.")]
Watermark = Annotated[bool | None, typer.Option("--watermark/--no-watermark", help="On what is made with it.")]


@plans_app.command(name="list")
def plans_list(
    product: Annotated[str | None, typer.Option(help="Of one product alone.")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="With those that are sold no more.")] = False,
    discarded: Annotated[bool, typer.Option("--discarded", help="With drafts that were taken off the list.")] = False,
) -> None:
    """Show every tier: what is live, what waits for its day, and drafts.

    Example: `sightline plans list --product mailer`
    """
    with shared.reading() as (engine, by):
        rows = reading.plans(engine, by, products=[product] if product else (), discarded=discarded)
    table = Table("Key", "Product", "Tier", "Version", "Stands", "Name", "Price", "Paid", "Subscribers", "Live from")
    for one in rows:
        if one.status == "retired" and not retired:
            continue
        stands = "waits for approval" if one.waits_for_approval else one.status
        table.add_row(
            str(one.id), one.product, one.tier, str(one.version), stands, plain(one.name),
            f"{one.price.normalize():f} {one.currency}", one.billing_period, f"{one.subscribers:,}",
            str(one.publishes_on or (one.published_at and one.published_at.date()) or ""),
        )  # fmt: skip
    out.print(table)


@plans_app.command(name="show")
def plans_show(key: Key) -> None:
    """Show what a version says, and who has it.

    Example: `sightline plans show 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.reading() as (engine, by):
        found = _found(engine, by, key)
        subscribed = reading.subscribers(engine, by, key)
    say(f"{found.now.titled} is {found.now.status}, of {found.now.product} {found.now.tier}.")
    table = Table("What", "Says")
    for name, value in found.terms.fields.items():
        table.add_row(name.replace("_", " "), plain(as_read(value)))
    out.print(table)
    say(f"{len(subscribed):,} subscribe to it.")


@plans_app.command(name="compare")
def plans_compare(
    key: Key, other: Annotated[UUID | None, typer.Option(help="Another version than the live one.")] = None
) -> None:
    """Show what differs from the version that is live, or from another one.

    Example: `sightline plans compare 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.reading() as (engine, by):
        found = _found(engine, by, key)
        beside = _found(engine, by, other) if other else None
    named, terms = (beside.now, beside.terms) if beside else (found.beside, found.beside_terms)
    if named is None or terms is None:
        say("There is no live version of this tier, currency and period to compare with.")
        return
    there, here = side_by_side(terms, found.terms)
    table = Table("What", plain(named.titled), plain(found.now.titled))
    for name in here:
        if here[name] != there[name]:
            table.add_row(name.replace("_", " "), plain(as_read(there[name])), plain(as_read(here[name])))
    out.print(table) if table.row_count else say(f"It says what {named.titled} says.")


@plans_app.command(name="draft")
def plans_draft(
    *,
    of: Annotated[UUID | None, typer.Option(help="Begin with what this version says.")] = None,
    product: Annotated[str | None, typer.Option(help="Of a new draft: such as mailer.")] = None,
    tier: Annotated[str | None, typer.Option(help="Of a new draft: such as pro.")] = None,
    name: Name = None,
    price: Price = None,
    currency: Currency = None,
    period: Period = None,
    reason: Reason = "",
) -> None:
    """Make a draft: of a version that there is, or a new one of any product and tier.

    Example: `sightline plans draft --product mailer --tier growth --name "Mailer Growth" --price 41 --currency EUR`
    """
    with shared.operating() as (engine, by):
        if of is not None:
            key = drafting.draft_from(engine, by, of, reason=reason)
        elif product is None or tier is None or name is None or price is None:
            raise SightlineError(
                "It was not said what to draft.", fix="Give --of, or --product, --tier, --name and --price."
            )
        else:
            terms = PlanTerms(name, _amount(price), currency or "USD", period or "monthly")
            key = drafting.new_draft(engine, by, product, tier, terms, reason=reason)
    say(f"The draft {key} is there.")


@plans_app.command(name="change")
def plans_change(
    key: Key,
    *,
    name: Name = None,
    description: Description = None,
    price: Price = None,
    currency: Currency = None,
    period: Period = None,
    credits_: Annotated[int | None, typer.Option("--credits", help="For generations, in a billing period.")] = None,
    watermark: Watermark = None,
    reason: Reason = "",
) -> None:
    """Change a draft; what is not given stays as it is.

    Example: `sightline plans change 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --price 41 --reason "Models cost more"`
    """
    said: dict[str, Any] = {
        "name": name, "description": description, "price": None if price is None else _amount(price),
        "currency": currency, "billing_period": period, "generation_credits": credits_, "has_watermark": watermark,
    }  # fmt: skip
    given = {field: value for field, value in said.items() if value is not None}
    with shared.operating() as (engine, by):
        now = _found(engine, by, key)
        _change(engine, by, now, replace(now.terms, **given), reason)
    say("The draft was changed.")


@plans_app.command(name="limit")
def plans_limit(
    key: Key,
    meter: Annotated[str, typer.Argument(help="Such as generations.")],
    *,
    period: Annotated[str, typer.Option(help="day, month, year or lifetime.")] = "month",
    amount: Annotated[int | None, typer.Option(help="How much is allowed.")] = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Without a limit, in place of --amount.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Let the plan not speak of it, in place of --amount.")] = False,
    soft: Annotated[bool | None, typer.Option("--soft/--hard", help="Whether it refuses, or only tells.")] = None,
    grace: Annotated[int | None, typer.Option(help="So much more is allowed for a while.")] = None,
    grace_days: Annotated[int | None, typer.Option(help="For so many days; 0: to the period's end.")] = None,
    rolls_over: Annotated[
        bool | None, typer.Option("--rolls-over/--ends", help="What becomes of what is left of a period.")
    ] = None,
    reason: Reason = "",
) -> None:
    """Set a limit of a draft, or take it away.

    Example: `sightline plans limit 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 emails --amount 12000 --grace 500`
    """
    if (amount is not None) + unlimited + drop > 1:
        raise SightlineError("Several things were said of the limit.", fix="Give --amount, --unlimited or --drop.")
    with shared.operating() as (engine, by):
        now = _found(engine, by, key)
        before = now.terms.limits.get(f"{meter} {period}")
        if before is None and amount is None and not unlimited:
            raise SightlineError(
                f"The draft has no limit of {meter} by the {period}.", fix="Give --amount or --unlimited to make it."
            )
        said: dict[str, Any] = {
            "amount": amount, "enforcement": None if soft is None else "soft" if soft else "hard",
            "grace_amount": grace, "grace_days": grace_days, "rolls_over": rolls_over,
        }  # fmt: skip
        given = {field: value for field, value in said.items() if value is not None}
        given |= {"amount": None} if unlimited else {}
        limit = None if drop else replace(before or PlanLimit(None), **given)
        _change(engine, by, now, now.terms.with_limit(meter, period, limit), reason)
    say("The draft was changed.")


@plans_app.command(name="feature")
def plans_feature(
    key: Key,
    feature: Annotated[str, typer.Argument(help="As products look for it, such as team_seats.")],
    *,
    on: Annotated[bool | None, typer.Option("--on/--off", help="It is there, or not.")] = None,
    value: Annotated[str | None, typer.Option(help="A fixed value: a number, or words.")] = None,
    metered_by: Annotated[str | None, typer.Option(help="The meter of a limit of the draft.")] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Let the plan not speak of it.")] = False,
    reason: Reason = "",
) -> None:
    """Set a feature of a draft, or take it away.

    Example: `sightline plans feature 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 team_seats --value 10`
    """
    if (on is not None) + (value is not None) + (metered_by is not None) + drop != 1:
        raise SightlineError("Say one thing of the feature.", fix="Give --on, --off, --value, --metered-by or --drop.")
    wanted = None
    if on is not None:
        wanted = PlanFeature("boolean", on)
    elif value is not None:
        wanted = PlanFeature("static", int(value) if value.lstrip("-").isdecimal() else value)
    elif metered_by is not None:
        wanted = PlanFeature("metered", {"meter": metered_by})
    with shared.operating() as (engine, by):
        now = _found(engine, by, key)
        _change(engine, by, now, now.terms.with_feature(feature, wanted), reason)
    say("The draft was changed.")


@plans_app.command(name="discard")
def plans_discard(key: Key, reason: Reason = "") -> None:
    """Take a draft off the list; `sightline plans restore` brings it back.

    Example: `sightline plans discard 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Another one is better"`
    """
    with shared.operating() as (engine, by):
        drafting.discard_draft(engine, by, key, revision=_found(engine, by, key).now.revision, reason=reason)
    say("The draft is off the list.")


@plans_app.command(name="restore")
def plans_restore(key: Key, reason: Reason = "") -> None:
    """Bring a discarded draft back as it was.

    Example: `sightline plans restore 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        drafting.restore_draft(engine, by, key, revision=_found(engine, by, key).now.revision, reason=reason)
    say("The draft is back.")


@plans_app.command(name="publish")
def plans_publish(
    key: Key,
    reason: Reason,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, in UTC; else today.")] = None,
) -> None:
    """Let a draft go live today or on a day; below the margin floor, ask for another admin's approval.

    Example: `sightline plans publish 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --on 2027-01-01 --reason "New prices"`
    """
    day = on.date() if on else datetime.now(UTC).date()
    with shared.operating() as (engine, by):
        done = publishing.publish(
            engine, by, key, revision=_found(engine, by, key).now.revision, publishes_on=day, reason=reason
        )
    say(_told(done))


@plans_app.command(name="approvals")
def plans_approvals() -> None:
    """Show which publications wait for a second admin, and why.

    Example: `sightline plans approvals`
    """
    with shared.reading() as (engine, by):
        rows = reading.approvals(engine, by)
    if not rows:
        say("No publication waits for approval.")
        return
    table = Table("Key", "Plan", "From", "Margin after", "Floor", "Asked by", "Why")
    for one in rows:
        margin = "none: it earns nothing" if one.margin_after is None else f"{one.margin_after:,.1f} %"
        table.add_row(
            str(one.id), plain(one.plan), str(one.publishes_on), margin, f"{one.margin_floor.normalize():f} %",
            plain(one.asked_name), plain(one.reason),
        )  # fmt: skip
    out.print(table)


@plans_app.command(name="approve")
def plans_approve(
    approval: Annotated[UUID, typer.Argument(help="The key, as `sightline plans approvals` shows it.")], reason: Reason
) -> None:
    """Let a plan below the margin floor go live; who asked for it can't.

    Example: `sightline plans approve 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It wins customers"`
    """
    with shared.operating() as (engine, by):
        done = publishing.approve(engine, by, approval, reason=reason)
    say(_told(done))


@plans_app.command(name="decline")
def plans_decline(
    approval: Annotated[UUID, typer.Argument(help="The key, as `sightline plans approvals` shows it.")], reason: Reason
) -> None:
    """Leave a plan below the margin floor a draft; who asked takes it back by this.

    Example: `sightline plans decline 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Too dear"`
    """
    with shared.operating() as (engine, by):
        publishing.decline(engine, by, approval, reason=reason)
    say("It stays a draft.")


@plans_app.command(name="unpublish")
def plans_unpublish(key: Key, reason: Reason = "") -> None:
    """Make a draft again of a plan that waits for its day, or that nobody subscribed to yet.

    Example: `sightline plans unpublish 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Not yet"`
    """
    with shared.operating() as (engine, by):
        publishing.unpublish(engine, by, key, revision=_found(engine, by, key).now.revision, reason=reason)
    say("It is a draft again.")


@plans_app.command(name="retire")
def plans_retire(key: Key, reason: Reason) -> None:
    """Sell a version no more; those who have it keep it.

    Example: `sightline plans retire 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "Nobody takes it"`
    """
    with shared.operating() as (engine, by):
        publishing.retire(engine, by, key, revision=_found(engine, by, key).now.revision, reason=reason)
    say("It is sold no more. Those who have it keep it.")


@plans_app.command(name="reinstate")
def plans_reinstate(key: Key, reason: Reason = "") -> None:
    """Sell a retired version again, where no other one is sold in its place.

    Example: `sightline plans reinstate 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It was retired by mistake"`
    """
    with shared.operating() as (engine, by):
        publishing.reinstate(engine, by, key, revision=_found(engine, by, key).now.revision, reason=reason)
    say("It is sold again.")


plans_app.command(name="simulate")(simulations.simulate)
plans_app.command(name="review")(simulations.review)
plans_app.command(name="migrate")(plan_moves.plans_migrate)
plans_app.command(name="migrations")(plan_moves.plans_migrations)
plans_app.command(name="undo-migration")(plan_moves.plans_undo_migration)


def _found(engine: Engine, by: Viewer, key: UUID) -> PlanDetail:
    found = reading.plan(engine, by, key)
    if found is None:
        raise SightlineError("No plan has this key.", fix="`sightline plans list` shows them all.")
    return found


def _change(engine: Engine, by: Viewer, now: PlanDetail, terms: PlanTerms, reason: str) -> None:
    drafting.change_draft(
        engine, by, now.now.id, terms, revision=now.now.revision, reason=reason, made_on=now.terms
    )  # fmt: skip


def _amount(given: str) -> Decimal:
    try:
        return Decimal(given)
    except InvalidOperation:
        raise SightlineError(f"'{given}' is no amount.", fix="Give one such as 29 or 99.50.") from None


def _told(done: publishing.Publication) -> str:
    if done.status == "published":
        return "It is live."
    if done.status == "scheduled":
        return f"It goes live on {done.publishes_on:%d %B %Y}, at midnight UTC."
    return (
        "Its margin would be below the floor: an admin who is somebody else approves it, by"
        f" `sightline plans approve {done.approval}`."
    )
