"""Every view of every page of the team in Chromium: whole and readable in light, in dark and on a telephone.

One opening serves for all: a page follows the system's colours and the window's width while it is open.
"""

from urllib.parse import urlencode

import pytest

from app.ui.menu import PAGES, Audience
from tests.browser.every_view import VIEWS, is_whole, openings


@pytest.mark.parametrize(("page", "role", "views"), openings(Audience.TEAM))
def test_a_page_and_its_views_are_whole_in_every_light_and_width(site, glance, page, role, views):
    is_whole(site, glance, page, role, views)


def test_every_page_of_the_menu_is_walked():
    assert {page.name for page in PAGES} - {"account"} == set(VIEWS)


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, browser):
    context = browser.new_context()
    addresses = [f"/{page.name}" for page in PAGES if page.name != "overview"]
    for address in ("/", *addresses, "/campaign?campaign=x", "/email?show=Single+events"):
        answer = context.request.get(site.url + address, headers={"accept": "text/html"}, max_redirects=0)
        assert answer.status == 303, address
        # Whoever asked for the first page comes back to it anyway.
        back = f"?{urlencode({'next': address})}" if address != "/" else ""
        assert answer.headers["location"] == f"/sign-in{back}"
    context.close()
