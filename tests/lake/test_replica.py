"""A real replica fills the lake; and where it takes over without the last transactions, they leave the lake too."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from app.lake.refresh import Place, Refresher
from tests.conftest import OLDEST
from tests.lake.lakes import LakeOf, lake_with_company, session, use
from tests.lake.truth import differences
from tests.servers import Server, new_database

PATIENCE_SECONDS = 60


def run(program: str, *arguments: object) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    command = [OLDEST / program, *(str(argument) for argument in arguments)]
    subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)


def begin(standby: Server, *options: str) -> None:
    given = " ".join(
        f"-c {option}" for option in ("listen_addresses=''", f"unix_socket_directories='{standby.folder}'", *options)
    )
    data, log = standby.folder / "data", standby.folder / "log"
    run("pg_ctl", "start", "--wait", "--pgdata", data, "--log", log, "--options", given)


def end(standby: Server) -> None:
    run("pg_ctl", "stop", "--wait", "--mode=fast", "--pgdata", standby.folder / "data")


@pytest.fixture
def primary(server15, tmp_path):
    with new_database(server15) as database:
        yield lake_with_company(database, tmp_path / "lake")


@pytest.fixture
def standby(server15, primary):
    """A copy of the whole server that follows it by streaming replication."""
    copy = Server(Path(f"{server15.folder}-standby"), server15.version)
    copy.folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(copy.folder, "postgres")
    data = copy.folder / "data"
    run("pg_basebackup", "-h", server15.folder, "-U", "postgres", "-D", data, "-R", "-X", "stream", "-c", "fast")
    begin(copy)
    yield copy
    end(copy)
    shutil.rmtree(copy.folder)


def url(standby: Server, lake: LakeOf, user: str = "test_app_pipe") -> str:
    return standby.url(lake.database.name, user)


def wait_until_it_has(standby: Server, lake: LakeOf, uses: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(url(standby, lake), autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM usage_logs").fetchone() != (uses,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_replica_fills_the_lake_and_the_database_itself_may_go_on_filling_it(primary, standby):
    with session(primary.database) as writer:
        use(writer, "one")
        wait_until_it_has(standby, primary, 1)
        Refresher(Place(primary.lake, url(standby, primary), primary.url, "UTC")).refresh()
        assert primary.rows("usage_logs", "feature") == [("one",)]
        before = {part.path for part in primary.lake.latest().sources["usage_logs"].parts}
        use(writer, "two")
        primary.refresh()
    # It is the same database: nothing was copied anew.
    assert before < {part.path for part in primary.lake.latest().sources["usage_logs"].parts}
    assert primary.differences() == {}


def test_transactions_that_a_failover_lost_leave_the_lake(primary, standby):
    """The new primary gives their numbers out again, to other rows."""
    with session(primary.database) as writer:
        use(writer, "before")
        wait_until_it_has(standby, primary, 1)
        end(standby)
        for _ in range(5):
            use(writer, "lost")
    primary.refresh()
    assert primary.total("usage_days", "uses") == 6
    begin(standby, "primary_conninfo=''")
    run("pg_ctl", "promote", "--wait", "--pgdata", standby.folder / "data")
    with psycopg.connect(url(standby, primary, "postgres"), autocommit=True) as writer:
        for _ in range(3):
            use(writer, "other")
    here = url(standby, primary)
    Refresher(Place(primary.lake, here, here, "UTC")).refresh()
    assert primary.rows("usage_logs", "feature") == [("before",), *[("other",)] * 3]
    assert differences(here, primary.lake) == {}
