"""The commands that look after an installation: its tables, its well-being, its keys, and its own code."""

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from app import database, keys
from app.cli import shared
from app.cli.words import out, plain, say
from app.health import findings
from app.settings import PROJECT
from db.errors import SightlineError
from db.rotation import keys_in_use, rotate, secret_columns
from db.tables import Base

CARE = 1

keys_app = typer.Typer(no_args_is_help=True)


def migrate() -> None:
    """Bring the database's tables to this version, renew the app's logins, and make the months ahead.

    Example: `DATABASE_URL=postgresql://owner@db.example/sightline sightline migrate`
    """
    with shared.setup() as (_, setup):
        database.migrate(setup, say)
        revision, _newest = database.migration_state(setup)
        say(f"The database is at revision {revision}.")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at the database, the isolation between workspaces, partitions, keys, disk, clock and locks.

    Exits with 1 when something needs care. Example: `sightline doctor --json`
    """
    with shared.setup() as (_, setup):
        found = list(findings(setup))
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        for one in found:
            mark = "[green]well[/]" if one.is_well else "[red]CARE[/]"
            out.print(f"{mark}  {one.subject:<11} {plain(one.says)}", soft_wrap=True)
            if not one.is_well:
                out.print(f"      {'':<11} {plain(one.fix)}", soft_wrap=True)
    if not all(one.is_well for one in found):
        raise typer.Exit(CARE)


def check() -> None:
    """Run what a change must pass: formatting, lint, types, imports, and all tests.

    Needs the development packages (`make test` installs them). Example: `sightline check`
    """
    for tool in (
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["import_linter"],
        ["pytest", "-q"],
    ):
        name = " ".join(tool)
        say(f"{name} …")
        command = ["lint-imports"] if tool == ["import_linter"] else [sys.executable, "-m", *tool]
        if subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the list above
            raise SightlineError(f"`{name}` found something.", why="Its lines are above.", fix="Mend it and run again.")


@keys_app.command(name="rotate")
def keys_rotate() -> None:
    """Make a new key, encrypt every secret anew with it, and drop keys that nothing uses any more.

    May be interrupted and run again at any time. Example: `sightline keys rotate`
    """
    with shared.setup() as (_, setup):
        columns = secret_columns(Base.metadata)
        current = keys.add_key()
        with setup.connect() as connection:
            moved = rotate(connection, keys.vault(), columns, say=say)
            dropped = keys.drop_unused(keys_in_use(connection, columns))
    say(f"The key is now {current}; {moved} secrets were encrypted anew, and {len(dropped)} old keys dropped.")
