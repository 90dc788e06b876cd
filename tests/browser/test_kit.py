"""What every page is made of: filters in the address, receipts, downloads, remarks, views; hostile texts stay texts."""

import io
import zipfile

import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import text

from tests.browser.conftest import served
from tests.browser.test_overview import SCREENS, drawn, tile

HOSTILE = ('<img src=x onerror="window.pwned=1">', "<script>window.pwned=1</script>", '=HYPERLINK("http://evil")')
# Of the company and of every workspace, as an admin sees them; the overview lists the newest of them.
OPEN_ALERTS = """
    SELECT count(*) FROM budget_alerts
    WHERE ended_at IS NULL AND (acknowledged_at IS NULL OR kind = 'emergency_stop')
        AND (snoozed_until IS NULL OR snoozed_until <= now())
"""
LISTED = 8


@pytest.fixture(scope="module")
def own(browser, demo_home):
    """A site of these tests alone, whose largest workspaces have hostile names."""
    with served(demo_home) as site:
        yield site


@pytest.fixture(scope="module")
def hostile(own):
    """Three workspaces and their campaigns are named by somebody who means harm, and the figures know it."""
    with own.changing() as connection:
        keys = connection.scalars(
            text("SELECT workspace_id FROM ai_generations GROUP BY workspace_id ORDER BY count(*) DESC LIMIT 3")
        ).all()
        for key, name in zip(keys, HOSTILE, strict=True):
            connection.execute(text("UPDATE workspaces SET name = :name WHERE id = :key"), {"name": name, "key": key})
            connection.execute(
                text("UPDATE campaigns SET name = :name WHERE workspace_id = :key"), {"name": name, "key": key}
            )
    own.refresh()
    return own


@pytest.fixture
def page(own, look):
    """The overview, seen by an admin."""
    seen = look(own)
    drawn(seen.page)
    yield seen.page
    assert seen.troubles == []


def settled(page):
    page.wait_for_timeout(300)
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=30_000)


def choose(page, label, option):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def more(page, option):
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=option).or_(page.get_by_role("option", name=option)).first.click()
    settled(page)


def figures(page):
    return page.locator("[data-metric]").evaluate_all(
        "tiles => tiles.map(tile => [tile.dataset.metric, tile.dataset.value])"
    )


# --- The address ------------------------------------------------------------------------------------------------------


def test_a_pasted_address_reproduces_the_view(own, look, page):
    choose(page, "Period", "Last 90 days")
    choose(page, "Compare with", "Off")
    shown = figures(page)
    assert "period=Last+90+days" in page.url
    other = look(own, page.url.removeprefix(own.url))
    drawn(other.page)
    assert figures(other.page) == shown
    expect(other.page.get_by_role("combobox", name="Period")).to_have_value("Last 90 days")


def test_a_reload_keeps_what_was_chosen(page):
    before = figures(page)
    choose(page, "Period", "Last 90 days")
    after = figures(page)
    assert after != before
    page.reload()
    drawn(page)
    assert figures(page) == after


def test_a_restart_of_the_server_keeps_the_view(own, look):
    """An open page comes back by itself as it was, and so does its address in another window."""
    page = look(own).page
    drawn(page)
    choose(page, "Period", "Last 90 days")
    address, shown = page.url, figures(page)
    page.evaluate("window.wasHere = true")
    own.stop()
    expect(page.locator('[data-testid="stApp"][data-test-connection-state="CONNECTED"]')).to_have_count(0)
    own.start()
    expect(page.locator('[data-testid="stApp"][data-test-connection-state="CONNECTED"]')).to_be_visible(timeout=60_000)
    drawn(page)
    assert (page.url, figures(page), page.evaluate("window.wasHere")) == (address, shown, True)
    expect(page.get_by_role("combobox", name="Period")).to_have_value("Last 90 days")
    page.reload()
    drawn(page)
    assert (page.url, figures(page)) == (address, shown)


