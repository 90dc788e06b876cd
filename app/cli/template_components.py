"""The commands of the component library: what components say and said, and where they are offered."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.shared import read_text
from app.cli.template_parts import From, Key, To, numbered, print_differences
from app.cli.words import out, plain, say
from app.commands import templates_components as commands
from app.commands.templates_compared import component_parts
from app.commands.templates_components import terms_of
from app.records.component_texts import (
    ComponentText,
    ComponentVersion,
    component_text,
    component_version,
    component_versions,
)
from app.records.reading import workspaces_named
from app.records.templates import search_components
from db.errors import SightlineError

components_app = typer.Typer(help="Components of the library: what they say, and where they are offered.",
    no_args_is_help=True)  # fmt: skip

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Line = Annotated[str | None, typer.Option(help="What it says from now on; empty: nothing.")]


@components_app.command(name="list")
def components_list(
    words: Annotated[str, typer.Argument(help="Words of names and descriptions.")] = "",
    *,
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace whose they are.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as pricing or footer.")] = None,
    offered: Annotated[str | None, typer.Option(help="In the marketplace, the library alone, or to nobody.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000, help="So many at the most, the newest first.")] = 50,
) -> None:
    """Show components that customers saved.

    Example: `sightline templates components list table --offered marketplace`
    """
    with shared.reading() as (engine, by):
        chosen = workspaces_named(engine, by, [workspace]) if workspace else None
        found = search_components(engine, by, words, kind=kind, offered=offered, workspaces=chosen, limit=most)
    if not found.rows:
        say("No component is like this.")
        return
    table = Table("Key", "Name", "Of", "Kind", "Offered", "Price", "Downloads", "Likes")
    for one in found.rows:
        table.add_row(
            str(one.id), plain(one.name), plain(one.workspace), one.component_type,
            _offered(is_public=one.is_public, is_for_sale=one.is_marketplace_item), f"{one.price:,.2f} {one.currency}",
            f"{one.downloads:,}", f"{one.likes:,}",
        )  # fmt: skip
    out.print(table)
    if found.next:
        say("There are more: narrow the list, or ask for more with --most.")


@components_app.command(name="show")
def components_show(key: Key) -> None:
    """Show what a component says, and its versions.

    Example: `sightline templates components show 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.reading() as (engine, by):
        one = _one(engine, by, key)
        versions = component_versions(engine, by, key)
    offered = _offered(is_public=one.is_public, is_for_sale=one.is_marketplace_item)
    say(f"{one.name}: {one.component_type} of {one.workspace}, {offered}, {one.price:,.2f} {one.currency}")
    for label, value in (("Description", one.description), ("Category", one.category), ("Tags", ", ".join(one.tags))):
        say(f"{label}: {value or 'none'}")
    say(one.code or "No code.")
    kept = Table("Version", "Until", "By", "Because")
    for version in versions:
        kept.add_row(
            str(version.version), f"{version.changed_at:%Y-%m-%d %H:%M}", plain(version.changed_by or ""),
            plain(version.reason or ""),
        )  # fmt: skip
    out.print(kept)


@components_app.command(name="edit")
def components_edit(
    key: Key,
    *,
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it where it is said.")] = "",
    name: Line = None,
    description: Line = None,
    category: Line = None,
    tags: Annotated[str | None, typer.Option(help="Between commas; empty: none.")] = None,
    code: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A file with it, in UTF-8.")] = None,
    price: Annotated[str | None, typer.Option(help="In the marketplace, such as 9.50.")] = None,
) -> None:
    """Change what a component says; whoever is offered it is offered that at once.

    Example: `sightline templates components edit 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --tags "dark, wide"`
    """
    given: dict[str, Any] = {
        "name": name, "description": description, "category": category, "code": read_text(code),
        "tags": None if tags is None else tuple(tags.split(",")), "price": None if price is None else _price(price),
    }  # fmt: skip
    changed = {field: value for field, value in given.items() if value is not None}
    if not changed:
        raise SightlineError("Nothing to change was given.", fix="Give what it says from now on, such as --name.")
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        before = terms_of(one)
        commands.edit_component(
            engine, by, key, replace(before, **changed), revision=one.revision, reason=reason, made_on=before
        )
    say(f"{one.name} was changed.")


@components_app.command(name="diff")
def components_diff(key: Key, old: From, new: To = None) -> None:
    """Show what differs between two versions of a component, or between one and what it says now.

    Example: `sightline templates components diff 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 1`
    """
    with shared.reading() as (engine, by):
        now = _one(engine, by, key)
        before = _version(engine, by, key, old)
        after = now if new is None else _version(engine, by, key, new)
    print_differences(component_parts(before, after), *numbered(old, new))


@components_app.command(name="roll-back")
def components_roll_back(
    key: Key,
    version: Annotated[int, typer.Argument(help="As `sightline templates components show` lists it.")],
    *,
    reason: Reason,
) -> None:
    """Let a component say again what a version of it said; what it says now is kept as a version.

    Example: `sightline templates components roll-back 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 1 --reason "It worked then"`
    """
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        commands.roll_back_component(engine, by, key, version, revision=one.revision, reason=reason)
    say(f"{one.name} says what version {version} said.")


@components_app.command(name="offer")
def components_offer(key: Key) -> None:
    """Offer a component to every workspace in the library, for nothing.

    Example: `sightline templates components offer 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        commands.publish_component(engine, by, key, is_for_sale=False, revision=one.revision)
    say(f"{one.name} is offered in the library.")


@components_app.command(name="sell")
def components_sell(key: Key, price: Annotated[str, typer.Argument(help="In its currency, such as 9.50.")]) -> None:
    """Offer a component in the library, and in the marketplace for a price.

    Example: `sightline templates components sell 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 9.50`
    """
    asked = _price(price)
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        commands.publish_component(engine, by, key, is_for_sale=True, price=asked, revision=one.revision)
    say(f"{one.name} is offered in the marketplace for {asked} {one.currency}.")


@components_app.command(name="withdraw")
def components_withdraw(key: Key, *, reason: Reason) -> None:
    """Offer a component to nobody any more; those who took it keep it.

    Example: `sightline templates components withdraw 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It broke"`
    """
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        commands.retire_component(engine, by, key, revision=one.revision, reason=reason)
    say(f"{one.name} is withdrawn.")


@components_app.command(name="take-back")
def components_take_back(key: Key) -> None:
    """Undo the last change of where a component is offered and for how much.

    Example: `sightline templates components take-back 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        one = _one(engine, by, key)
        commands.offer_as_before(engine, by, key, revision=one.revision)
    say(f"{one.name} is offered as before.")


def _one(engine: Engine, by: Viewer, key: UUID) -> ComponentText:
    one = component_text(engine, by, key)
    if one is None:
        raise SightlineError(
            f"There is no component {key}.", fix="`sightline templates components list` shows their keys."
        )
    return one


def _version(engine: Engine, by: Viewer, key: UUID, version: int) -> ComponentVersion:
    found = component_version(engine, by, key, version)
    if found is None:
        raise SightlineError(
            f"There is no version {version} of this component.",
            fix="`sightline templates components show` lists those that there are.",
        )
    return found


def _offered(*, is_public: bool, is_for_sale: bool) -> str:
    if is_for_sale:
        return "in the marketplace"
    return "in the library" if is_public else "to nobody"


def _price(given: str) -> Decimal:
    try:
        return Decimal(given.strip())
    except InvalidOperation:
        raise SightlineError(f"'{given}' is no price.", fix="Give one such as 9.50, or 0.") from None
