"""AI cost in Chromium: for finance alone, and each figure a click from its attempts."""

import re
from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.pages.looking import settled, table

RAW = "raw-generations-the-newest-first"


def test_the_page_is_not_for_viewers(site, signed_in):
    page = signed_in("viewer").new_page()
    page.goto(f"{site.url}/ai_cost")
    expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
    assert page.get_by_role("link", name="AI cost").count() == 0
    assert page.locator("[data-metric]").count() == 0


def test_a_workspace_opens_its_attempts(site, signed_in):
    """As many as the table says: they are narrowed to it, and nothing of the address is unknown."""
    page = signed_in("finance").new_page()
    page.goto(f"{site.url}/ai_cost?{urlencode({'by': 'Workspace', 'compare': 'Off'})}")
    settled(page)
    rows = table(page, "by-workspace")
    name = next(iter(rows))
    page.locator(".st-key-card-by-workspace").get_by_role("link", name=name, exact=True).click()
    page.wait_for_url("**workspace=**")
    settled(page)
    assert page.get_by_role("alert").count() == 0
    expect(page.locator('[data-metric="ai_cost"]')).to_contain_text(rows[name]["AI cost, USD"])


def test_a_model_opens_its_attempts_of_the_same_days(site, signed_in):
    page = signed_in("finance").new_page()
    page.goto(f"{site.url}/ai_cost?period=Last+90+days")
    settled(page)
    page.locator(".st-key-card-by-model").get_by_role("link", name="claude-haiku").click()
    page.wait_for_url("**model=claude-haiku**")
    settled(page)
    assert "period=Last+90+days" in page.url
    heads = page.locator(f".st-key-card-{RAW} thead th").all_inner_texts()
    models = page.locator(f".st-key-card-{RAW} tbody tr td:nth-child({heads.index('Model') + 1})").all_inner_texts()
    assert set(models) == {"claude-haiku"}
    assert "Cost, USD" in heads


def test_an_unusual_day_opens_its_attempts(site, signed_in):
    page = signed_in("finance").new_page()
    page.goto(f"{site.url}/ai_cost?{urlencode({'show': 'Unusual days', 'period': 'Last 90 days'})}")
    settled(page)
    rows = table(page, "unusual-days")
    first = next(iter(rows))
    page.locator(".st-key-card-unusual-days tbody").get_by_role("link", name=first, exact=True).first.click()
    page.wait_for_url("**period=Custom**")
    settled(page)
    heads = page.locator(f".st-key-card-{RAW} thead th").all_inner_texts()
    cells = page.locator(f".st-key-card-{RAW} tbody tr").first.locator("td").all_inner_texts()
    raw = dict(zip(heads, cells, strict=True))
    assert raw["When"].startswith(first)
    assert raw["Model"] == rows[first]["Model"]


def test_the_month_has_its_receipt_and_downloads(site, signed_in):
    page = signed_in("finance").new_page()
    page.goto(f"{site.url}/ai_cost")
    settled(page)
    card = page.locator(".st-key-card-this-month")
    expect(card.locator("img")).to_have_attribute("alt", re.compile("AI cost of this month, summed up"))
    card.get_by_role("button", name="Receipt").click()
    expect(page.get_by_role("link", name="CSV").first).to_be_visible()
