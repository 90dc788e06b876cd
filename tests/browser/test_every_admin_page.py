"""Every view of every page of admins in Chromium: whole and readable in light, in dark and on a telephone."""

import pytest

from app.ui.menu import Audience
from tests.browser.every_view import is_whole, openings


@pytest.mark.parametrize(("page", "role", "views"), openings(Audience.ADMIN))
def test_a_page_and_its_views_are_whole_in_every_light_and_width(site, glance, page, role, views):
    is_whole(site, glance, page, role, views)
