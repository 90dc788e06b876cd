"""The price book shows what the database holds, what approving would change, and where sources say otherwise."""

import io
import re
from decimal import Decimal
from urllib.parse import urlencode

import pypdf
import pytest
from playwright.sync_api import expect

from app.ui import words
from tests.pages.looking import settled, table, tiles
from tests.pages.oracles import FINANCE_ROLES, choices, same

CHOICES = choices("web_builder")
MADE_UP = "test-model-of-nobody"
# Of each thing that has a price, the one that began last of those that are valid now.
HOLDS_NOW = """
    SELECT DISTINCT ON (provider, model, unit, variant, service_tier, context_from)
        provider || '/' || model, unit, variant, service_tier, price
    FROM ai_prices
    WHERE approved_at IS NOT NULL AND superseded_by IS NULL AND valid_from <= now()
        AND (valid_to IS NULL OR valid_to > now()) AND provider = '{provider}'
    ORDER BY provider, model, unit, variant, service_tier, context_from, valid_from DESC
    """


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """The page as a role sees it with a query."""
    windows = {}

    def opened(role="finance", **query):
        if role not in windows:
            windows[role] = signed_in(role)
        page = windows[role].new_page()
        page.goto(f"{site.url}/price_book?{urlencode(query)}")
        settled(page)
        return page

    return opened


def rows_of(page, card):
    """Every row of a card's table, by its heads; several rows may begin alike."""
    found = page.locator(f".st-key-card-{card} table").last
    expect(found).to_be_visible(timeout=30_000)
    heads = found.locator("thead th").all_inner_texts()
    lines = found.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    return [dict(zip(heads, line, strict=True)) for line in lines]


def pressed(page, name, role="button"):
    page.get_by_role(role, name=name).click()
    settled(page)


def test_the_page_is_not_for_viewers(site, signed_in):
    page = signed_in("viewer").new_page()
    page.goto(f"{site.url}/price_book")
    expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
    assert page.get_by_role("link", name="Price book").count() == 0
    refused = page.request.get(f"{site.url}/export/csv?list=book_prices&name=x")
    assert refused.status == 403


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_the_book_lists_what_holds_now(site, shown, role):
    page = shown(role, provider="Google")
    listed = {
        (row["Model"], row["Charged for"], row["Tier"], row["Price, USD"]) for row in rows_of(page, "the-price-book")
    }
    held = {
        (model, f"{words.spelled(unit)} {variant}".strip(), words.spelled(tier), words.exact(price))
        for model, unit, variant, tier, price in site.rows(HOLDS_NOW.format(provider="google"))
    }
    assert listed == held
    assert len(held) > 4


def test_a_price_opens_all_that_was_ever_said_of_it(site, shown):
    [(key,)] = site.rows(
        "SELECT id FROM ai_prices WHERE model = 'gpt-4o' AND unit = 'output' AND superseded_by IS NULL AND version = 2"
    )
    page = shown(model="gpt-4o", valid="At any time")
    page.locator(".st-key-card-the-price-book").get_by_role("link", name="openai/gpt-4o", exact=True).first.click()
    page.wait_for_url("**price_book=**")
    page = shown(price_book=key, model="gpt-4o")
    found = rows_of(page, "history-of-openai-gpt-4o")
    assert [(row["State"], row["Price, USD"], row["Version"]) for row in found] == [
        ("In the book", "10.00", "2"), ("Superseded", "11.00", "1"), ("In the book", "15.00", "1"),
    ]  # fmt: skip
    assert [row["Superseded"] == "–" for row in found] == [True, False, True]
    page.get_by_role("link", name="Back to the book").click()
    settled(page)
    assert page.locator(".st-key-card-history-of-openai-gpt-4o").count() == 0


def test_a_price_that_is_not_there_is_told(shown):
    page = shown(price_book="0199f1c2-7b1e-7a60-9d2f-2f7f5d3f1a10")
    expect(page.get_by_text("There is no such price.")).to_be_visible()


