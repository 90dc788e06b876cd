"""Every figure of every page equals what counting the rows gives: under two scopes and three sets of filters.

The pages are walked: each card with figures is held against the rows, and one that nobody has described fails.
"""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from tests.pages.facts import Facts
from tests.pages.held import wrong_on_card, wrong_on_tiles
from tests.pages.oracles import ROLES, choices
from tests.pages.views import OVER_TIME, VIEWS, Told


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", VIEWS)
def test_every_figure_of_the_page_is_what_counting_the_rows_gives(pages, name, role):
    view = VIEWS[name]
    for chosen, choice in choices(view.product or "mailer").items():
        if chosen == "product" and not view.product:
            # Contacts are of no product.
            choice = replace(choice, address="period=Last+90+days", product=None)  # noqa: PLW2901
        query = f"{choice.address}&{view.query}&grain=Day" + ("" if "compare" in choice.address else "&compare=Off")
        seen = pages.open(view.page, query, role)
        assert seen.notices == []
        facts = Facts(pages.rows, choice, role)
        wrong = [*wrong_on_tiles(seen, facts)]
        for title, card in seen.cards.items():
            if card.has_figures and title not in view.elsewhere and "since launch" not in title:
                assert title in view.cards, f"Nobody says what “{title}” is of."
                wrong += [f"{title}: {one}" for one in wrong_on_card(card, view.cards[title], facts)]
        assert wrong == [], (name, role, chosen, wrong[:8])


_OF_CHANNEL = {
    "email": (
        "SELECT campaign_id FROM email_campaigns ORDER BY emails_delivered DESC, campaign_id LIMIT 1",
        {"Links": Told(("link",)), "Receiving domains": Told(("domain",))},
    ),
    "web": (
        "SELECT campaign_id FROM web_campaigns ORDER BY views DESC, campaign_id LIMIT 1",
        {"Sources": Told(("source",)), "Countries": Told(("country",))},
    ),
    "ads": (
        "SELECT campaign_id FROM ad_campaigns ORDER BY total_impressions DESC, campaign_id LIMIT 1",
        {
            "Platforms": Told(("platform",), is_added_up=False),
            "Placements": Told(("placement",), is_added_up=False),
        },
    ),
}


@pytest.mark.parametrize("channel", _OF_CHANNEL)
def test_every_figure_of_a_campaign_is_what_counting_its_rows_gives(pages, channel):
    """Of the largest one of each channel, over all days, a quarter, and days that were picked."""
    largest, splits = _OF_CHANNEL[channel]
    ((key,),) = pages.rows(largest)
    sets = choices("mailer")
    days = urlencode([("period", "Custom"), ("days", "2024-01-01"), ("days", sets["first"].until - timedelta(days=1))])
    everything = replace(sets["first"], address=days, since=date(2024, 1, 1))
    quarter = replace(sets["product"], address="period=Last+90+days", product=None)
    for choice in (everything, quarter, sets["picked"]):
        seen = pages.open("campaign.py", f"campaign={key}&{choice.address}&grain=Day")
        facts = Facts(pages.rows, choice, "admin", only=f"t.campaign_id = '{key}'")
        wrong = [*wrong_on_tiles(seen, facts)]
        for title, card in seen.cards.items():
            if card.has_figures:
                wrong += [
                    f"{title}: {one}"
                    for one in wrong_on_card(card, {"Funnel": OVER_TIME, "Course": OVER_TIME, **splits}[title], facts)
                ]
        assert wrong == [], (channel, choice, wrong[:8])
    assert seen.tiles
