"""Two tenants with a row in every table, and a workspace whose rows a test makes by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.access import Role, Viewer
from tests.db.rows import user, workspace
from tests.db.tenants import Tenant, make_tenant
from tests.servers import Database, new_database


def seer(*workspaces, role=Role.ADMIN):
    return Viewer("Ada", frozenset({role}), frozenset(workspaces))


@dataclass(frozen=True)
class World:
    """A database with two tenants, each marked by a word that the other's rows don't have."""

    database: Database
    a: Tenant
    b: Tenant


@pytest.fixture(scope="module")
def world(server18):
    with new_database(server18) as database:
        with database.setup.begin() as connection:
            a, b = make_tenant(connection, "canary-of-a"), make_tenant(connection, "canary-of-b")
        yield World(database, a, b)


@dataclass(frozen=True)
class Shop:
    """A workspace, its owner, who sees it, and the connection on which rows are made."""

    database: Database
    connection: Any
    workspace: Any
    owner: Any

    @property
    def ro(self):
        return self.database.ro

    @property
    def viewer(self):
        return seer(self.workspace)

    def made(self):
        """Rows made so far are there for everybody."""
        self.connection.commit()
        return self.ro, self.viewer


@pytest.fixture
def shop(database):
    with database.setup.connect() as connection:
        owner = user(connection, name="Olga").id
        yield Shop(database, connection, workspace(connection, owner_id=owner, name="Shop").id, owner)
