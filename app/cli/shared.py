"""How commands reach the database, and read what they are given."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from app import database, logs
from app.access import Viewer, operator
from app.cli.words import say
from app.database import Address, Engines
from db.errors import SightlineError


def read_text(file: Path | None) -> str | None:
    """What is in a file, where one is given."""
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SightlineError(f"{file} is no text in UTF-8.", fix="Save it as such.") from None


@contextmanager
def address() -> Iterator[Address]:
    """The database of this installation, which runs for as long as the block does."""
    logs.set_up()
    with database.database_address(say) as found:
        yield found


@contextmanager
def setup() -> Iterator[tuple[Address, Engine]]:
    """The same, with an engine of the set-up role."""
    with address() as found, database.setup_engine(found) as engine:
        yield found, engine


@contextmanager
def operating() -> Iterator[tuple[Engine, Viewer]]:
    """The engine of commands, and the person at this command line."""
    with operating_all() as (engines, by):
        yield engines.rw, by


@contextmanager
def reading() -> Iterator[tuple[Engine, Viewer]]:
    """The engine of pages, which can change nothing, and the person at this command line."""
    with operating_all() as (engines, by):
        yield engines.ro, by


@contextmanager
def operating_all() -> Iterator[tuple[Engines, Viewer]]:
    """The engines of every role, and the person at this command line."""
    with setup() as (found, engine):
        database.migrate(engine, say)
        with database.app_engines(found) as engines:
            yield engines, operator(engines.pipe, f"{getpass.getuser()} at the command line")
