"""What is clicked in a table narrows the page or leads to another, and whatever was chosen before is kept."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.facts import Facts
from tests.pages.looking import settled, table, tiles
from tests.pages.oracles import choices


@pytest.fixture
def opened(site, signed_in):
    def open_page(path, role="admin"):
        page = signed_in(role).new_page()
        page.goto(f"{site.url}/{path}")
        settled(page)
        return page

    return open_page


def click(page, card, link, address):
    page.locator(f".st-key-card-{card}").get_by_role("link", name=link).first.click()
    page.wait_for_url(address)
    settled(page)


def sort(page, card, by):
    """The list of choices closes when the page moves under it: it is brought into sight first."""
    choice = card.get_by_role("combobox", name="Sort by")
    choice.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    choice.click()
    page.get_by_role("option", name=by, exact=True).click()


def test_a_domain_narrows_the_page_and_the_filters_are_kept(site, opened):
    choice = choices("mailer")["product"]
    page = opened(f"email?{choice.address}&show=Domains&opens=People+only")
    click(page, "receiving-domains", "inbox.example", "**domain=inbox.example**")
    assert "product=Mailer" in page.url
    assert "opens=People" in page.url
    sent = Facts(site.rows, choice, "admin").of(["emails_sent"], ("domain",))[("inbox.example",)]
    assert tiles(page)["emails_sent"] == sent["emails_sent"]


def test_a_source_narrows_the_page_and_the_filters_are_kept(site, opened):
    choice = choices("web_builder")["product"]
    page = opened(f"web?{choice.address}&show=Sources")
    click(page, "sources-and-mediums", "google", "**source=google**")
    assert "product=Web+builder" in page.url
    assert tiles(page)["views"] == Facts(site.rows, choice, "admin").of(["views"], ("source",))[("google",)]["views"]


def test_a_platform_narrows_the_page_and_the_filters_are_kept(opened):
    page = opened("ads?period=Last+90+days")
    click(page, "by-platform", "Facebook", "**platform=Facebook**")
    assert "period=Last+90+days" in page.url
    assert set(table(page, "by-platform")) == {"Facebook", "Together"}


def test_a_reason_opens_the_attempts_that_failed_for_it(opened):
    page = opened("ai_usage?period=Last+90+days&show=Failures")
    click(page, "failures-by-reason", "timeout", "**error_code=timeout**")
    assert "period=Last+90+days" in page.url
    cells = page.locator(".st-key-card-raw-generations-the-newest-first tbody tr td:nth-child(3)").all_inner_texts()
    assert set(cells) == {"timeout"}


def test_a_table_is_searched_sorted_and_turned_in_the_address(site, opened):
    """What is chosen stands there; a reload, a pasted address and a step back bring it back, other pages forget it."""
    page = opened("web?period=Last+90+days")
    card = page.locator(".st-key-card-landing-pages")
    assert "landing-pages" not in page.url
    names = card.locator("tbody tr th")
    sort(page, card, "Views")
    card.get_by_text("Smallest first").click()
    page.wait_for_url("**landing-pages-rising=true**")
    settled(page)
    shown = names.all_inner_texts()
    views = [int(cell.replace(",", "")) for cell in card.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert views == sorted(views)
    assert re.search(r"landing-pages-sort=Views", page.url)

    address = page.url
    page.reload()
    settled(page)
    assert names.all_inner_texts() == shown
    pasted = opened(address.removeprefix(f"{site.url}/"))
    assert pasted.locator(".st-key-card-landing-pages tbody tr th").all_inner_texts() == shown

    page.get_by_role("link", name="Templates", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Templates")
    settled(page)
    assert "landing-pages" not in page.url
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Web")
    settled(page)
    expect(names.first).to_be_visible()
    assert names.all_inner_texts() == shown
    assert page.url == address

    card.get_by_role("searchbox").or_(card.get_by_label("Search")).first.fill(shown[-1])
    page.keyboard.press("Enter")
    page.wait_for_url("**landing-pages-search=**")
    settled(page)
    assert shown[-1] in names.all_inner_texts()


def test_a_table_of_one_name_on_another_page_is_not_searched_too(opened):
    page = opened("web?period=Last+90+days&show=Components")
    card = page.locator(".st-key-card-components")
    sort(page, card, "Clicks")
    page.wait_for_url("**components-sort=Clicks**")
    page.get_by_role("link", name="Templates", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Templates")
    settled(page)
    page.get_by_role("tab", name="Components", exact=True).click()
    there = page.locator(".st-key-card-components-of-web-campaigns")
    expect(there.get_by_role("combobox", name="Sort by")).to_have_value("As listed")
    assert "components-sort" not in page.url


def test_a_live_list_has_a_receipt_and_a_download_of_all_of_it(site, opened):
    page = opened("email?show=Single+events&event=Delivered&period=Last+90+days", "limited")
    card = page.locator(".st-key-card-single-events")
    card.get_by_role("button", name="Receipt").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("live from Postgres")).to_be_visible()
    expect(drawer.get_by_text("FROM email_events")).to_be_visible()
    with page.expect_download() as waiting:
        drawer.get_by_role("link", name="CSV").click()
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    holds = choices("mailer")["product"].holds("t.occurred_at", "limited").partition(" AND c.product")[0]
    ((counted,),) = site.rows(f"SELECT count(*) FROM email_events AS t WHERE {holds} AND t.event_type = 'delivered'")
    shown = card.locator("tbody tr").count()
    # A page of a list: the download is of all of them, and not of what is seen.
    assert 0 < shown < counted == len(lines) - 1
    assert waiting.value.suggested_filename.startswith("raw-emails-")


def test_a_file_that_a_page_made_is_for_whom_it_was_made_alone(site, opened, signed_in):
    page = opened("ads?show=Creatives&least=0", "viewer")
    page.locator(".st-key-card-creatives").get_by_role("button", name="Download").click()
    drawer = page.get_by_role("dialog")
    with page.expect_download() as waiting:
        drawer.get_by_role("button", name="CSV").click()
    assert waiting.value.suggested_filename.startswith("creatives-")
    assert waiting.value.path().read_text(encoding="utf-8").startswith("Creative,Campaign,Kind,Score")
    address = waiting.value.url
    assert "/media/" in address
    assert page.context.request.get(address).status == 200
    assert signed_in("admin").request.get(address).status == 404
