"""The commands of shelves: listing, making, renaming, ordering and retiring them, and putting templates on them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import Engine

from app.access import Viewer
from app.cli import shared
from app.cli.template_parts import Key, one_template
from app.cli.words import out, plain, say
from app.commands import templates_shelves as commands
from app.commands.templates_shelves import Label
from app.records.template_texts import Shelf, shelves, shelves_of
from db.errors import SightlineError

shelves_app = typer.Typer(help="Shelves, on which templates are found.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Description = Annotated[str | None, typer.Option(help="What stands on it, in a sentence; empty: none.")]


@shelves_app.command(name="list")
def shelves_list() -> None:
    """Show shelves in the order in which products show them.

    Example: `sightline templates shelves list`
    """
    with shared.reading() as (engine, by):
        found = shelves(engine, by)
    if not found:
        say("There is no shelf.")
        return
    table = Table("Key", "Name", "Of", "Kind", "Description", "Templates", "State")
    for one in found:
        table.add_row(
            str(one.id), plain(one.name), plain(one.workspace), one.kind, plain(one.description or ""),
            f"{one.templates:,}", "in use" if one.is_active else "retired",
        )  # fmt: skip
    out.print(table)


@shelves_app.command(name="create")
def shelves_create(
    name: Annotated[str, typer.Argument(help="As people will read it.")],
    *,
    kind: Annotated[str, typer.Option(help="email or ad.")] = "email",
    workspace: Annotated[str | None, typer.Option(help="The slug of the workspace; without it, the library.")] = None,
    description: Description = None,
) -> None:
    """Make a new shelf, the last of its kind.

    Example: `sightline templates shelves create Spring --kind email`
    """
    with shared.operating() as (engine, by):
        key = commands.create_shelf(engine, by, Label(name, description), kind=kind, workspace_slug=workspace)
    say(f"The shelf {key} is there.")


@shelves_app.command(name="rename")
def shelves_rename(
    key: Key,
    name: Annotated[str, typer.Argument(help="What it is called from now on.")],
    *,
    description: Description = None,
) -> None:
    """Call a shelf otherwise; templates stay on it.

    Example: `sightline templates shelves rename 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 May`
    """
    with shared.operating() as (engine, by):
        one = _one(shelves(engine, by), key)
        label = Label(name, one.description if description is None else description)
        commands.rename_shelf(
            engine, by, key, label, revision=one.revision, made_on=Label(one.name, one.description)
        )  # fmt: skip
    say(f"{one.name} is called {name}.")


@shelves_app.command(name="order")
def shelves_order(
    keys: Annotated[list[UUID], typer.Argument(help="All shelves of one workspace and kind, the first one first.")],
) -> None:
    """Put the shelves of one workspace and kind in this order.

    All of them, as the list shows their keys. Example: `sightline templates shelves order 0199f1c2-7b1e-7a60-9d2f-… …`
    """
    with shared.operating() as (engine, by):
        found = shelves(engine, by)
        first = _one(found, keys[0])
        was = [one.id for one in found if (one.workspace_id, one.kind) == (first.workspace_id, first.kind)]
        commands.order_shelves(engine, by, keys, was=was)
    say("The shelves stand in this order.")


@shelves_app.command(name="retire")
def shelves_retire(key: Key, *, reason: Reason) -> None:
    """Show a shelf to nobody who looks for templates; what is on it stays there.

    Example: `sightline templates shelves retire 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The season is over"`
    """
    with shared.operating() as (engine, by):
        one = _one(shelves(engine, by), key)
        commands.retire_shelf(engine, by, key, revision=one.revision, reason=reason)
    say(f"{one.name} is retired.")


@shelves_app.command(name="reinstate")
def shelves_reinstate(key: Key) -> None:
    """Show a retired shelf again.

    Example: `sightline templates shelves reinstate 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        one = _one(shelves(engine, by), key)
        commands.reinstate_shelf(engine, by, key, revision=one.revision)
    say(f"{one.name} is in use again.")


@shelves_app.command(name="put")
def shelves_put(
    template: Key,
    on: Annotated[list[UUID] | None, typer.Argument(help="The keys of shelves; none: it stands on no shelf.")] = None,
) -> None:
    """Let a template stand on exactly these shelves.

    Example: `sightline templates shelves put 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1b22`
    """
    chosen = list(dict.fromkeys(on or ()))
    with shared.operating() as (engine, by):
        one = one_template(engine, by, template)
        commands.put_on_shelves(engine, by, template, chosen, was=_standing(engine, by, template))
    say(f"{one.name} stands on 1 shelf." if len(chosen) == 1 else f"{one.name} stands on {len(chosen)} shelves.")


def _standing(engine: Engine, by: Viewer, template: UUID) -> list[UUID]:
    return sorted(shelves_of(engine, by, template))


def _one(found: Sequence[Shelf], key: UUID) -> Shelf:
    there = next((one for one in found if one.id == key), None)
    if there is None:
        raise SightlineError(f"There is no shelf {key}.", fix="`sightline templates shelves list` shows their keys.")
    return there