def test_proposals_stand_beside_the_book(shown):
    found = {
        (row["Charged for"], row["Tier"]): (row["In the book, USD"], row["Proposed, USD"], row["Change"])
        for row in rows_of(shown(show="Proposals", model="gpt-4o-mini"), "proposals")
    }
    assert found["Input", "Standard"] == ("0.15", "0.10", "-33.33 %")
    assert found["Output", "Batch"] == ("0.30", "0.20", "-33.33 %")
    preview = rows_of(shown(show="Proposals", model="gemini-flash-preview"), "proposals")
    assert {(row["In the book, USD"], row["Change"]) for row in preview} == {("–", "–")}


def test_somebody_limited_sees_proposals_and_decides_nothing(shown):
    page = shown("limited-finance", show="Proposals")
    expect(page.get_by_text("people of finance who see all of them decide here")).to_be_visible()
    assert page.get_by_role("button", name="Look for prices").count() == 0
    assert page.locator(".st-key-card-decide").count() == 0
    assert rows_of(page, "proposals")


# Whole calls of this month, open or closed, by the prices that are proposed; batches cost half.
_EFFECT = """
    SELECT date_trunc('month', created_at AT TIME ZONE 'UTC')::date AS month, COUNT(*), SUM(cost),
        SUM((input_tokens * 0.1 + cached_input_tokens * 0.05 + (output_tokens + reasoning_tokens) * 0.4)
            / 1000000 / CASE service_tier WHEN 'batch' THEN 2 ELSE 1 END)
    FROM ai_generations
    WHERE model = 'gpt-4o-mini' AND status IN ('completed', 'failed', 'cancelled')
        AND created_at >= (SELECT MIN(valid_from) FROM ai_prices WHERE model = 'gpt-4o-mini' AND version = 0)
        AND input_tokens + cached_input_tokens + output_tokens + reasoning_tokens > 0
    GROUP BY 1 ORDER BY 1
    """


def test_the_effect_is_shown_before_anybody_approves_and_is_what_counting_gives(site, shown):
    page = shown(show="Proposals")
    page.locator(".st-key-card-decide").get_by_role("button", name="openai/gpt-4o-mini").click()
    settled(page)
    page.get_by_role("button", name=re.compile("See what 8 proposals would change")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("table")).to_be_visible(timeout=30_000)
    told = dialog.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
    )
    counted = [
        [words.bucket("month", month), "openai/gpt-4o-mini", f"{calls:,}", "0", "0", words.money(before, ""),
         words.money(after, ""), words.money(after - before, "")]
        for month, calls, before, after in site.rows(_EFFECT)
    ]  # fmt: skip
    assert told == counted
    assert counted
    expect(dialog.get_by_role("button", name="Approve 8 prices")).to_be_disabled()
    assert site.rows("SELECT COUNT(*) FROM ai_prices WHERE model = 'gpt-4o-mini' AND version > 1") == [(0,)]


def by_hand(page, dollars, reference):
    """Fill the form for a model that nobody uses, so that no figure of the site changes."""
    pressed(page, "Add one by hand")
    dialog = page.get_by_role("dialog")
    model = dialog.get_by_role("combobox", name="Model")
    model.fill(MADE_UP)
    model.press("Enter")
    dialog.get_by_label("Price in USD").fill(dollars)
    dialog.get_by_label("Where it says so").fill(reference)
    dialog.get_by_role("button", name="Propose it").click()
    return dialog


