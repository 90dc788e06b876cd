"""What a chart or a table names leads to where it is looked at alone, and whatever was chosen before is kept."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.pages.oracles import choices
from tests.pages.parsed import told, tree

PERIOD = "Last 90 days"
# The page, the card, what its address chooses, where the card's names lead, and by which filter.
LEADING = {
    "sources": ("web.py", "Conversions by source", {"show": "Sources"}, "web", "source"),
    "countries": ("web.py", "Views by country", {"show": "Countries"}, "web", "country"),
    "platforms": ("ads.py", "Spend by platform", {"by": "Platform"}, "ads", "platform"),
    "changes": ("overview.py", "What changed most, and why", {}, "", "workspace"),
    "products": ("overview.py", "Products", {}, "", "product"),
    "costs": ("ai_cost.py", "AI cost by product", {}, "ai_cost", "product"),
}


def links_of(page, card):
    """The names of a card and where they lead; a table's rows are drawn apart from their heading."""
    found, here = {}, False
    for one in page.get("html"):
        root = tree(one.proto.body)
        headings = [told(heading) for heading in root.iter("h2")]
        here = card in headings if headings else here
        if here:
            found |= {told(link): link.get("href") for link in root.iter("a") if "export/" not in link.get("href", "")}
    return found


@pytest.mark.parametrize("name", LEADING)
def test_names_lead_to_what_they_name_and_filters_are_kept(pages, name):
    file, card, more, there, by = LEADING[name]
    links = links_of(pages.run(file, urlencode({"period": PERIOD, **more})), card)
    assert links
    for link in links.values():
        query = parse_qs(urlsplit(link).query)
        assert urlsplit(link).path == f"./{there}"
        assert query["period"] == [PERIOD]
        assert len(query[by]) == 1
        assert all(query[key] == [value] for key, value in more.items())
    seen = pages.open(file, urlsplit(next(iter(links.values()))).query)
    assert seen.notices == []


@pytest.mark.parametrize("name", ["sources", "changes"])
def test_the_same_days_named_in_two_ways_lead_on_in_both(pages, name):
    """The answer is the same, and is drawn once; its links are not."""
    file, card, more, _, _ = LEADING[name]
    since = choices("mailer")["first"].since
    days = [since, since + timedelta(days=27)]
    for period in ({"period": "Last 28 days"}, {"period": "Custom", "days": [day.isoformat() for day in days]}):
        links = links_of(pages.run(file, urlencode({**period, **more}, doseq=True)), card)
        assert links
        assert {parse_qs(urlsplit(link).query)["period"][0] for link in links.values()} == {period["period"]}
