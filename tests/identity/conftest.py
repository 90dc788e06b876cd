"""One database for the tests of identity, and people of the team in it."""

from collections.abc import Iterator
from itertools import count

import pytest

from app.access import Role, operator
from app.commands.team import add_member
from app.identity.sessions import Device
from tests.servers import Database, Server, new_database

PASSWORD = "four random canary words"
FIREFOX = Device("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.7")
_numbers = count(1)


@pytest.fixture(scope="package")
def team(server18: Server) -> Iterator[Database]:
    """One database for all: each test adds people of its own."""
    with new_database(server18) as fresh:
        yield fresh


@pytest.fixture
def person(team):
    """Add somebody who nobody else is: `person(Role.FINANCE)` answers the e-mail address."""

    def add(*roles, password=PASSWORD, email=None, **more):
        email = email or f"person-{next(_numbers)}@team.example"
        by = operator(team.pipe, "Ada the admin")
        add_member(team.rw, by, email=email, password=password, roles=roles or [Role.VIEWER], **more)
        return email

    return add


@pytest.fixture
def change(team):
    """Change somebody as an admin would."""

    def update(email, assignment):
        with team.setup.begin() as connection:
            connection.exec_driver_sql(f"UPDATE team_members SET {assignment} WHERE email = '{email}'")

    return update
