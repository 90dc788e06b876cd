"""The commands of the team: who uses Sightline, with which roles, in which workspaces."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from app.access import Role
from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import team, team_rights
from app.commands.team import Member
from app.commands.team_rights import Rights
from db.errors import SightlineError

team_app = typer.Typer(no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of the person.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]


@team_app.command(name="add")
def team_add(
    email: Annotated[str, typer.Argument(help="By which the person signs in.")],
    role: Annotated[list[Role], typer.Option(help="May be given more than once.")],
    name: Annotated[str | None, typer.Option(help="As it is shown to others.")] = None,
    workspace: Annotated[list[str] | None, typer.Option(help="The slug of a workspace to be limited to.")] = None,
    password: Annotated[
        bool, typer.Option(help="--no-password: only an identity provider lets this person in.")
    ] = True,
) -> None:
    """Add a person to the team. The password is asked for, or read from a pipe, and is never an argument.

    Example: `sightline team add ada@example.com --role finance --name "Ada"`
    """
    secret = _password() if password else None
    with shared.operating() as (engine, by):
        team.add_member(
            engine, by, email=email, password=secret, roles=role, name=name, workspace_slugs=workspace or ()
        )
    say(f"{email} is in the team as {', '.join(role)}.")


@team_app.command(name="list")
def team_list() -> None:
    """Show everyone in the team.

    Example: `sightline team list`
    """
    # Sessions, which are counted here, are hidden from the role of pages.
    with shared.operating() as (engine, by):
        everyone = team.members(engine, by)
    if not everyone:
        say("Nobody is in the team yet. `sightline team add --help` says how to begin.")
        return
    table = Table("E-mail", "Name", "Roles", "Workspaces", "Active", "Last sign-in", "Sessions")
    for one in everyone:
        scope = "all" if one.workspaces is None else ", ".join(one.workspaces)
        table.add_row(
            plain(one.email), plain(one.name or ""), ", ".join(one.roles), scope, "yes" if one.is_active else "no",
            f"{one.last_login_at:%Y-%m-%d}" if one.last_login_at else "", str(one.sessions),
        )  # fmt: skip
    out.print(table)


@team_app.command(name="change")
def team_change(
    email: Email,
    *,
    reason: Reason,
    role: Annotated[list[Role] | None, typer.Option(help="All roles from now on; may be given more than once.")] = None,
    name: Annotated[str | None, typer.Option(help="As it is shown to others.")] = None,
    workspace: Annotated[list[str] | None, typer.Option(help="The slug of a workspace to be limited to.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Not limited to workspaces any more.")] = False,
) -> None:
    """Give a person other roles, another name or other workspaces; what is not named stays as it is.

    Example: `sightline team change ada@example.com --role finance --role viewer --reason "Joined finance"`
    """
    if workspace and everywhere:
        raise SightlineError("Both --workspace and --everywhere were given.", fix="Give one of them.")
    with shared.operating() as (engine, by):
        one = _one(team.members(engine, by), email)
        now = Rights(one.name, one.roles, one.workspaces)
        wanted = Rights(
            one.name if name is None else name,
            tuple(role) if role else one.roles,
            None if everywhere else tuple(workspace) if workspace else one.workspaces,
        )
        team_rights.change_member(engine, by, one.id, wanted, revision=one.revision, reason=reason, made_on=now)
    say(f"{one.email} is in the team as {', '.join(wanted.roles)}.")


@team_app.command(name="deactivate")
def team_deactivate(email: Email, *, reason: Reason) -> None:
    """Let a person in no more; every session of theirs is over.

    Example: `sightline team deactivate ada@example.com --reason "Left the company"`
    """
    with shared.operating() as (engine, by):
        one = _one(team.members(engine, by), email)
        team_rights.deactivate_member(engine, by, one.id, revision=one.revision, reason=reason)
    say(f"{one.email} is not let in any more.")


@team_app.command(name="reactivate")
def team_reactivate(email: Email, *, reason: Reason) -> None:
    """Let a person in again, with the roles that they had.

    Example: `sightline team reactivate ada@example.com --reason "Is back"`
    """
    with shared.operating() as (engine, by):
        one = _one(team.members(engine, by), email)
        team_rights.reactivate_member(engine, by, one.id, revision=one.revision, reason=reason)
    say(f"{one.email} is let in again.")


@team_app.command(name="end-sessions")
def team_end_sessions(email: Email, *, reason: Reason) -> None:
    """Sign a person out everywhere.

    Example: `sightline team end-sessions ada@example.com --reason "A lost notebook"`
    """
    with shared.operating() as (engine, by):
        one = _one(team.members(engine, by), email)
        team_rights.end_sessions(engine, by, one.id, reason=reason)
    say(f"{one.email} is signed out everywhere.")


@team_app.command(name="reset-password")
def team_reset_password(email: Email, *, reason: Reason) -> None:
    """Make a new password for a person and print it, once; every session of theirs is over.

    Example: `sightline team reset-password ada@example.com --reason "Forgotten"`
    """
    with shared.operating() as (engine, by):
        one = _one(team.members(engine, by), email)
        fresh = team_rights.reset_password(engine, by, one.id, revision=one.revision, reason=reason)
    say(f"The new password of {one.email}, which is not shown again: {fresh}")


def _one(everyone: Sequence[Member], email: str) -> Member:
    for one in everyone:
        if one.email.lower() == email.strip().lower():
            return one
    raise SightlineError(f"Nobody of the team has the address {email}.", fix="`sightline team list` shows everyone.")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    try:
        secret: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    except typer.Abort:
        # To Typer, Ctrl-C at a question is a refusal; to a shell it is an interrupt like any other.
        raise KeyboardInterrupt from None
    return secret
