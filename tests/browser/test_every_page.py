"""Every view of every page of the team in Chromium: whole and readable in light, in dark and on a telephone.

One opening serves for all three: the page follows the system's colours and the window's width while it is open.
"""

from urllib.parse import urlencode

import pytest

from tests.pages.looking import looked_at

VIEWS = {
    "": ("",),
    "email": ("Campaigns", "Domains", "Bounces", "Links", "Send time", "Device and place", "Single events"),
    "audience": ("Status", "Cohorts", "Domains", "Workspaces", "Contacts"),
    "web": ("Landing pages", "Components", "Sources", "Countries", "Attribution"),
    "ads": ("Breakdown", "Campaigns", "Creatives", "Pacing", "Restatements"),
    "ai_usage": ("Models", "Products", "Types", "Failures", "Raw generations"),
    "templates": ("In use", "Components", "Ratings and downloads", "All templates", "Saved components"),
    "campaigns": ("",),
}
# Of each kind of thing the one with the most to show.
THINGS = {
    "contact": "SELECT contact_id FROM email_events GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "template": "SELECT template_id FROM email_campaigns WHERE template_id IS NOT NULL"
    " GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
}
ADDRESSES = [
    f"/{page}?{urlencode({'show': view})}" if view else f"/{page}" for page, views in VIEWS.items() for view in views
]
ROLES = ("viewer", "finance", "admin", "limited")


@pytest.mark.parametrize(("number", "address"), list(enumerate(ADDRESSES)), ids=ADDRESSES)
def test_a_page_is_whole_in_every_light_and_width(site, look, number, address):
    """Each by another role in turn: all of them may open all of these."""
    looked_at(look(site, address, role=ROLES[number % len(ROLES)], color_scheme="light"))


@pytest.mark.parametrize("page", THINGS)
def test_a_page_of_one_thing_is_whole_in_every_light_and_width(site, look, page):
    ((key,),) = site.rows(THINGS[page])
    looked_at(look(site, f"/{page}?{page}={key}", role="viewer", color_scheme="light"))


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, browser):
    context = browser.new_context()
    for address in (*ADDRESSES, "/contact?contact=x", "/template?template=x", "/campaign?campaign=x"):
        answer = context.request.get(site.url + address, headers={"accept": "text/html"}, max_redirects=0)
        assert answer.status == 303, address
        # Whoever asked for the first page comes back to it anyway.
        back = f"?{urlencode({'next': address})}" if address != "/" else ""
        assert answer.headers["location"] == f"/sign-in{back}"
    context.close()
