"""Fixtures of the tests below."""

import pytest

from tests.plans.shelf import make_shelf


@pytest.fixture
def shelf(database):
    """One live plan with one subscriber."""
    return make_shelf(database)
