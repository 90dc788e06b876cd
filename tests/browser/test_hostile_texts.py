"""Texts that customers write stay texts on the pages of e-mail, audience and templates, whatever they hold."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from tests.browser.conftest import served
from tests.pages.looking import settled, shows

HARM = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>[a](javascript:window.pwned=1)'
LATELY = "occurred_at > NOW() - INTERVAL '28 days'"
WRITTEN = (
    "UPDATE campaigns SET name = :harm",
    "UPDATE contacts SET first_name = :harm, custom_fields = jsonb_build_object(CAST(:harm AS TEXT), :harm)",
    "UPDATE templates SET name = :harm, description = :harm",
    "UPDATE component_library SET name = :harm, description = :harm, code = :harm, tags = ARRAY[:harm]",
    "UPDATE campaign_components SET name = :harm",
    f"UPDATE email_events SET location = :harm WHERE location IS NOT NULL AND {LATELY}",
    f"UPDATE email_events SET link_url = :harm, user_agent = :harm WHERE event_type = 'clicked' AND {LATELY}",
    f"UPDATE email_events SET bounce_reason = :harm WHERE event_type = 'bounced' AND {LATELY}",
)
PAGES = {
    "email": ("Campaigns", "Bounces", "Links", "Device and place", "Single events"),
    "audience": ("Contacts",),
    "templates": ("In use", "Components", "Ratings and downloads", "All templates", "Saved components"),
}


@pytest.fixture(scope="module")
def harmed(browser, demo_home):
    """A site of these tests alone, in which everything that can be written was written by somebody who means harm."""
    with served(demo_home) as site:
        with site.changing() as connection:
            for change in WRITTEN:
                assert connection.execute(text(change), {"harm": HARM}).rowcount > 0
        site.refresh()
        yield site


def looked_at(seen):
    settled(seen.page)
    assert HARM[:20] in seen.page.locator("[data-testid=stMain]").inner_text()
    assert seen.page.evaluate("window.pwned") is None
    assert seen.troubles == []


@pytest.mark.parametrize("page", PAGES)
def test_harm_is_shown_and_not_done(harmed, look, page):
    first, *others = PAGES[page]
    seen = look(harmed, f"/{page}?{urlencode({'show': first})}")
    looked_at(seen)
    for view in others:
        shows(seen.page, view)
        looked_at(seen)


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("contact", "SELECT contact_id FROM email_sends"),
        ("template", "SELECT id FROM templates"),
        ("edit_component", "SELECT id FROM component_library"),
    ],
)
def test_harm_is_not_done_by_one_of_them(harmed, look, page, table):
    ((key,),) = harmed.rows(f"{table} LIMIT 1")
    looked_at(look(harmed, f"/{page}?{page}={key}"))
