"""Campaigns are found, laid over each other and opened; what their pages show is what the rows hold."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.every_view import VIEWS
from tests.pages.looking import each_looked_at

ALL_DAYS = f"period=Custom&days=2020-01-01&days={datetime.now(UTC).date()}&compare=Off"
# The largest of each channel, so that every part of its page has something to show.
LARGEST = {
    "email": "SELECT campaign_id FROM email_campaigns ORDER BY emails_delivered DESC, campaign_id LIMIT 1",
    "web": "SELECT campaign_id FROM web_campaigns ORDER BY views DESC, campaign_id LIMIT 1",
    "ads": "SELECT campaign_id FROM ad_campaigns ORDER BY total_impressions DESC, campaign_id LIMIT 1",
}
# Counted from the facts themselves: nothing of the lake or of the metrics takes part.
FUNNELS = {
    "email": """
        SELECT count(DISTINCT contact_id) FILTER (WHERE event_type = 'sent'),
            count(DISTINCT contact_id) FILTER (WHERE event_type = 'delivered'),
            count(DISTINCT contact_id) FILTER (WHERE event_type = 'opened'),
            count(DISTINCT contact_id) FILTER (WHERE event_type = 'clicked')
        FROM email_events WHERE campaign_id = '{}'
    """,
    "web": """
        SELECT count(*) FILTER (WHERE event_type = 'view'), count(*) FILTER (WHERE event_type = 'click'),
            count(*) FILTER (WHERE event_type = 'form_submit'),
            (SELECT count(*) FROM conversions WHERE campaign_id = '{0}')
        FROM campaign_events WHERE campaign_id = '{0}'
    """,
    "ads": """
        SELECT sum(impressions), sum(clicks), sum(conversions)
        FROM performance_analytics WHERE campaign_id = '{}' AND breakdown = 'none'
    """,
}


def settled(page):
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=30_000)


def open_list(look, site, query="", **window):
    seen = look(site, f"/campaigns?{query}", **window)
    expect(seen.page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible(timeout=30_000)
    settled(seen.page)
    return seen


def open_one(look, site, campaign, query="", **window):
    seen = look(site, f"/campaign?campaign={campaign}&{query}", **window)
    expect(seen.page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    settled(seen.page)
    return seen


def card(page, title):
    return page.locator(f".st-key-card-{title}")


def cells(rows):
    return [row.locator("th, td").all_inner_texts() for row in rows.all()]


@pytest.fixture(scope="module")
def largest(site):
    return {channel: str(site.rows(question)[0][0]) for channel, question in LARGEST.items()}


@pytest.mark.parametrize("channel", LARGEST)
def test_one_campaign_is_whole_in_every_view(site, look, largest, channel):
    each_looked_at(open_one(look, site, largest[channel], role="finance"), VIEWS["campaign"])


@pytest.mark.parametrize("channel", FUNNELS)
def test_the_funnel_shows_what_counting_the_rows_gives(site, look, largest, channel):
    (counted,) = site.rows(FUNNELS[channel].format(largest[channel]))
    assert counted[0] > 0
    seen = open_one(look, site, largest[channel], ALL_DAYS)
    figures = card(seen.page, "funnel").locator(".sl-rows .figure").all_inner_texts()
    assert [int(figure.split(" ")[0].replace(",", "")) for figure in figures] == [int(number) for number in counted]


def test_the_table_shows_of_every_campaign_what_counting_the_rows_gives(site, look):
    """By the search, so that few are left; the table's own order is by the largest."""
    counted = dict(
        site.rows(
            """
            SELECT c.name, count(DISTINCT e.contact_id) FROM campaigns AS c
            JOIN email_events AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
            WHERE c.name ~* 'survey' AND e.event_type = 'delivered' GROUP BY c.id, c.name
            """
        )
    )
    assert counted
    seen = open_list(look, site, f"{ALL_DAYS}&words=survey")
    table = card(seen.page, "what-they-did-in-this-period")
    header = table.locator("thead th").all_inner_texts()
    shown = {
        row[0]: int(row[header.index("E-mails delivered")].replace(",", "")) for row in cells(table.locator("tbody tr"))
    }
    assert shown == {name: number for name, number in counted.items() if name in shown}
    total = int(
        cells(table.locator("tfoot tr"))[0][1 if len(header) > len(cells(table.locator("tfoot tr"))[0]) else 2].replace(
            ",", ""
        )
    )
    assert total == sum(counted.values())


