"""What all tests share: servers of both supported ages of Postgres, and databases on them."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import prepared
from tests.servers import Database, Server, make_template, new_database, shipped_server, throwaway_server

# Workers of a divided run are told a width of 80, which consoles would keep to from their making on.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)

# Whoever runs this in the background hands down that Ctrl-C and a closed terminal are ignored; the programs under test
# shall hear them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Debian's, the oldest that is supported and installed.
OLDEST = min(
    (path for path in Path("/usr/lib/postgresql").glob("*/bin") if 15 <= int(path.parent.name) < 18),
    key=lambda path: int(path.parent.name),
    default=None,
)


MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def the_program_stays_itself() -> None:
    """Streamlit's tests of apps leave their script in the place of the program, and new processes would run it."""
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session")
def server18(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Postgres that the app ships with."""
    with shipped_server(tmp_path_factory.getbasetemp()) as server:
        yield server


@pytest.fixture(scope="session")
def server15() -> Iterator[Server]:
    """The oldest Postgres that is supported."""
    if OLDEST is None:
        missing = "No Postgres from 15 to 17 is installed; `make test` installs one where Debian's packages can be had."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with throwaway_server(OLDEST, user="postgres", version=int(OLDEST.parent.name)) as server:
        make_template(server)
        yield server


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with the smallest demo and its figures, to be copied: workers of a divided run share the one."""
    base = tmp_path_factory.getbasetemp()
    with prepared(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) as home:
        yield home


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
