"""Fixtures of the tests below."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.servers import Server, new_database


@pytest.fixture(scope="module")
def empty_database(server18: Server) -> Iterator[Engine]:
    """A database without our tables."""
    with new_database(server18, template="template0") as fresh:
        yield fresh.setup
