"""Fixtures of the tests below: a database with its engines, and a table in which jobs leave their effects."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.jobs.kinds import Yard
from tests.servers import Server, new_database


@pytest.fixture(scope="module")
def shared_yard(server18: Server) -> Iterator[Yard]:
    """One database for all tests of a module."""
    with new_database(server18) as fresh:
        yield Yard.laid_out(fresh)


@pytest.fixture
def yard(shared_yard: Yard) -> Yard:
    """The same without the jobs of the test before."""
    with shared_yard.database.setup.begin() as connection:
        connection.execute(text("TRUNCATE jobs, job_schedules, job_workers, effects"))
    return shared_yard


@pytest.fixture(params=["15", "18"])
def each_yard(request: pytest.FixtureRequest) -> Iterator[Yard]:
    """A database of one test alone, on the oldest and on the newest Postgres."""
    with new_database(request.getfixturevalue(f"server{request.param}")) as fresh:
        yield Yard.laid_out(fresh)