def test_a_price_by_hand_is_checked_proposed_rejected_for_a_reason_and_approved_with_confirmation(site, shown):
    page = shown(show="Proposals")
    dialog = by_hand(page, "two fifty", "A colleague")
    expect(dialog.get_by_role("alert")).to_contain_text("“two fifty” is no price.")
    page.keyboard.press("Escape")
    for dollars in ("2.50", "2.75"):
        page = shown(show="Proposals")
        by_hand(page, dollars, "A colleague")
        expect(page.get_by_role("status").filter(has_text=f"{MADE_UP} waits for approval")).to_be_visible()
    page = shown(show="Proposals")
    box = page.locator(".st-key-card-decide").get_by_role("combobox", name="Single ones")
    # Lists close when the page is scrolled, as a click on something out of sight does.
    page.set_viewport_size({"width": 1280, "height": 2400})
    box.click()
    box.press_sequentially("2.75 USD")
    page.get_by_role("option", name=re.compile(f"{MADE_UP}: Input, 2.75 USD for a million")).click()
    page.keyboard.press("Escape")
    settled(page)
    page.get_by_role("button", name="Reject 1 proposal").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject 1 proposal").click()
    expect(dialog.get_by_role("alert")).to_contain_text("rejected for a reason")
    dialog.get_by_role("textbox", name="Why?").fill("Misheard")
    dialog.get_by_role("button", name="Reject 1 proposal").click()
    expect(page.get_by_role("status").filter(has_text="1 proposal rejected.")).to_be_visible()

    page = shown(show="Proposals")
    page.locator(".st-key-card-decide").get_by_role("button", name=f"openai/{MADE_UP}").click()
    settled(page)
    page.get_by_role("button", name="See what 1 proposal would change").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("No call would cost anything else than it does.")).to_be_visible()
    dialog.get_by_text("I have looked at what changes.").click()
    dialog.get_by_role("button", name="Approve 1 price").click()
    expect(page.get_by_role("status").filter(has_text="The book is at version")).to_be_visible()
    state = site.rows(
        f"SELECT price, version > 0, rejected_at IS NOT NULL FROM ai_prices WHERE model = '{MADE_UP}' ORDER BY price"
    )
    assert state == [(Decimal("2.5"), True, False), (Decimal("2.75"), False, True)]
    told = site.rows(
        "SELECT a.actor, a.reason FROM audit_log AS a JOIN ai_prices AS p ON a.row_key = CAST(p.id AS TEXT)"
        " WHERE a.table_name = 'ai_prices' AND a.action = 'update' AND a.after ? 'rejected_at'"
        f" AND p.model = '{MADE_UP}' AND p.price = 2.75"
    )
    assert told == [("finance@test.example", "Misheard")]


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_what_has_no_price_stands_with_its_count_and_opens_its_calls(site, shown, role):
    choice = CHOICES["first"]
    page = shown(role, show="Without a price")
    holds = choice.holds("t.created_at", role)
    counted = site.rows(
        "SELECT provider || '/' || model, COUNT(*) FROM ai_generations AS t"
        f" WHERE cost IS NULL AND status IN ('completed', 'failed', 'cancelled') AND {holds} GROUP BY 1"
    )
    found = rows_of(page, "models-without-a-price")
    added = {}
    for row in found:
        added[row["Model"]] = added.get(row["Model"], 0) + int(row["Calls"].replace(",", ""))
    assert added == dict(counted)
    assert tiles(page)["unpriced_generations"] == sum(added.values())
    model = counted[0][0]
    page.locator(".st-key-card-models-without-a-price").get_by_role("link", name=model).first.click()
    page.wait_for_url("**/ai_usage?**")
    assert "show=Raw+generations" in page.url
    assert f"model={model.split('/')[1]}" in page.url


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_what_sources_said_stands_beside_what_we_computed(site, shown, role):
    """Of a quarter: of four weeks there are too few calls in the smallest demo."""
    choice = CHOICES["product"]
    page = shown(
        role,
        show="Source and book",
        **dict(pair.split("=") for pair in choice.address.replace("+", " ").split("&") if pair),
    )
    holds = choice.holds("t.created_at", role, product="t.product")
    told = site.rows(f"""
        SELECT t.model, COUNT(*), COUNT(*) FILTER (WHERE t.cost <> t.reported_cost), SUM(t.reported_cost), SUM(t.cost),
            SUM(t.cost - t.reported_cost)
        FROM ai_generations AS t WHERE t.reported_cost IS NOT NULL AND {holds} GROUP BY 1
    """)
    [(model, calls, apart, said, ours, difference)] = told
    [row] = rows_of(page, "source-and-book-by-model")
    assert row["Model"] == f"openai/{model}"
    assert row["Calls with a cost told"] == f"{calls:,}"
    assert row["That differ"] == f"{apart:,}"
    assert (row["Source said, USD"], row["We computed, USD"]) == (words.money(said, ""), words.money(ours, ""))
    assert row["Difference, USD"] == words.money(difference, "")
    greatest = site.rows(f"""
        SELECT ABS(t.cost - t.reported_cost) FROM ai_generations AS t
        WHERE t.cost <> t.reported_cost AND {holds} ORDER BY 1 DESC LIMIT 25
    """)
    listed = rows_of(page, "calls-that-differ-the-greatest-difference-first")
    assert [line["Difference, USD"].lstrip("-") for line in listed[:25]] == [
        words.money(one, "") for (one,) in greatest
    ]
    assert same(tiles(page)["reported_cost"], said)


