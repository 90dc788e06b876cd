"""Where the database is, and how it is made ready: the embedded server or DATABASE_URL, migrated, with our logins."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import psycopg.errors
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import OperationalError

from app.installation import installation
from app.redaction import never_log
from app.settings import PROJECT, settings
from db.embedded import SUPERUSER, running_server
from db.engine import engine_for
from db.errors import SightlineError
from db.roles import INGEST, OWNER, PIPE, RO, RW, ensure_logins, ensure_roles
from db.stamps import mark_restored

OLDEST_SERVER = 15
EMBEDDED_DATABASE = "sightline"
CONNECT_SECONDS = 10
LOCK_WAITS = (1, 2, 4, 8)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Address:
    """A database's address: for set-up, and for each role that the app signs in as."""

    setup_url: str
    is_embedded: bool

    def url(self, group: str) -> str:
        """The address by which this installation's login of a group connects."""
        login, password = installation().logins()[group]
        # Parameters of the address win over its parts: left in, they would sign in as the set-up role.
        address = make_url(self.setup_url).difference_update_query(("user", "password", "passfile", "service"))
        return address.set(username=login, password=password).render_as_string(hide_password=False)


@dataclass(frozen=True)
class Engines:
    """One engine per role."""

    rw: Engine
    ro: Engine
    pipe: Engine
    ingest: Engine

    def dispose(self) -> None:
        for engine in (self.rw, self.ro, self.pipe, self.ingest):
            engine.dispose()


@contextmanager
def database_address(say: Say) -> Iterator[Address]:
    """The database of this installation, for as long as the block runs; an embedded server is started or joined."""
    given = settings().database_url
    if given is not None:
        never_log(*_passwords_in(given.get_secret_value()))
        yield Address(given.get_secret_value(), is_embedded=False)
        return
    with running_server(settings().server_folder, say) as server:
        _create_database(server.dsn("postgres", SUPERUSER))
        yield Address(server.dsn(EMBEDDED_DATABASE, SUPERUSER), is_embedded=True)


@contextmanager
def setup_engine(address: Address) -> Iterator[Engine]:
    """An engine of the set-up role, whose server is known to answer and to be new enough."""
    engine = engine_for(address.setup_url, pool_size=2, connect_seconds=CONNECT_SECONDS)
    try:
        _require_usable(engine)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def app_engines(address: Address, *, pool_size: int = 5) -> Iterator[Engines]:
    """Engines of the roles that the app works as; each keeps so many connections and opens a few more in a rush."""
    engines = Engines(
        **{
            name: engine_for(address.url(group), pool_size=pool_size, connect_seconds=CONNECT_SECONDS)
            for name, group in (("rw", RW), ("ro", RO), ("pipe", PIPE), ("ingest", INGEST))
        }
    )
    try:
        yield engines
    finally:
        engines.dispose()


def migrate(engine: Engine, say: Say) -> None:
    """Bring the database to this version, renew our logins, and make the months ahead."""
    config = _alembic()
    before = _require_known(engine, config)
    newest = ScriptDirectory.from_config(config).get_current_head()
    if before != newest:
        say(f"Migrating the database from {before or 'empty'} to {newest}.")
        _patiently(engine, say, lambda: _upgrade(engine, config))
    _patiently(engine, say, lambda: _renew(engine))
    _patiently(engine, say, lambda: _mark_restored(engine, say))


def _upgrade(engine: Engine, config: Config) -> None:
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _renew(engine: Engine) -> None:
    """Our logins, with the passwords of this installation, and the months ahead."""
    with engine.connect() as connection:
        ensure_roles(connection)
    with engine.begin() as connection:
        ensure_logins(connection, installation().logins())
        connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        connection.execute(text("SELECT make_partitions()"))


def _mark_restored(engine: Engine, say: Say) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        restored = mark_restored(connection)
    if restored:
        say(f"The database was restored from a dump; its rows were marked anew for the lake: {', '.join(restored)}.")


