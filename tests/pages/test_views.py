"""Every view of every page shows something: what it is of, or a sentence that says what would fill it."""

import pytest

from tests.pages.every_view import TEAM_PAGES, every_view
from tests.pages.oracles import ROLES
from tests.pages.parsed import classed, tree


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [name for name in TEAM_PAGES if "campaign" in name])
def test_each_view_has_a_card_or_says_what_would_fill_it(pages, name, role):
    bare = [
        view
        for view, page in every_view(pages, name, role)
        if not any(has_something(one.proto.body) for one in page.get("html"))
    ]
    assert bare == []


def has_something(body):
    root = tree(body)
    return any(next(iter(classed(root, name)), None) is not None for name in ("sl-card", "sl-empty"))