def test_going_back_from_another_page_finds_what_was_chosen(page):
    """One step back, whatever was chosen on either page; a step forward is the other page again."""
    period = page.get_by_role("combobox", name="Period")
    choose(page, "Period", "Last 90 days")
    chosen, after = page.url, figures(page)
    page.get_by_role("link", name="Web", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Web")
    settled(page)
    page.go_back()
    drawn(page)
    expect(period).to_have_value("Last 90 days")
    assert (page.url, figures(page)) == (chosen, after)
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Web")


def test_what_can_not_be_used_falls_back_and_is_said(own, look):
    seen = look(own, "/?period=Sometimes&product=Mailer&channel=pigeon&workspace=%3Cb%3Enobody&as_of=999&days=x")
    drawn(seen.page)
    notice = seen.page.get_by_role("alert")
    for part in ("period=Sometimes", "channel=pigeon", "workspace=<b>nobody", "as_of=999"):
        expect(notice).to_contain_text(part)
    expect(notice).not_to_contain_text("product=Mailer")
    expect(seen.page.get_by_role("combobox", name="Period")).to_have_value("Last 28 days")
    assert seen.troubles == []


def test_a_pinned_address_shows_the_same_figures_after_new_ones_came(own, look, page):
    more(page, "Share")
    page.get_by_role("button", name="Pin it").click()
    settled(page)
    expect(page.get_by_text("Pinned to version")).to_be_visible()
    pinned, shown = page.url, figures(page)
    own.change("UPDATE performance_analytics SET spend = spend * 2 WHERE breakdown = 'none'")
    own.refresh()
    newest, later = look(own), look(own, pinned.removeprefix(own.url))
    drawn(newest.page)
    drawn(later.page)
    assert figures(later.page) == shown
    assert figures(newest.page) != shown


# --- Receipts ---------------------------------------------------------------------------------------------------------


def test_every_receipt_opens_and_postgres_says_the_same(own, look):
    own.refresh()
    seen = look(own)
    drawn(seen.page)
    buttons = seen.page.get_by_role("button", name="Receipt")
    drawer = seen.page.get_by_role("dialog")
    expect(buttons).to_have_count(6)
    for number in range(5):
        buttons.nth(number).click()
        expect(drawer.get_by_text("Data through", exact=True)).to_be_visible()
        drawer.get_by_role("button", name="Recompute live").click()
        expect(drawer.get_by_text("Difference 0:")).to_be_visible(timeout=30_000)
        seen.page.keyboard.press("Escape")
        expect(drawer).not_to_be_visible()
    # What is read live is of Postgres already: nothing is there to be made anew.
    card = seen.page.locator(".st-key-card-open-alerts")
    card.get_by_role("button", name="Receipt").click()
    expect(drawer.get_by_text("live from Postgres, without the lake")).to_be_visible()
    expect(drawer.get_by_role("button", name="Recompute live")).to_have_count(0)
    ((opened,),) = own.rows(OPEN_ALERTS)
    rows = drawer.locator("dt", has_text="Rows here").locator("xpath=following-sibling::dd[1]")
    expect(rows).to_have_text(f"{opened}" if opened <= LISTED else f"{LISTED}, and there are more")
    expect(card.locator("tbody tr")).to_have_count(min(opened, LISTED))
    assert opened > 0
    assert seen.troubles == []


# --- Downloads --------------------------------------------------------------------------------------------------------


@pytest.fixture
def download(hostile, look):
    """A download of campaigns' figures, as the page links to it."""

    def fetch(kind, role="admin", query="metric=generations&by=workspace"):
        seen = look(hostile, role=role)
        address = f"{hostile.url}/export/{kind}?{query}&since=2020-01-01&until=2100-01-01&name=../x%0d%0ay"
        return seen.page.context.request.get(address)

    return fetch


def test_a_csv_bears_its_receipt_and_no_formula(download):
    answer = download("csv")
    receipt = answer.headers["x-sightline-receipt"]
    assert answer.headers["content-disposition"] == f'attachment; filename="x-y-{receipt}.csv"'
    assert "'=HYPERLINK" in answer.text()
    assert ",=HYPERLINK" not in answer.text()
    assert ',"=HYPERLINK' not in answer.text()


def test_a_workbook_holds_texts_and_numbers_but_no_formula(download):
    answer = download("xlsx")
    book = zipfile.ZipFile(io.BytesIO(answer.body()))
    sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert all("<f>" not in sheet for sheet in sheets)
    assert any("'=HYPERLINK" in sheet for sheet in sheets)
    assert any(answer.headers["x-sightline-receipt"] in sheet for sheet in sheets)
    assert 'name="Receipt"' in book.read("xl/workbook.xml").decode()


def test_parquet_bears_its_receipt_beside_exact_columns(download):
    answer = download("parquet")
    table = pq.read_table(io.BytesIO(answer.body()))
    assert table.schema.metadata[b"sightline.receipt"].decode() == answer.headers["x-sightline-receipt"]
    assert sum(table["generations"].to_pylist()) > 0


def test_a_download_is_of_what_its_reader_may_see(download, hostile):
    everything, limited = download("csv").text(), download("csv", role="limited").text()
    assert len(limited.splitlines()) == 3
    assert len(everything.splitlines()) > 3
    assert download("csv", role="viewer", query="metric=ai_cost").status == 403
    assert download("csv", query="metric=nonsense").status == 422
    assert download("pdf").status == 404
    assert download("csv", role=None).status == 401


def test_the_links_of_a_table_download_it(own, look):
    seen = look(own)
    drawn(seen.page)
    with seen.page.expect_download() as waiting:
        seen.page.locator(".st-key-card-products").get_by_role("link", name="CSV").click()
    assert waiting.value.suggested_filename.startswith("products-")


# --- Remarks and views ------------------------------------------------------------------------------------------------


def test_a_remark_is_marked_on_the_charts_and_can_be_taken_back(page):
    more(page, "Remarks")
    page.get_by_label("What happened?").fill(f"Launch {HOSTILE[0]}")
    page.get_by_role("button", name="Note it").click()
    settled(page)
    card = page.locator(".st-key-card-conversions")
    expect(card.locator(".sl-note")).to_have_count(1)
    expect(card.locator(".sl-notes")).to_contain_text(f"Launch {HOSTILE[0]}")
    more(page, "Remarks")
    page.get_by_text("Change or delete").click()
    page.get_by_role("button", name="Delete").click()
    settled(page)
    expect(page.locator(".sl-note")).to_have_count(0)
    assert page.evaluate("() => window.pwned") is None


def test_a_view_is_kept_and_opens_by_itself_for_its_owner_alone(own, look, page):
    choose(page, "Period", "Last 7 days")
    more(page, "Saved views")
    page.get_by_label("Keep what is chosen now as").fill("The week")
    page.get_by_text("Open this page with it").click()
    page.get_by_text("Show it to the team").click()
    page.get_by_role("button", name="Save").click()
    settled(page)
    again = look(own)
    drawn(again.page)
    expect(again.page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")
    assert "period=Last+7+days" in again.page.url
    other = look(own, role="viewer")
    drawn(other.page)
    expect(other.page.get_by_role("combobox", name="Period")).to_have_value("Last 28 days")
    more(other.page, "Saved views")
    other.page.get_by_role("link", name="The week").click()
    drawn(other.page)
    expect(other.page.get_by_role("combobox", name="Period")).to_have_value("Last 7 days")
    more(again.page, "Saved views")
    # Others may be kept as well: each pinned version is.
    kept = again.page.get_by_role("dialog").get_by_role("link", name="The week")
    kept.locator('xpath=following::button[normalize-space()="Forget"][1]').click()
    settled(again.page)


# --- Looks ------------------------------------------------------------------------------------------------------------


def test_hostile_names_are_texts_wherever_they_are_shown(hostile, look):
    seen = look(hostile)
    drawn(seen.page)
    expect(seen.page.locator(".st-key-card-what-changed-most-and-why").get_by_text("<img src=x").first).to_be_visible()
    seen.page.get_by_role("button", name="Receipt").nth(3).click()
    seen.page.get_by_role("tab", name="As a table").click()
    expect(seen.page.get_by_role("dialog").get_by_text("<script>").first).to_be_visible()
    seen.page.get_by_role("tab", name="Explore").click()
    expect(seen.page.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=30_000)
    assert seen.page.evaluate("() => window.pwned") is None
    assert seen.troubles == []


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_of_ours_is_out_of_reach(own, look, screen):
    """Axe finds no fault in what we draw: contrast, names, order, roles."""
    seen = look(own, **SCREENS[screen])
    drawn(seen.page)
    found = Axe().run(seen.page).response["violations"]
    ours = {
        (fault["id"], node["html"][:160])
        for fault in found
        for node in fault["nodes"]
        if 'class="sl' in node["html"]
        or "sl-" in " ".join(map(str, node["target"]))
        or ".sl" in " ".join(map(str, node["target"]))
    }
    assert ours == set()


def test_a_tile_says_its_change_without_colour(page):
    told = tile(page, "generations").locator(".delta").inner_text()
    assert told.startswith(("▲", "▼", "="))


# --- Loading ----------------------------------------------------------------------------------------------------------


# --- Loading ----------------------------------------------------------------------------------------------------------


def test_a_kind_of_element_that_is_there_is_given_at_once(page):
    """The client is told of it within the call itself: what comes later is first drawn as an empty box."""
    given = page.evaluate(
        """async () => {
            const files = performance.getEntriesByType('resource').map(one => new URL(one.name).pathname);
            const ours = files.find(path => /\\/ahead\\.[0-9a-f]+\\.js$/.test(path));
            const kind = files.find(path => /\\/Html\\..*\\.js$/.test(path)).split('/').pop();
            const { t: load } = await import(ours);
            let found = null;
            // Of what it is given to call, it reads which file that asks for.
            load({ toString: () => `() => import(\\`./${kind}\\`)` }, [], location.href).then(it => { found = it; });
            return typeof found?.default;
        }"""
    )
    assert given == "object"