def test_the_months_report_holds_what_counting_gives(site, signed_in):
    """Of the month before this one; closed or open."""
    [(month, cost, calls, unpriced)] = site.rows("""
        SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month' AS month, SUM(cost), COUNT(*),
            COUNT(*) FILTER (WHERE cost IS NULL AND status IN ('completed', 'failed', 'cancelled'))
        FROM ai_generations
        WHERE created_at >= (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month') AT TIME ZONE 'UTC'
            AND created_at < date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    """)
    [(corrected,)] = site.rows(
        f"SELECT COALESCE(SUM(amount), 0) FROM ai_cost_corrections WHERE month = '{month:%Y-%m-%d}'"
    )
    finance = signed_in("finance")
    address = f"{site.url}/export/month/{month:%Y-%m}.pdf"
    answer = finance.request.get(address)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/pdf"
    pages = pypdf.PdfReader(io.BytesIO(answer.body())).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert f"AI cost and margin, {month:%B %Y}" in text
    assert words.money(cost + corrected, "USD") in text
    assert f"{calls:,}" in text
    assert f"{unpriced:,}" in text
    by_model = site.rows(f"""
        SELECT model, SUM(cost), COUNT(*) FROM ai_generations
        WHERE date_trunc('month', created_at AT TIME ZONE 'UTC') = '{month:%Y-%m-%d}' AND cost IS NOT NULL
        GROUP BY 1 HAVING SUM(cost) > 0
    """)
    corrections = dict(
        site.rows(f"SELECT model, SUM(amount) FROM ai_cost_corrections WHERE month = '{month:%Y-%m-%d}' GROUP BY 1")
    )
    missing = [model for model, spent, _ in by_model if words.money(spent + corrections.get(model, 0), "") not in text]
    assert missing == []
    receipts = set(re.findall(r"\b[0-9a-f]{16}\b", text))
    listed = set(re.findall(r"^([0-9a-f]{16}) ", text[text.rindex("Receipts\n") :], re.M))
    assert receipts == listed
    assert signed_in("viewer").request.get(address).status == 403
    assert finance.request.get(f"{site.url}/export/month/2026-13.pdf").status == 422
    assert finance.request.get(f"{site.url}/export/month/2099-01.pdf").status == 422


def test_a_limited_persons_report_is_of_their_workspaces(site, signed_in):
    [(month, cost)] = site.rows(f"""
        SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month' AS month, SUM(t.cost)
        FROM ai_generations AS t
        WHERE {CHOICES["first"].holds("DATE 'infinity'", "limited-finance").split(" AND ", 2)[2]}
            AND date_trunc('month', t.created_at AT TIME ZONE 'UTC')
                = date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month'
    """)
    answer = signed_in("limited-finance").request.get(f"{site.url}/export/month/{month:%Y-%m}.pdf")
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.body())).pages)
    assert "2 workspaces" in text
    assert words.money(cost, "USD") in text
    assert "Reconciliation with" not in text


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown(show="Nowhere", valid="Never", price_book="nonsense")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert "show=Nowhere" in told
    assert "valid=Never" in told
    assert len(table(page, "the-price-book")) > 1
