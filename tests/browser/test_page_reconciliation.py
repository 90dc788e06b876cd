"""Reconciliation shows both sides as the rows have them, names what was planted, and lets finance approve and close."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.ingest.samples import openai_bucket, openai_cost
from tests.ingest.samples import page as page_of
from tests.pages.looking import settled, table, tiles

LAST = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
BEFORE = (LAST - timedelta(days=1)).replace(day=1)
# Long before the demo begins: nobody else looks there.
LONG_AGO = "2020-01-05"
_BOTH = """
    SELECT (SELECT COALESCE(SUM(cost), 0) FROM ai_generations
            WHERE provider = '{provider}' AND created_at >= '{month}' AND created_at < '{after}'),
        b.total, (SELECT SUM(amount) FROM provider_bill_lines AS l WHERE l.bill_id = b.id AND l.replaced_by IS NULL),
        b.invoiced, b.status
    FROM provider_bills AS b WHERE b.provider = '{provider}' AND b.month = '{month}'
    """
# A third of what was cached counts as input: 3.00 and not 0.30 for a million.
_CACHE_MIX = """
    SELECT SUM(moved) * 2.70 / 1000000 FROM (
        SELECT SUM(cached_input_tokens) / 3 AS moved FROM ai_generations
        WHERE model = 'claude-sonnet' AND created_at >= '{month}' AND created_at < '{after}'
            AND EXTRACT(DAY FROM created_at AT TIME ZONE 'UTC') BETWEEN 4 AND 23
        GROUP BY CAST(created_at AT TIME ZONE 'UTC' AS date), service_tier
    ) AS days
    """
# Batches cost half: what was charged as standard is as much again.
_BATCHES = """
    SELECT COALESCE(SUM(cost), 0) FROM ai_generations
    WHERE model = 'claude-haiku' AND service_tier = 'batch' AND created_at >= '{month}' AND created_at < '{after}'
    """


def named(month):
    return f"{month:%B %Y}"


def of(question, provider, month):
    after = (month + timedelta(days=32)).replace(day=1)
    return question.format(provider=provider, month=f"{month} 00:00+00", after=f"{after} 00:00+00").replace(
        f"b.month = '{month} 00:00+00'", f"b.month = '{month}'"
    )


@pytest.fixture(scope="module")
def shown(site, signed_in):
    windows = {}

    def opened(role="finance", **query):
        if role not in windows:
            windows[role] = signed_in(role)
        page = windows[role].new_page()
        page.goto(f"{site.url}/reconciliation?{urlencode(query)}")
        settled(page)
        return page

    return opened


def bars(page):
    """The bridge's figures by their names."""
    found = page.locator(".st-key-card-from-our-ledger-to-the-invoice .sl-rows > *").all_inner_texts()
    return dict(zip(found[0::3], found[2::3], strict=True))


def press(page, name):
    page.get_by_role("button", name=name).click()
    page.wait_for_timeout(300)


@pytest.mark.parametrize("role", ["finance", "admin"])
def test_both_sides_are_what_the_rows_hold_and_every_day_adds_up(site, shown, role):
    for provider, month in (("openai", LAST), ("anthropic", LAST), ("google", BEFORE)):
        page = shown(role, provider=provider.capitalize(), month=named(month))
        found = tiles(page)
        ((ledger, total, lines, invoiced, status),) = site.rows(of(_BOTH, provider, month))
        assert total == lines
        assert (found["our_ledger"], found["provider"], found["invoice"]) == (ledger, total, invoiced)
        assert found["difference"] == invoiced - ledger
        assert found["unexplained"] == 0
        assert page.get_by_text(status.capitalize(), exact=True).count() >= 1
        page.close()


