"""A throw-away Postgres for the tests of this folder."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def database():
    """An engine on an empty database; parameters are hidden as in the app's own engines."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    _run("initdb", "--pgdata", folder / "data", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8")
    options = f"-c listen_addresses='' -c fsync=off -c unix_socket_directories='{folder}'"
    _run("pg_ctl", "start", "--wait", "--pgdata", folder / "data", "--log", folder / "log", "--options", options)
    engine = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={folder}", hide_parameters=True)
    try:
        yield engine
    finally:
        engine.dispose()
        _run("pg_ctl", "stop", "--wait", "--mode=fast", "--pgdata", folder / "data")
        shutil.rmtree(folder)


def _run(program, *arguments):
    user = "postgres" if os.geteuid() == 0 else None
    command = [PROGRAMS / program, *arguments]
    subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)
