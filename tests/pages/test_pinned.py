"""Under a pinned address, what is read live says that it is not what it was then."""

import pytest

from app.ui.live import _NOT_PINNED
from tests.pages.every_view import address_of
from tests.pages.parsed import classed, told, tree

# Pages on which a list is read live, with the card of the list and one of figures.
LIVE = {
    "overview": ("Open alerts", "Conversions", {}),
    "audience": ("Status and last activity", "Size of the lists", {}),
    "campaigns": ("All campaigns, the newest first", "What they did in this period", {}),
    "e-mail": ("Single events", "Complaint rate", {"show": "Single events"}),
    "templates": ("All templates", None, {"show": "All templates"}),
    "template": ("Versions", None, {}),
    "contact": ("What was sent to them", None, {}),
    "ad campaign": ("Raw events, the newest first", None, {"show": "Raw events"}),
}


# Cards of figures of the version, beside something that is read live: what that is.
MIXED = {
    "ads": {
        "Creatives": ("Creatives", "the creatives and their scores"),
        "Budgets": ("Pacing", "the budgets, days and states of campaigns"),
    },
    "ad campaign": {"Budget": ("Changes", "the budget and its days")},
    "templates": dict.fromkeys(("Clicked most", "Templates in use"), ("In use", "which campaigns use which template")),
    "template": {"Campaigns that used it": ("", "which campaigns use which template")},
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


@pytest.mark.parametrize("name", MIXED)
def test_a_card_of_pinned_figures_says_what_of_it_is_of_now(pages, name):
    for title, (view, live) in MIXED[name].items():
        more = {"show": view} if view else {}
        said = f"Not pinned: {live}, as of now."
        assert said in heads(pages.run(*address_of(pages, name, **more, as_of="1")))[title]
        assert said not in heads(pages.run(*address_of(pages, name, **more)))[title]


@pytest.mark.parametrize("name", ["template", "contact", "ad campaign"])
def test_what_stands_at_the_head_of_a_thing_is_of_now(pages, name):
    def chips(**more):
        bodies = (tree(one.proto.body) for one in pages.run(*address_of(pages, name, **more)).get("html"))
        return [told(chip) for root in bodies for chip in classed(root, "sl-chip")]

    assert _NOT_PINNED in chips(as_of="1")
    assert _NOT_PINNED not in chips()


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
