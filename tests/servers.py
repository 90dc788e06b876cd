"""Throw-away Postgres servers and migrated databases for tests: real servers, without the wait for the disk."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from db import roles
from db.embedded.files import binaries_folder
from db.embedded.user import open_way, server_user
from db.engine import engine_for
from db.roles import ensure_login, ensure_roles

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = "sightline_template"
# Each test's database is a thousand files: made and dropped in memory they cost a fifth of the whole run less.
MEMORY = Path("/dev/shm")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A running server that trusts whoever reaches its private socket."""

    folder: Path
    version: int

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def engine(self, database: str, user: str = "postgres") -> Engine:
        return engine_for(self.url(database, user))

    def run(self, statement: str) -> None:
        """Run a statement that can't be in a transaction, such as CREATE DATABASE."""
        engine = self.engine("postgres")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        engine.dispose()


def quickest() -> Path | None:
    """Memory, where there is plenty of it; else the folder for temporary files."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 8 << 30 else None


@contextmanager
def throwaway_server(binaries: Path, *, user: str | None, version: int) -> Iterator[Server]:
    """A server that lives for a with block; as root it runs as another user, because Postgres refuses root."""
    folder = Path(tempfile.mkdtemp(prefix=f"sightline-pg{version}-", dir=quickest()))
    runner = user if os.geteuid() == 0 else None
    if runner:
        shutil.chown(folder, runner)

    def run(program: str, *arguments: str | Path) -> None:
        subprocess.run([binaries / program, *arguments], user=runner, cwd="/", check=True, stdout=subprocess.DEVNULL)

    data = folder / "data"
    run("initdb", "--pgdata", data, "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C")
    options = f"-c listen_addresses='' -c fsync=off -c unix_socket_directories='{folder}' -c max_wal_size=512MB"
    try:
        run("pg_ctl", "start", "--wait", "--pgdata", data, "--log", folder / "log", "--options", options)
        yield Server(folder, version)
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", data)
        shutil.rmtree(folder)


@contextmanager
def shipped_server(folder: Path) -> Iterator[Server]:
    """The Postgres that the app ships with, and a migrated database to copy; the folder is one that is there."""
    binaries = binaries_folder()
    user = server_user(folder, say=lambda _: None)
    open_way(user, binaries / "postgres", say=lambda _: None)
    with throwaway_server(binaries, user=user.name, version=18) as server:
        make_template(server)
        yield server


@contextmanager
def server_of_a_program() -> Iterator[tuple[Server, Path]]:
    """The same for a program that measures or tries something by itself, and a folder for its files."""
    with tempfile.TemporaryDirectory(prefix="sightline-") as folder, shipped_server(Path(folder)) as server:
        yield server, Path(folder)


def migrate(engine: Engine, target: str = "head") -> None:
    """Bring a database up to a revision, or down to it when it starts with a minus sign."""
    config = Config(PROJECT / "alembic.ini")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        if target.startswith("-"):
            command.downgrade(config, target[1:])
        else:
            command.upgrade(config, target)


@dataclass(frozen=True)
class Database:
    """A migrated database, and one engine per role that signs in to it."""

    name: str
    server: Server
    setup: Engine
    rw: Engine
    ro: Engine
    pipe: Engine
    ingest: Engine

    def close(self) -> None:
        for engine in (self.setup, self.rw, self.ro, self.pipe, self.ingest):
            engine.dispose()


def make_template(server: Server) -> None:
    """A migrated database that others are copied from."""
    server.run(f"CREATE DATABASE {TEMPLATE}")
    engine = server.engine(TEMPLATE)
    migrate(engine)
    engine.dispose()


@contextmanager
def new_database(server: Server, *, template: str = TEMPLATE) -> Iterator[Database]:
    """A fresh copy of the template with logins for every role, dropped at the end."""
    name = f"sightline_test_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    setup = server.engine(name)
    with setup.connect() as connection:
        ensure_roles(connection)
        for group in roles.LOGIN_GROUPS:
            ensure_login(connection, f"test_{group}", group, "not used: the socket is trusted")
        connection.commit()
    database = Database(name, server, setup, *(server.engine(name, f"test_{group}") for group in roles.LOGIN_GROUPS))
    try:
        yield database
    finally:
        database.close()
        server.run(f"DROP DATABASE {name} WITH (FORCE)")
