"""Fixtures of the tests below."""

import pytest

from tests.quotas.shop import make_shop


@pytest.fixture
def shop(database):
    """A workspace whose plan says nothing yet."""
    return make_shop(database)


@pytest.fixture
def each_shop(each_database):
    """The same on the oldest and on the newest Postgres."""
    return make_shop(each_database)