def test_what_was_planted_has_its_name_and_its_amount(site, shown):
    page = shown(provider="Anthropic", month=named(LAST), kind="Cache mix")
    ((planted,),) = site.rows(of(_CACHE_MIX, "anthropic", LAST))
    assert planted > 0
    shown_amount = Decimal(bars(page)["Cache mix"].replace(",", ""))
    assert abs(shown_amount - planted) < Decimal("0.01")
    rows = table(page, "by-day-and-model")
    assert all("claude-sonnet" in key and "Cache mix" in row["Because of"] for key, row in rows.items())
    page.goto(page.url.replace("Cache+mix", "Tier").replace(f"{LAST:%B+%Y}", f"{BEFORE:%B+%Y}"))
    settled(page)
    ((batches,),) = site.rows(of(_BATCHES, "anthropic", BEFORE))
    tier = bars(page)["Tier"].replace(",", "")
    assert abs((Decimal(0) if tier == "–" else Decimal(tier)) - batches) < Decimal("0.01")


def test_a_day_opens_its_parts_and_its_calls(site, shown):
    page = shown(provider="Anthropic", month=named(LAST), kind="Cache mix")
    page.locator(".st-key-card-by-day-and-model tbody a").first.click()
    page.wait_for_url("**reconciliation=**")
    settled(page)
    place = page.locator(".st-key-card-calls-behind-it")
    expect(place).to_be_visible(timeout=30_000)
    day = page.url.split("reconciliation=")[1].split("%7E")[0].split("~")[0]
    ((calls,),) = site.rows(f"""
        SELECT COUNT(*) FROM ai_generations WHERE model = 'claude-sonnet'
            AND CAST(created_at AT TIME ZONE 'UTC' AS date) = '{day}' AND cached_input_tokens + cache_write_tokens > 0
        """)
    expect(place.get_by_text(f"{calls:,} row", exact=False)).to_be_visible()
    page.get_by_role("link", name="All calls of this model on this day").click()
    page.wait_for_url("**/ai_usage**")
    settled(page)
    assert page.get_by_text("A part of the address could not be used.").count() == 0


def file_of(value, day=LONG_AGO, name="costs.json"):
    content = json.dumps(page_of(openai_bucket(day, openai_cost("gpt-4o, input", value, 1_000_000))))
    return {"name": name, "mimeType": "application/json", "buffer": content.encode()}


def upload(page, file):
    page.locator('input[type="file"]').set_input_files(file)
    expect(page.get_by_text(file["name"]).first).to_be_visible()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Read", exact=True).click()


def test_a_file_is_read_once_refused_by_row_and_approved_knowing_what_happens(site, shown):
    page = shown(show="The bill", provider="OpenAI")
    broken = file_of("many", name="broken.json")
    upload(page, broken)
    expect(page.get_by_role("alert").get_by_text("broken.json was not read")).to_be_visible(timeout=30_000)
    expect(page.locator(".st-key-card-what-is-wrong-with-broken-json").get_by_text("not a number")).to_be_visible()
    upload(page, file_of("2.5"))
    expect(page.get_by_role("status").get_by_text("1 days are new")).to_be_visible(timeout=30_000)
    upload(page, file_of("2.5"))
    expect(page.get_by_role("status").get_by_text("read before; nothing was changed")).to_be_visible(timeout=30_000)
    upload(page, file_of("3.5", name="other.json"))
    expect(page.get_by_text("2.5000 USD there, 3.5000 USD here")).to_be_visible(timeout=30_000)
    page.goto(f"{site.url}/reconciliation?{urlencode({'show': 'The bill', 'month': 'January 2020'})}")
    settled(page)
    press(page, "Approve the bill …")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("What will happen")).to_be_visible()
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("is approved.").first).to_be_visible(timeout=30_000)
    settled(page)
    upload(page, file_of("1", day="2020-01-06"))
    expect(page.get_by_role("alert").get_by_text("its lines stay as they are")).to_be_visible(timeout=30_000)
    assert site.rows("SELECT status, total FROM provider_bills WHERE month = '2020-01-01'") == [
        ("approved", Decimal("2.5"))
    ]
    press(page, "Open the bill again …")
    dialog.get_by_role("button", name="Open it").click()
    expect(dialog.get_by_role("alert").get_by_text("for a reason")).to_be_visible(timeout=30_000)
    dialog.get_by_label("Why?").fill("A credit came.")
    dialog.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("is open again.").first).to_be_visible(timeout=30_000)
    said = site.rows(
        "SELECT actor, reason FROM audit_log WHERE table_name = 'provider_bills' ORDER BY position DESC LIMIT 1"
    )
    assert said == [("finance@test.example", "A credit came.")]


