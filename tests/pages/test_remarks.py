"""Remarks of a campaign are written on its page, stand on its charts and on no other's, and can be moved."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.pages.every_view import address_of

TODAY = datetime.now(UTC).date()
SAYS = "The subject was rewritten"


@pytest.fixture
def nothing_kept(pages):
    yield
    pages.site.change("DELETE FROM annotations")


def drawer(page):
    return page.get("menu_button")[0].set_value("Remarks").run()


def press(page, label):
    """A drawer is drawn again by itself; without a browser, with the page that opens it once more."""
    page.get("menu_button")[0].set_value("Remarks")
    labelled(page, "button", label).click().run()
    assert not page.exception


def labelled(page, kind, label):
    return next(one for one in page.get(kind) if one.label == label)


def is_shown(page):
    return any(SAYS in one.proto.body for one in page.get("html"))


def test_a_remark_of_a_campaign_is_written_shown_and_moved_on_its_page(pages, nothing_kept):
    page = drawer(pages.run(*address_of(pages, "e-mail campaign"), "limited"))
    assert labelled(page, "checkbox", "Of this campaign alone").value
    labelled(page, "text_area", "What happened?").set_value(SAYS)
    labelled(page, "selectbox", "Channel").set_value("email")
    press(page, "Note it")
    assert pages.rows("SELECT text, channel, campaign_id IS NOT NULL, starts_on FROM annotations") == [
        (SAYS, "email", True, TODAY)
    ]
    page = pages.run(*address_of(pages, "e-mail campaign"), "limited")
    assert is_shown(page)
    assert not is_shown(pages.run(*address_of(pages, "web campaign"), "limited"))
    assert not is_shown(pages.run(*address_of(pages, "e-mail"), "limited"))

    page = drawer(page)
    first, last = (
        [one for one in page.get("date_input") if one.label == label][-1] for label in ("First day", "Last day")
    )
    first.set_value(TODAY - timedelta(days=3))
    last.set_value(TODAY - timedelta(days=2))
    press(page, "Save")
    assert pages.rows("SELECT starts_on, ends_on FROM annotations WHERE deleted_at IS NULL") == [
        (TODAY - timedelta(days=3), TODAY - timedelta(days=2))
    ]