def test_the_list_holds_also_campaigns_that_were_never_sent_and_leads_to_them(site, look):
    ((name, number),) = site.rows(
        "SELECT name, count(*) FROM campaigns WHERE status = 'draft' GROUP BY name ORDER BY 2 DESC, 1 LIMIT 1"
    )
    seen = open_list(look, site, urlencode({"words": name, "campaign_status": "Draft"}))
    rows = card(seen.page, "all-campaigns-the-newest-first").locator("tbody tr")
    expect(rows).to_have_count(number)
    rows.first.get_by_role("link").click()
    expect(seen.page.get_by_role("heading", name=name, level=1)).to_be_visible(timeout=30_000)
    assert seen.troubles == []


def test_lines_begin_at_the_launch(site, look):
    seen = open_list(look, site)
    drawn = seen.page.locator("[class*=st-key-card-][class*=since-launch]")
    expect(drawn.locator("img").first).to_be_visible()
    assert "by day since launch" in drawn.locator("img").first.get_attribute("alt")
    assert drawn.locator(".sl-x span").first.inner_text() == "0"


def test_older_events_follow_the_newest_without_gap_or_repetition(site, look, largest):
    """All the times that the pages show are all that the rows hold."""
    ((counted,),) = site.rows(f"SELECT count(*) FROM email_events WHERE campaign_id = '{largest['email']}'")
    assert counted > 100
    seen = open_one(look, site, largest["email"], f"{ALL_DAYS}&{urlencode({'show': 'Raw events'})}")
    told = 0
    while True:
        told += int(
            card(seen.page, "raw-events-the-newest-first").locator("p.sl-small").last.inner_text().split(" ")[0]
        )
        older = seen.page.get_by_role("link", name="Older")
        if older.count() == 0:
            break
        address = seen.page.url
        older.click()
        expect(seen.page).not_to_have_url(address)
        expect(card(seen.page, "raw-events-the-newest-first")).to_be_visible(timeout=30_000)
        settled(seen.page)
    assert told == counted
    assert seen.troubles == []


@pytest.mark.parametrize("address", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "' OR 1=1 --"])
def test_an_address_of_no_campaign_says_so(site, look, address):
    seen = open_one(look, site, address)
    expect(seen.page.get_by_text("You see no campaign by this address.")).to_be_visible()
    assert seen.troubles == []


def test_a_place_that_somebody_made_up_is_said_and_the_newest_are_shown(site, look):
    seen = open_list(look, site, "after=nonsense")
    expect(seen.page.get_by_text("This address names no place in the list.")).to_be_visible()
    expect(card(seen.page, "all-campaigns-the-newest-first").locator("tbody tr").first).to_be_visible()


def test_who_is_limited_finds_no_campaign_of_others(site, look, largest):
    """Neither in the list, nor by its words, nor by its address."""
    own = "SELECT workspace_id FROM campaigns GROUP BY workspace_id ORDER BY count(*) DESC, workspace_id LIMIT 2"
    others = site.rows(
        f"SELECT id, name FROM campaigns WHERE workspace_id NOT IN ({own}) ORDER BY created_at DESC LIMIT 3"
    )
    mine = {name for (name,) in site.rows(f"SELECT name FROM campaigns WHERE workspace_id IN ({own})")}
    for key, name in others:
        seen = open_one(look, site, key, role="limited")
        expect(seen.page.get_by_text("You see no campaign by this address.")).to_be_visible()
        if name not in mine:
            listed = open_list(look, site, urlencode({"words": name}), role="limited")
            assert str(key) not in listed.page.content()


def test_what_the_viewer_opens_the_signed_out_do_not(site, look, largest):
    assert open_list(look, site, role="viewer").troubles == []
    stranger = look(site, f"/campaign?campaign={largest['email']}", role=None)
    expect(stranger.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)
