"""What all tests share: servers of both supported ages of Postgres, and databases on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded.files import binaries_folder
from db.embedded.user import open_way, server_user
from tests.servers import Database, Server, make_template, new_database, throwaway_server

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def server18(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Postgres that the app ships with."""
    binaries = binaries_folder()
    user = server_user(tmp_path_factory.getbasetemp(), say=lambda _: None)
    open_way(user, binaries / "postgres", say=lambda _: None)
    with throwaway_server(binaries, user=user.name, version=18) as server:
        make_template(server)
        yield server


@pytest.fixture(scope="session")
def server15() -> Iterator[Server]:
    """The oldest Postgres that is supported."""
    if not (DEBIAN_15 / "postgres").exists():
        pytest.skip("Postgres 15 is not installed; `make test` installs it where Debian's packages can be had.")
    with throwaway_server(DEBIAN_15, user="postgres", version=15) as server:
        make_template(server)
        yield server


@pytest.fixture
def database(server18: Server) -> Iterator[Database]:
    """A migrated database of one test alone."""
    with new_database(server18) as fresh:
        yield fresh


@pytest.fixture(params=["15", "18"])
def each_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The same test on the oldest and on the newest Postgres."""
    with new_database(request.getfixturevalue(f"server{request.param}")) as fresh:
        yield fresh


@pytest.fixture(params=["15", "18"])
def each_server(request: pytest.FixtureRequest) -> Server:
    """The oldest and the newest Postgres, for tests that make databases of their own."""
    server: Server = request.getfixturevalue(f"server{request.param}")
    return server
