"""What opens over a page is readable for everybody too, in light, in dark and on a telephone."""

import pytest
from playwright.sync_api import expect

from tests.pages.looking import in_reach, pale, settled

DIALOG = '[role="dialog"]'


def more(page, name):
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=name).click()


def receipt_in(part):
    return lambda page: page.locator(part).get_by_role("button", name="Receipt").click()


def receipt_with_its_question(page):
    receipt_in('[class*="st-key-tiles-"]')(page)
    page.get_by_role("dialog").get_by_text("SQL and parameters").click()


DIALOGS = {
    "/price_book": {"Where this comes from": receipt_with_its_question},
    "/reconciliation?provider=Anthropic": {"Where this comes from": receipt_in(".st-key-card-by-day-and-model")},
    "/budgets": {
        "Share this page": lambda page: more(page, "Share"),
        "Saved views": lambda page: more(page, "Saved views"),
        "Remarks on these days": lambda page: more(page, "Remarks"),
        "New budget": lambda page: page.get_by_role("button", name="New budget").click(),
    },
}


@pytest.mark.parametrize("path", DIALOGS)
def test_dialogs_are_readable_in_every_light_and_width(site, glance, path):
    seen = glance(path, "finance")
    page = seen.page
    settled(page)
    for title, open_it in DIALOGS[path].items():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": 1280, "height": 900})
            open_it(page)
            dialog = page.get_by_role("dialog")
            expect(dialog.get_by_text(title)).to_be_visible()
            # It comes in slowly: half there, its texts are pale.
            page.wait_for_timeout(500)
            assert pale(dialog) == []
            if scheme == "light":
                in_reach(page, inside=(DIALOG,))
            page.set_viewport_size({"width": 390, "height": 844})
            page.wait_for_timeout(200)
            in_reach(page, "scrollable-region-focusable", inside=(DIALOG,))
            assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
    assert seen.troubles == []
