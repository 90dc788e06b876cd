"""The commands of tokens: by which programs of the team's people call the API."""

from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import tokens as acting

tokens_app = typer.Typer(no_args_is_help=True)


@tokens_app.command(name="make")
def tokens_make(
    email: Annotated[str, typer.Argument(help="Of the person as whom the token acts.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    days: Annotated[int, typer.Option(help="It ends after so many days.")] = 90,
    only_reads: Annotated[bool, typer.Option("--only-reads", help="It asks questions and changes nothing.")] = False,
) -> None:
    """Make a token that may what the person may, at each call anew. It is shown this once.

    Example: `sightline tokens make ada@example.com --name "Nightly export" --days 90 --only-reads`
    """
    with shared.operating() as (engine, by):
        made = acting.make_token(engine, by, name=name, days=days, only_reads=only_reads, email=email)
    say(f"The token {made.id} ends on {made.expires_at:%d %B %Y}. Keep it now, nobody can show it again:")
    out.print(made.token, markup=False, soft_wrap=True)


@tokens_app.command(name="list")
def tokens_list() -> None:
    """Show the tokens that open something, and when each was used last.

    Example: `sightline tokens list`
    """
    # Tokens are hidden from the role of pages.
    with shared.operating() as (engine, by):
        rows = acting.tokens(engine, by, of_everybody=True)
    if not rows:
        say("There is no token. `sightline tokens make --help` says how to make one.")
        return
    table = Table("Key", "Of", "For", "Begins with", "May", "Made", "Ends", "Last used")
    for one in rows:
        used = "never" if one.last_used_at is None else f"{one.last_used_at:%Y-%m-%d %H:%M}"
        table.add_row(
            str(one.id), one.email, plain(one.name), one.begins_with, "read" if one.only_reads else "read and change",
            f"{one.created_at:%Y-%m-%d}", f"{one.expires_at:%Y-%m-%d}", used,
        )  # fmt: skip
    out.print(table)


@tokens_app.command(name="revoke")
def tokens_revoke(key: Annotated[UUID, typer.Argument(help="Of the token, as the list shows it.")]) -> None:
    """End a token now: the next call with it is refused.

    Example: `sightline tokens revoke 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10`
    """
    with shared.operating() as (engine, by):
        acting.revoke_token(engine, by, key)
    say("The token is revoked.")
