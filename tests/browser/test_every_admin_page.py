"""Every view of every page of admins in Chromium: whole and readable in light, in dark and on a telephone."""

import pytest

from app.ui.menu import Audience
from tests.browser.every_view import is_whole, views_of


@pytest.mark.parametrize(("page", "view", "role"), views_of(Audience.ADMIN))
def test_a_view_is_whole_in_every_light_and_width(site, glance, page, view, role):
    is_whole(site, glance, page, view, role)
