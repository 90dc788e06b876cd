"""Margin, invoices and credits in Chromium: their details in reach for everybody, and all of it for finance alone."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import SCREENS, in_reach, settled, whole


def address(page, view):
    return f"/{page}?{urlencode({'show': view, 'period': 'Last 90 days'})}"


LONG_AGO = (datetime.now(UTC).replace(day=1) - timedelta(days=40)).strftime("%Y-%m")


@pytest.fixture(scope="module")
def finance(signed_in):
    return signed_in("finance")


def test_details_are_whole_and_in_reach(site, look):
    ((invoice, user),) = site.rows("""
        SELECT (SELECT corrects_invoice_id FROM invoices WHERE kind = 'credit_note' LIMIT 1),
            (SELECT user_id FROM credit_transactions GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1)
    """)
    seen = look(site, f"/invoice?invoice={invoice}", role="finance", **SCREENS["telephone"])
    for one in (f"/invoice?invoice={invoice}", f"/credit_ledger?user={user}", "/invoice", "/credit_ledger?user=1"):
        seen.page.goto(site.url + one)
        whole(seen)
        in_reach(seen.page)


@pytest.mark.parametrize("page", ["margin", "invoices", "invoice", "credit_ledger"])
def test_viewers_are_refused_in_a_sentence(site, signed_in, page):
    window = signed_in("viewer").new_page()
    window.goto(f"{site.url}/{page}")
    settled(window)
    expect(window.get_by_role("heading", name="Not for your role")).to_be_visible()
    assert window.locator("[data-metric]").count() == 0


def test_an_invoice_is_opened_from_the_list_and_leads_back_to_its_credit_note(site, finance):
    page = finance.new_page()
    page.goto(site.url + address("invoices", "Credit notes"))
    settled(page)
    rows = page.locator(".st-key-card-credit-notes tbody tr").first.locator("a")
    number, corrected = rows.nth(0).inner_text(), rows.nth(1).inner_text()
    rows.nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(corrected)
    settled(page)
    page.locator(".st-key-card-credit-notes a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)


def test_a_month_is_downloaded_as_focus_and_adds_up(site, finance):
    page = finance.new_page()
    page.goto(f"{site.url}/margin?show=FOCUS&month={LONG_AGO}")
    settled(page)
    with page.expect_download() as told:
        page.locator(".st-key-card-focus-1-4 a").first.click()
    rows = list(csv.DictReader(io.StringIO(told.value.path().read_text())))
    ((cost,),) = site.rows(f"""
        SELECT SUM(cost) FROM ai_generations
        WHERE created_at >= '{LONG_AGO}-01' AND created_at < CAST('{LONG_AGO}-01' AS DATE) + INTERVAL '1 month'
    """)
    corrections = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert sum(Decimal(row["EffectiveCost"]) for row in rows if row not in corrections) == cost
    assert told.value.suggested_filename.startswith("cost-and-usage-focus-1.4")


def test_viewers_download_no_focus(site, signed_in):
    answer = signed_in("viewer").request.get(f"{site.url}/export/csv?focus=cost-and-usage&month={LONG_AGO}")
    assert answer.status == 403
    assert "may not do this" in answer.text()


@pytest.mark.parametrize("query", ["focus=cost-and-usage&month=October", "focus=everything&month=2026-10"])
def test_what_is_no_month_or_dataset_is_refused(site, finance, query):
    answer = finance.request.get(f"{site.url}/export/csv?{query}")
    assert (answer.status, "is no" in answer.text()) == (422, True)
