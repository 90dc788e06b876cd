"""Under a pinned address, what is read live says that it is not what it was then."""

import pytest

from app.ui.live import _NOT_PINNED
from tests.pages.every_view import address_of
from tests.pages.parsed import told, tree

# Pages on which a list is read live, with the card of the list and one of figures.
LIVE = {
    "overview": ("Open alerts", "Conversions", {}),
    "audience": ("Status and last activity", "Size of the lists", {}),
    "campaigns": ("All campaigns, the newest first", "What they did in this period", {}),
    "e-mail": ("Single events", "Complaint rate", {"show": "Single events"}),
    "ad campaign": ("Raw events, the newest first", None, {"show": "Raw events"}),
}


def heads(page):
    """What each card says below its heading."""
    bodies = (tree(one.proto.body) for one in page.get("html"))
    return {told(heading): told(root) for root in bodies for heading in root.iter("h2")}


@pytest.mark.parametrize("name", LIVE)
def test_lists_that_are_read_live_say_that_they_are_not_pinned(pages, name):
    listed, figures, more = LIVE[name]
    pinned = heads(pages.run(*address_of(pages, name, **more, as_of="1")))
    assert _NOT_PINNED in pinned[listed]
    assert figures is None or _NOT_PINNED not in pinned[figures]
    assert _NOT_PINNED not in " ".join(heads(pages.run(*address_of(pages, name, **more))).values())


def test_an_ab_test_under_a_pinned_address_is_of_now(pages):
    ((key,),) = pages.rows(
        """
        SELECT MIN(CAST(id AS TEXT)) FROM campaigns WHERE metadata ->> 'ab_test_key' IS NOT NULL
        GROUP BY workspace_id, metadata ->> 'ab_test_key'
        ORDER BY COUNT(DISTINCT metadata ->> 'ab_test_variant') DESC LIMIT 1
        """
    )
    query = f"campaign={key}&show=Changes"
    assert _NOT_PINNED in heads(pages.run("campaign.py", f"{query}&as_of=1"))["A/B test"]
    assert _NOT_PINNED not in heads(pages.run("campaign.py", query))["A/B test"]
