"""Connections: one engine per role, and transactions that carry the viewer's workspaces, the actor and the reason."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError


def engine_for(url: str, *, pool_size: int = 5, connect_seconds: int = 10) -> Engine:
    """An engine on psycopg whose errors never repeat the values of parameters."""
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": connect_seconds},
        pool_size=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def run_script(connection: Connection, script: str) -> None:
    """Run statements as they are written: no colon and no percent sign in them is read as a parameter."""
    if not connection.in_transaction():
        connection.begin()
    driver(connection).execute(script)


def driver(connection: Connection) -> psycopg.Connection:
    """The psycopg connection below, for what only it can do; in the same transaction."""
    below = connection.connection.driver_connection
    if not isinstance(below, psycopg.Connection):
        raise TypeError(f"Sightline works on psycopg, not on {type(below).__name__}.")
    return below


def is_lost(error: OperationalError) -> bool:
    """No answer at all, or a server that is going down or coming up; a lock or a time limit is neither."""
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith("57P")


def without_statement(error: Exception) -> str:
    """What went wrong in the words of the database, or of whoever could not ask it."""
    return str(getattr(error, "orig", None) or error)


@contextmanager
def seeing(
    engine: Engine, workspaces: Iterable[UUID], *, actor: str | None = None, reason: str | None = None
) -> Iterator[Connection]:
    """A transaction that sees these workspaces alone. The settings end with it, whatever becomes of the connection."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT set_config('app.workspaces', :workspaces, true),"
                " set_config('app.actor', :actor, true), set_config('app.reason', :reason, true)"
            ),
            {
                "workspaces": "{" + ",".join(str(UUID(str(workspace))) for workspace in workspaces) + "}",
                "actor": actor or "",
                "reason": reason or "",
            },
        )
        yield connection