def _patiently(engine: Engine, say: Say, change: Callable[[], None]) -> None:
    """Try a change again that another session's lock was in the way of: waiting in line would stop everyone else."""
    for wait_seconds in (0, *LOCK_WAITS):
        if wait_seconds:
            say(f"Another session holds a lock that is needed; trying again in {wait_seconds} seconds.")
            time.sleep(wait_seconds)
        try:
            change()
        except (psycopg.errors.LockNotAvailable, OperationalError) as error:
            if not isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable):
                raise
        else:
            return
    raise SightlineError(
        "The database could not be changed: others keep a table busy.",
        why=f"Open transactions: {_open_transactions(engine)}.",
        fix="Let them end, or end one: SELECT pg_terminate_backend(pid). "
        "Then run `sightline migrate` again; it goes on where it stopped.",
    )


def holds_customers(engine: Engine) -> bool:
    """Whether anybody's data, invented or real, is in the database."""
    with engine.connect() as connection:
        return bool(connection.scalar(text("SELECT EXISTS (SELECT FROM workspaces WHERE kind = 'customer')")))


def migration_state(engine: Engine) -> tuple[str | None, str | None]:
    """The database's revision and ours."""
    return _revision(engine), ScriptDirectory.from_config(_alembic()).get_current_head()


def _open_transactions(engine: Engine) -> str:
    """Readers as well as writers: a table that is only read can't be altered either."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                """
                SELECT pid, usename, state
                FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
                ORDER BY xact_start
                LIMIT 5
                """
            )
        ).all()
    return ", ".join(f"pid {pid} ({user}, {state})" for pid, user, state in rows) or "none any more"


def _alembic() -> Config:
    return Config(PROJECT / "alembic.ini")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def _require_known(engine: Engine, config: Config) -> str | None:
    """Refuse a database of a newer Sightline, and one that holds other people's tables."""
    revision = _revision(engine)
    if revision is None:
        _require_empty(engine)
        return None
    try:
        ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError:
        raise SightlineError(
            f"The database is at revision {revision}, which this version of Sightline does not know.",
            why="A newer version has migrated it, or another project did.",
            fix="Run the newer version, or point DATABASE_URL at another database.",
        ) from None
    return revision


def _require_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        tables = connection.scalar(
            text(
                "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p', 'v', 'm') AND relname <> 'alembic_version'"
            )
        )
    if tables:
        raise SightlineError(
            f"The database holds {tables} tables that are not Sightline's.",
            why="Sightline only sets itself up in an empty database, so that it can't disturb another application.",
            fix="Create a database for it and point DATABASE_URL there.",
        )


def _passwords_in(address: str) -> Iterator[str]:
    """Of user:password@ and of ?password=, which a driver takes as well."""
    url = make_url(address)
    if url.password:
        yield url.password
    for name, value in url.query.items():
        if "password" in name:
            yield from [value] if isinstance(value, str) else value


def _require_usable(engine: Engine) -> None:
    hidden = [name for name in engine.url.query if "password" in name]
    where = engine.url.difference_update_query(hidden).render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            version = int(str(connection.scalar(text("SHOW server_version_num")))) // 10_000
    except OperationalError as error:
        raise SightlineError(
            f"The database at {where} can't be reached.",
            why=_first_line(error),
            fix="Check that the server runs and that DATABASE_URL names its host, port, database, user and password.",
        ) from None
    if version < OLDEST_SERVER:
        raise SightlineError(
            f"The server at {where} is Postgres {version}, which is too old.",
            why=f"Sightline needs Postgres {OLDEST_SERVER} or newer.",
            fix="Point DATABASE_URL at a newer server, or unset it to use the embedded one.",
        )


def _first_line(error: OperationalError) -> str:
    # libpq tells one line per address that it tried; the first one is reason enough.
    return f"The server says: {str(error.orig).splitlines()[0].removeprefix('connection failed: ')}."


def _create_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (EMBEDDED_DATABASE,)).fetchone()
        if known is None:
            try:
                connection.execute(f"CREATE DATABASE {EMBEDDED_DATABASE}")
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another process of this installation was faster
