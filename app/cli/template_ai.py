"""The commands that let a model write or rewrite a template: metered like every call, and shown before it is kept."""

from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy import Engine

from app.access import Viewer
from app.ai.access import Access
from app.ai.metered import MeteredClient
from app.cli import shared
from app.cli.template_parts import Key, one_template, print_differences
from app.cli.words import say
from app.commands.templates import Draft, create_template, edit_template
from app.commands.templates_compared import draft_of, parts_of
from app.commands.templates_drafted import draft_template
from app.quotas.answers import Refused
from app.records.template_texts import Text
from app.settings import settings
from db.errors import SightlineError
from db.tables import HOUSE_WORKSPACE

_WISH = "What it should say, such as: a welcome to new bakers, warm and short, with one button."
_COUNTED = "The slug of the workspace whose quota and budgets the call is counted in, as one of its owner."
Said = Annotated[str, typer.Argument(metavar="WISH", help=_WISH)]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask, keep it.")]


def templates_draft(
    said: Said,
    *,
    name: Annotated[str, typer.Option(help="As people will read it.")],
    counted_for: Annotated[str, typer.Option(help=_COUNTED)],
    product: Annotated[str, typer.Option(help="Such as email_studio.")] = "email_studio",
    workspace: Annotated[str | None, typer.Option(help="Whose it becomes; without it, the library's.")] = None,
    yes: Yes = False,
) -> None:
    """Let a model write an e-mail, show it, and keep it as a draft if you say so.

    Example: `sightline templates draft "A welcome to new bakers" --name Welcome --counted-for bright-bakery`
    """
    with shared.operating() as (engine, by):
        made = _written(engine, by, said, counted_for, product, Draft(""))
        if not _is_kept(f"Keep it as the draft {name}?", yes=yes):
            return
        key = create_template(engine, by, replace(made, name=name), product=product, workspace_slug=workspace)
    say(f"The template {key} is there, as a draft.")


def templates_rewrite(
    key: Key,
    said: Said,
    *,
    counted_for: Annotated[str | None, typer.Option(help=f"{_COUNTED} Without it, the template's own.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit log.")] = "Rewritten with AI.",
    yes: Yes = False,
) -> None:
    """Let a model rewrite a template, show what would change, and change it if you say so.

    Example: `sightline templates rewrite 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 "Shorter, and warmer"`
    """
    with shared.operating() as (engine, by):
        one = one_template(engine, by, key)
        before = draft_of(one)
        made = _written(engine, by, said, counted_for or _home(one), one.product, before)
        if not _is_kept(f"Change {one.name}?", yes=yes):
            return
        edit_template(engine, by, key, made, revision=one.revision, reason=reason, made_on=before)
    say(f"{one.name} was changed.")


def _home(one: Text) -> str:
    if one.workspace_id == HOUSE_WORKSPACE:
        raise SightlineError(
            "It was not said whose quota this is counted in.", why=f"{one.name} is of the library.",
            fix="Give a workspace's slug as --counted-for.",
        )  # fmt: skip
    return one.workspace_slug


def _written(  # noqa: PLR0917 - the command's own arguments
    engine: Engine, by: Viewer, wish: str, slug: str, product: str, before: Draft
) -> Draft:
    """What the model made of it, printed; where a limit, a budget or a stop is in the way, what products would say."""
    client = MeteredClient(engine, Access.of(settings()))
    made = draft_template(engine, by, wish, workspace_slug=slug, product=product, now=before, client=client)
    if isinstance(made, Refused):
        raise SightlineError(made.instead.title, why=made.instead.text, fix=made.instead.prompt or "")
    print_differences(parts_of(before, made.draft), "now", "then")
    say(f"Written {made.cost}. Nothing is saved yet.")
    return made.draft


def _is_kept(question: str, *, yes: bool) -> bool:
    is_kept = yes or typer.confirm(question)
    if not is_kept:
        say("Nothing was saved.")
    return is_kept
