"""The commands of integrations: connections to platforms and to Meta, and what can be done with them."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table

from app.cli import shared
from app.cli.words import out, plain, say
from app.commands import integrations as changing
from app.records import integrations as reading
from app.records.integrations import Integration
from app.records.reading import MOST_ROWS, Place
from db.errors import SightlineError

integrations_app = typer.Typer(no_args_is_help=True)

Key = Annotated[UUID, typer.Argument(help="Of the connection, as `sightline integrations list` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]


@integrations_app.command(name="list")
def integrations_list(
    workspace: Annotated[str | None, typer.Option(help="Of the workspace with this slug alone.")] = None,
    needing: Annotated[bool, typer.Option("--needing-care", help="Those that fail, have expired or soon do.")] = False,
) -> None:
    """Show connections with their state, their token's end and their last error; never a secret.

    Example: `sightline integrations list --needing-care`
    """
    found: list[Integration] = []
    after: Place | None = None
    with shared.reading() as (engine, by):
        while True:
            page = reading.integrations(
                engine, by, slugs=(workspace,) if workspace else (), needing=needing, after=after, limit=MOST_ROWS
            )
            found += page.rows
            after = page.next
            if after is None:
                break
    if not found:
        say("There is no such connection.")
        return
    out.print(_listed(found))


@integrations_app.command(name="disable")
def integrations_disable(key: Key, reason: Reason) -> None:
    """Let nothing be synced with a connection until it is enabled; it stays connected.

    Example: `sightline integrations disable 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It floods the platform"`
    """
    _change(changing.disable_integration, key, reason, "The connection is disabled.")


@integrations_app.command(name="enable")
def integrations_enable(key: Key, reason: Reason) -> None:
    """Let a disabled connection be synced again.

    Example: `sightline integrations enable 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "It is mended"`
    """
    _change(changing.enable_integration, key, reason, "The connection is enabled.")


@integrations_app.command(name="reauthorize")
def integrations_reauthorize(
    key: Key,
    reason: Reason,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the mark back.")] = False,
) -> None:
    """Mark a connection: its product asks the customer to authorise it anew.

    Example: `sightline integrations reauthorize 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "A scope is missing"`
    """
    if withdraw:
        _change(changing.withdraw_reauthorization, key, reason, "The mark is taken back.")
    else:
        _change(changing.ask_reauthorization, key, reason, "The connection is marked to be authorised anew.")


@integrations_app.command(name="disconnect")
def integrations_disconnect(key: Key, reason: Reason) -> None:
    """Destroy a connection's secret for good; its row, analyses and history stay.

    Example: `sightline integrations disconnect 0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10 --reason "The customer asked"`
    """
    _change(changing.disconnect_integration, key, reason, "The connection is disconnected, and its secret is gone.")


def _change(change: Callable[..., int], key: UUID, reason: str, done: str) -> None:
    with shared.operating() as (engine, by):
        one = reading.integration(engine, by, key)
        if one is None:
            raise SightlineError(f"No connection has the key {key}.", fix="`sightline integrations list` shows them.")
        change(engine, by, key, revision=one.revision, reason=reason)
    say(done)


def _listed(found: list[Integration]) -> Table:
    table = Table("Key", "Workspace", "Platform", "State", "Token ends", "Last sync", "Error")
    for one in found:
        state = f"{one.state}{', disabled' if one.disabled_at else ''}"
        table.add_row(
            str(one.id), plain(one.workspace), one.platform, state,
            f"{one.token_expires_at:%Y-%m-%d}" if one.token_expires_at else "",
            f"{one.last_sync_at:%Y-%m-%d %H:%M}" if one.last_sync_at else "", plain(one.error or ""),
        )  # fmt: skip
    return table
