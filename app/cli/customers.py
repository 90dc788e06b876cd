"""The commands of customers: their workspaces, the people in them, and what they subscribe to."""

from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import customers as changing
from app.commands import subscriptions, workspaces
from app.records import customers as reading
from app.records.customers import Home, Person, Subscribed, Wanted
from app.records.plans import plan
from app.records.quotas import standings
from db.errors import SightlineError

customers_app = typer.Typer(no_args_is_help=True)
_MOST = 200
_STANDINGS = ("live", "past due", "ending", "none")

Slug = Annotated[str, typer.Argument(help="The short name of the workspace.")]
Email = Annotated[str, typer.Argument(help="The e-mail address of the person.")]
Product = Annotated[str, typer.Argument(help="The product, such as mailer.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


@customers_app.command(name="list")
def customers_list(
    words: Annotated[str, typer.Option(help="Of the name, the short name or the owner's address.")] = "",
    product: Annotated[list[str] | None, typer.Option(help="Which they subscribe to.")] = None,
    standing: Annotated[str | None, typer.Option(help="live, 'past due', ending or none.")] = None,
) -> None:
    """Show workspaces, the newest first.

    Example: `sightline customers list --words acme`
    """
    if standing is not None and standing not in _STANDINGS:
        raise SightlineError(f"'{standing}' is no standing.", fix=f"Choose one of {', '.join(_STANDINGS)}.")
    with shared.operating_all() as (engines, by):
        wanted = Wanted(words=words, products=tuple(product or ()), standing=standing)
        found = reading.customers(engines.ro, by, wanted, limit=_MOST)
    table = Table("Workspace", "Short name", "Owner", "Subscribes to", "People", "Since")
    for one in found.rows:
        table.add_row(
            plain(one.name), one.slug, plain(one.owner or "nobody"), ", ".join(one.plans), f"{one.members:,}",
            f"{one.created_at:%Y-%m-%d}",
        )  # fmt: skip
    out.print(table)
    if found.next:
        say(f"These are the newest {_MOST}; --words finds others.")


@customers_app.command(name="show")
def customers_show(workspace: Slug) -> None:
    """Show who is in a workspace, and what it subscribes to.

    Example: `sightline customers show acme`
    """
    with shared.operating_all() as (engines, by):
        home = _home(engines.ro, by, workspace)
        people, bought = reading.people(engines.ro, by, home.id), reading.subscriptions(engines.ro, by, home.id)
    say(f"{home.name} ({home.slug}), owned by {home.owner or 'nobody'}, amounts in {home.currency}.")
    table = Table("E-mail", "Name", "Role", "Let in", "Credits")
    for one in people:
        table.add_row(
            plain(one.email), plain(one.name or ""), one.role, "yes" if one.is_active else "no", f"{one.credits:,}"
        )
    out.print(table)
    table = Table("Product", "Plan", "Version", "Price", "Paid", "Status", "Period ends on")
    for sold in bought:
        table.add_row(
            sold.product, plain(sold.plan), str(sold.version), f"{sold.price:f} {sold.currency}", sold.billing_cycle,
            "ending" if sold.is_live and sold.cancel_at_period_end else sold.status, str(sold.current_period_end),
        )  # fmt: skip
    out.print(table)


@customers_app.command(name="invite")
def customers_invite(
    workspace: Slug,
    email: Email,
    *,
    role: Annotated[str, typer.Option(help=f"One of {', '.join(changing.GIVEN_ROLES)}.")],
    reason: Reason,
) -> None:
    """Let somebody into a workspace; a new address becomes a customer.

    Example: `sightline customers invite acme ann@acme.example --role editor --reason "Asked for by the owner"`
    """
    with shared.operating_all() as (engines, by):
        home = _home(engines.ro, by, workspace)
        changing.invite(engines.rw, by, home.id, email=email, role=role, reason=reason)
    say(f"{email} is in {home.name} as {role}.")


@customers_app.command(name="role")
def customers_role(
    workspace: Slug, email: Email, role: Annotated[str, typer.Argument(help="From now on.")], *, reason: Reason
) -> None:
    """Give somebody in a workspace another role.

    Example: `sightline customers role acme ann@acme.example admin --reason "Leads the team now"`
    """
    with shared.operating_all() as (engines, by):
        home, one, member = _member(engines.ro, by, workspace, email)
        changing.change_role(engines.rw, by, home.id, member, role, was=one.role, reason=reason)
    say(f"{one.email} is in {home.name} as {role}.")


@customers_app.command(name="remove")
def customers_remove(workspace: Slug, email: Email, *, reason: Reason) -> None:
    """Take somebody out of a workspace; what they made there stays.

    Example: `sightline customers remove acme ann@acme.example --reason "Left the company"`
    """
    with shared.operating_all() as (engines, by):
        home, one, member = _member(engines.ro, by, workspace, email)
        changing.remove(engines.rw, by, home.id, member, reason=reason)
    say(f"{one.email} is in {home.name} no more.")


@customers_app.command(name="hand-over")
def customers_hand_over(workspace: Slug, email: Email, *, reason: Reason) -> None:
    """Make somebody in a workspace its owner; who owned it stays as an admin.

    Example: `sightline customers hand-over acme ann@acme.example --reason "The founder left"`
    """
    with shared.operating_all() as (engines, by):
        home, one, member = _member(engines.ro, by, workspace, email)
        changing.hand_over(engines.rw, by, home.id, member, revision=home.revision, reason=reason)
    say(f"{one.email} owns {home.name}.")


@customers_app.command(name="deactivate")
def customers_deactivate(workspace: Slug, email: Email, *, reason: Reason) -> None:
    """Let somebody of a workspace in no more, in any workspace; every session of theirs is over.

    Example: `sightline customers deactivate acme ann@acme.example --reason "A stolen account"`
    """
    with shared.operating_all() as (engines, by):
        _, one = _person(engines.ro, by, workspace, email)
        ended = changing.deactivate(engines.rw, by, one.user_id, reason=reason)
    say(f"{one.email} is not let in any more; {ended:,} sessions ended.")


@customers_app.command(name="reactivate")
def customers_reactivate(workspace: Slug, email: Email, *, reason: Reason) -> None:
    """Let somebody of a workspace in again.

    Example: `sightline customers reactivate acme ann@acme.example --reason "It was a mistake"`
    """
    with shared.operating_all() as (engines, by):
        _, one = _person(engines.ro, by, workspace, email)
        changing.reactivate(engines.rw, by, one.user_id, reason=reason)
    say(f"{one.email} is let in again.")


@customers_app.command(name="end-sessions")
def customers_end_sessions(workspace: Slug, email: Email, *, reason: Reason) -> None:
    """Sign somebody of a workspace out everywhere.

    Example: `sightline customers end-sessions acme ann@acme.example --reason "A lost notebook"`
    """
    with shared.operating_all() as (engines, by):
        _, one = _person(engines.ro, by, workspace, email)
        ended = changing.end_sessions(engines.rw, by, one.user_id, reason=reason)
    say(f"{one.email} is signed out everywhere; {ended:,} sessions ended.")


@customers_app.command(name="change-plan")
def customers_change_plan(
    workspace: Slug,
    product: Product,
    *,
    to: Annotated[UUID | None, typer.Option(help="The key of the plan; without it, those that there are.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit log.")] = "",
    yes: Yes = False,
) -> None:
    """Show what another plan changes for a workspace, and give it that plan from now on.

    Example: `sightline customers change-plan acme mailer --to $PLAN --reason "They grew"`
    """
    with shared.operating_all() as (engines, by):
        home, one = _subscription(engines.ro, by, workspace, product)
        offers = reading.offers(engines.ro, by, product=product, currency=one.currency)
        if to is None:
            table = Table("Key", "Plan", "Version", "Price", "Paid", "Status")
            for offer in offers:
                table.add_row(
                    str(offer.id), plain(offer.name), str(offer.version), f"{offer.price:f} {offer.currency}",
                    offer.billing_period, "has it" if offer.id == one.plan_id else offer.status,
                )  # fmt: skip
            out.print(table)
            return
        if all(offer.id != to for offer in offers):
            raise SightlineError(
                f"No plan of {product} in {one.currency} has this key.",
                fix="Without --to, those that there are are shown.",
            )
        out.print(_touched(engines.ro, by, home, one, to))
        if not yes and not typer.confirm(f"Give {home.name} this plan from now on?"):
            say("Nothing was changed.")
            return
        subscriptions.change_plan(engines.rw, by, home.id, one.id, to, revision=one.revision, reason=reason)
        now = next(sold for sold in reading.subscriptions(engines.ro, by, home.id) if sold.id == one.id)
    say(f"{home.name} has {now.plan}, version {now.version}, for {now.price:f} {now.currency}.")


@customers_app.command(name="cancel")
def customers_cancel(workspace: Slug, product: Product, *, reason: Reason) -> None:
    """Let a subscription end with the period that is paid for.

    Example: `sightline customers cancel acme mailer --reason "Too dear"`
    """
    with shared.operating_all() as (engines, by):
        home, one = _subscription(engines.ro, by, workspace, product)
        subscriptions.cancel_at_period_end(engines.rw, by, home.id, one.id, revision=one.revision, reason=reason)
    say(f"{one.plan} of {home.name} ends on {one.current_period_end}.")


@customers_app.command(name="resume")
def customers_resume(workspace: Slug, product: Product, *, reason: Reason) -> None:
    """Renew a subscription after all that would have ended with its period.

    Example: `sightline customers resume acme mailer --reason "They stay"`
    """
    with shared.operating_all() as (engines, by):
        home, one = _subscription(engines.ro, by, workspace, product)
        subscriptions.resume(engines.rw, by, home.id, one.id, revision=one.revision, reason=reason)
    say(f"{one.plan} of {home.name} is renewed on {one.current_period_end}.")


@customers_app.command(name="delete")
def customers_delete(workspace: Slug, *, reason: Reason, yes: Yes = False) -> None:
    """Show what goes with a workspace, and delete it with all of that; it can be restored.

    Example: `sightline customers delete acme --reason "Asked for by the owner"`
    """
    with shared.operating_all() as (engines, by):
        home = _home(engines.ro, by, workspace)
        gone = workspaces.belongings_of(engines.rw, by, home.id)
        what = ", ".join(f"{number:,} {name}" for name, number in gone.rows.items()) or "nothing else"
        say(f"With {home.name} go: {what}. {gone.live_subscriptions:,} subscriptions are live and stay as they are.")
        if not yes and not typer.confirm(f"Delete {home.name}?"):
            say("Nothing was deleted.")
            return
        workspaces.delete_workspace(engines.rw, by, home.id, revision=home.revision, reason=reason)
    say(f"{home.name} is deleted. `sightline customers restore {home.slug} --reason Regretted` brings it back.")


@customers_app.command(name="restore")
def customers_restore(workspace: Slug, *, reason: Reason) -> None:
    """Bring a deleted workspace back, with what went with it.

    Example: `sightline customers restore acme --reason "It was a mistake"`
    """
    with shared.operating_all() as (engines, by):
        # The latest of them first: a short name may have been used again.
        deleted = workspaces.deleted_workspaces(engines.pipe, by)
        found = next((one for one in deleted if one.slug == workspace), None)
        if found is None:
            told = ", ".join(one.slug for one in deleted[:_MOST]) or "none"
            raise SightlineError(f"No deleted workspace is called {workspace}.", fix=f"There are: {told}.")
        workspaces.restore_workspace(engines.rw, by, found.id, reason=reason)
    say(f"{found.name} is back.")


def _touched(engine: Engine, by: Viewer, home: Home, one: Subscribed, to: UUID) -> Table:
    """What is paid and allowed now and then, beside what is used."""
    now, then = (found.terms for key in (one.plan_id, to) if (found := plan(engine, by, key)))
    used = {
        f"{found.meter} {found.period}": found.used + found.held
        for found in standings(engine, by, slug=home.slug, products=(one.product,))
    }
    table = Table("", f"Now: {now.name}", f"Then: {then.name}", "Used")
    table.add_row("price", f"{one.price:f} {one.currency}", f"{then.price:f} {then.currency}", "")
    for name in sorted({*now.limits, *then.limits}):
        before, after = (str(terms.limits.get(name, "without limit")) for terms in (now, then))
        table.add_row(name, before, after, f"{used.get(name, 0):,}")
    return table


def _home(engine: Engine, by: Viewer, slug: str) -> Home:
    found = reading.customers(engine, by, Wanted(slugs=(slug,)), limit=1).rows
    if not found:
        raise SightlineError(f"No workspace is called {slug}.", fix="`sightline customers list` shows them.")
    return found[0]


def _person(engine: Engine, by: Viewer, slug: str, email: str) -> tuple[Home, Person]:
    home = _home(engine, by, slug)
    for one in reading.people(engine, by, home.id):
        if one.email.lower() == email.strip().lower():
            return home, one
    raise SightlineError(
        f"Nobody in {home.name} has the address {email}.", fix=f"`sightline customers show {slug}` shows everyone."
    )


def _member(engine: Engine, by: Viewer, slug: str, email: str) -> tuple[Home, Person, UUID]:
    home, one = _person(engine, by, slug, email)
    if one.member_id is None:
        raise SightlineError(
            f"{one.email} owns {home.name}, and is no member besides.", fix="Hand it over to somebody else first."
        )
    return home, one, one.member_id


def _subscription(engine: Engine, by: Viewer, slug: str, product: str) -> tuple[Home, Subscribed]:
    home = _home(engine, by, slug)
    for one in reading.subscriptions(engine, by, home.id):
        if one.is_live and one.product == product:
            return home, one
    raise SightlineError(
        f"{home.name} does not subscribe to {product}.", fix=f"`sightline customers show {slug}` shows to what it does."
    )
