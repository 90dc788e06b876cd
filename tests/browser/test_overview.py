"""The overview shows what the rows hold, reads well on every screen, and speaks plainly when it can't."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from app.access import Role, Viewer
from app.ui.menu import PAGES
from app.ui.words import PRODUCT_NAMES
from tests.browser.conftest import served

# Counted from the facts themselves: nothing of the lake or of the metrics takes part.
TILES = {
    "emails_delivered": """
        SELECT count(*) FROM (
            SELECT DISTINCT workspace_id, campaign_id, contact_id FROM email_events WHERE event_type = 'delivered'
        ) AS delivered
    """,
    "views": "SELECT count(*) FROM campaign_events WHERE event_type = 'view'",
    "generations": "SELECT count(*) FROM ai_generations",
}
COLUMNS = {
    "E-mails delivered": """
        SELECT c.product, count(DISTINCT (e.workspace_id, e.campaign_id, e.contact_id))
        FROM email_events AS e
        JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE e.event_type = 'delivered' GROUP BY c.product
    """,
    "Views": """
        SELECT c.product, count(*) FROM campaign_events AS e
        JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE e.event_type = 'view' GROUP BY c.product
    """,
    "Generations": "SELECT product, count(*) FROM ai_generations GROUP BY product",
}
SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 390, "height": 844}},
}
ALL_DAYS = f"/?period=Custom&days=2020-01-01&days={datetime.now(UTC).date()}&compare=Off"


@pytest.fixture(scope="module")
def whole(site, signed_in):
    """The overview of all days, once it is drawn to its end."""
    page = signed_in().new_page()
    page.goto(site.url + ALL_DAYS)
    drawn(page)
    return page


def drawn(page):
    """Wait for the last thing on the page, and for the run that draws it to end."""
    expect(page.get_by_role("heading", name="Open alerts")).to_be_visible(timeout=30_000)
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()


def tile(page, metric):
    return page.locator(f"[data-metric={metric}]")


@pytest.mark.parametrize("metric", TILES)
def test_a_tile_shows_what_counting_the_rows_gives(site, whole, metric):
    ((counted,),) = site.rows(TILES[metric])
    assert counted > 0
    assert tile(whole, metric).get_attribute("data-value") == str(counted)
    assert tile(whole, metric).locator(".value").inner_text().split()[0] == f"{counted:,}"


def test_the_cost_of_ai_is_the_sum_of_its_calls_rounded_once(site, whole):
    """And of what closed months were corrected by, which their calls don't hold."""
    ((calls, corrections),) = site.rows(
        "SELECT (SELECT sum(cost) FROM ai_generations), (SELECT sum(amount) FROM ai_cost_corrections)"
    )
    assert calls > 0
    assert corrections
    cost = calls + corrections
    assert tile(whole, "ai_cost").locator(".value").inner_text().startswith(f"{cost:,.2f} USD")


@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_shows_per_product_what_counting_the_rows_gives(site, whole, column):
    counted = {PRODUCT_NAMES[product]: number for product, number in site.rows(COLUMNS[column])}
    assert sum(counted.values()) > 0
    card = whole.locator(".st-key-card-products")
    header = card.locator("thead th").all_inner_texts()
    shown = {}
    for row in card.locator("tbody tr").all():
        cells = row.locator("th, td").all_inner_texts()
        shown[cells[0]] = int(cells[header.index(column)].replace(",", ""))
    assert {name: number for name, number in shown.items() if number} == counted
    totals = card.locator("tfoot tr").locator("th, td").all_inner_texts()
    assert int(totals[header.index(column)].replace(",", "")) == sum(counted.values())


@pytest.mark.parametrize("role", Role)
def test_every_page_that_opens_to_somebody_is_in_their_navigation_at_once(site, signed_in, role):
    """None waits behind a button: who does not know of a page would not look for it. No other page is named."""
    seen = signed_in(str(role)).new_page()
    seen.goto(site.url)
    viewer = Viewer("somebody", frozenset({role}), frozenset())
    theirs = [page for page in PAGES if page.opens_to(viewer) and not page.is_detail]
    links = seen.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(len(theirs))
    for page in theirs:
        expect(links.filter(has=seen.get_by_text(page.title, exact=True))).to_have_count(1)


def test_light_and_dark_follow_the_persons_system(site, look):
    shades = {}
    for screen in ("light", "dark"):
        seen = look(site, **SCREENS[screen])
        drawn(seen.page)
        shades[screen] = seen.page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert shades == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 30)"}


def test_a_viewer_sees_no_cost(site, look):
    seen = look(site, role="viewer")
    drawn(seen.page)
    assert tile(seen.page, "generations").count() == 1
    assert tile(seen.page, "ai_cost").count() == 0
    assert "AI cost" not in seen.page.get_by_test_id("stMain").inner_text()


def test_who_is_limited_sees_their_own_workspaces_alone(site, look):
    """Neither figures, nor names in what changed, nor choices in the filter are of others."""
    own = """
        SELECT workspace_id FROM campaigns GROUP BY workspace_id ORDER BY count(*) DESC, workspace_id LIMIT 2
    """
    ((counted,),) = site.rows(f"SELECT count(*) FROM ai_generations WHERE workspace_id IN ({own})")
    others = [
        name for (name,) in site.rows(f"SELECT name FROM workspaces WHERE kind = 'customer' AND id NOT IN ({own})")
    ]
    seen = look(site, ALL_DAYS, role="limited")
    drawn(seen.page)
    assert tile(seen.page, "generations").get_attribute("data-value") == str(counted)
    seen.page.get_by_test_id("stPopover").get_by_role("button").first.click()
    seen.page.get_by_role("combobox", name="Workspace").click()
    expect(seen.page.get_by_role("option").first).to_be_visible()
    shown = seen.page.locator("body").inner_text()
    assert [name for name in others if name in shown] == []


def test_an_empty_database_says_what_would_fill_it(look):
    with served() as empty:
        seen = look(empty)
        drawn(seen.page)
        expect(seen.page.get_by_text("Nothing happened in this period.").first).to_be_visible()
        assert seen.troubles == []