def test_a_month_is_closed_and_opened_again_for_a_reason(site, shown):
    page = shown(show="The month", month=named(LAST))
    press(page, "Close the month …")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("the database refuses whoever changes them")).to_be_visible()
    expect(dialog.get_by_role("button", name="Close it", exact=True)).to_be_disabled()
    dialog.get_by_text("Close it without them.").click()
    dialog.get_by_text("Close it despite calls without a price.").click()
    expect(dialog.get_by_role("button", name="Close it", exact=True)).to_be_enabled()
    dialog.get_by_role("button", name="Close it", exact=True).click()
    expect(page.get_by_text("is closed.").first).to_be_visible(timeout=60_000)
    closed = f"SELECT closed_at IS NOT NULL FROM ai_months WHERE month = '{LAST}'"
    assert site.rows(closed) == [(True,)]
    settled(page)
    press(page, "Open the month again …")
    dialog.get_by_label("Why?").fill("A test is over.")
    dialog.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("is open again.").first).to_be_visible(timeout=60_000)
    assert site.rows(closed) == [(False,)]


def test_a_closed_month_is_corrected_in_a_dialog_that_says_what_is_missing(site, shown):
    page = shown(show="The month", month=named(BEFORE))
    held = site.rows("SELECT COUNT(*) FROM ai_cost_corrections")
    press(page, "Correct the month …")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("stands beside them as a correction")).to_be_visible()
    dialog.get_by_role("button", name="Correct it").click()
    expect(dialog.get_by_role("alert").get_by_text("of one workspace")).to_be_visible(timeout=30_000)
    dialog.get_by_role("combobox", name="Workspace").click()
    page.get_by_role("option").first.click()
    dialog.get_by_role("combobox", name="Model").click()
    page.get_by_role("option").first.click()
    dialog.get_by_role("textbox", name="Amount, USD").fill("much")
    dialog.get_by_role("button", name="Correct it").click()
    expect(dialog.get_by_role("alert").get_by_text("“much” is no amount.")).to_be_visible(timeout=30_000)
    dialog.get_by_role("textbox", name="Amount, USD").fill("0.01")
    dialog.get_by_role("button", name="Correct it").click()
    expect(dialog.get_by_role("alert").get_by_text("for a reason")).to_be_visible(timeout=30_000)
    assert site.rows("SELECT COUNT(*) FROM ai_cost_corrections") == held


def test_corrections_after_the_close_are_listed(site, shown):
    page = shown(show="The month", month=named(BEFORE))
    assert "Closed" in page.locator(f".st-key-card-{named(BEFORE).lower().replace(' ', '-')}").inner_text()
    rows = page.locator(".st-key-card-corrections-after-the-close tbody tr").all_inner_texts()
    held = site.rows(f"SELECT reason FROM ai_cost_corrections WHERE month = '{BEFORE}'")
    assert held
    assert all(any(reason in row for row in rows) for (reason,) in held)


def test_the_page_is_not_for_viewers_and_limited_people_of_finance_are_told_whom_to_ask(site, signed_in):
    page = signed_in("viewer").new_page()
    page.goto(f"{site.url}/reconciliation")
    expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
    limited = signed_in("limited-finance").new_page()
    limited.goto(f"{site.url}/reconciliation")
    expect(limited.get_by_text("Bills are of the whole company.")).to_be_visible(timeout=30_000)
    assert limited.locator("[data-metric]").count() == 0


def test_what_can_not_be_used_is_said(shown):
    page = shown(provider="<b>", month="Nevember", kind="Magic", show="Nowhere", reconciliation="x")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("provider=<b>", "month=Nevember", "kind=Magic", "show=Nowhere"))
