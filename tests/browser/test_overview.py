"""The overview shows what the database holds, reads well on every screen, and speaks plainly when it can't."""

import pytest
from playwright.sync_api import expect

from app.ui.words import PRODUCT_NAMES
from tests.browser.conftest import served

# Counted anew from the facts, not from the counters that the page reads.
TILES = {
    "Workspaces": "SELECT count(*) FROM workspaces WHERE kind = 'customer' AND deleted_at IS NULL",
    "Customers": "SELECT count(*) FROM users WHERE deleted_at IS NULL",
    "Contacts": "SELECT count(*) FROM contacts WHERE deleted_at IS NULL",
    "E-mails sent": """
        SELECT count(*) FROM (
            SELECT DISTINCT e.workspace_id, e.campaign_id, e.contact_id
            FROM email_events AS e
            JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
            WHERE c.deleted_at IS NULL AND e.event_type = 'sent'
        ) AS sent
    """,
    "AI generations": "SELECT count(*) FROM ai_generations",
}
COLUMNS = {
    "Subscribed workspaces": """
        SELECT product, count(DISTINCT workspace_id) FROM subscriptions
        WHERE status IN ('trialing', 'active', 'past_due') GROUP BY product
    """,
    "Campaigns": "SELECT product, count(*) FROM campaigns WHERE deleted_at IS NULL GROUP BY product",
    "Templates": "SELECT product, count(*) FROM templates WHERE deleted_at IS NULL GROUP BY product",
    "E-mails delivered": """
        SELECT c.product, count(DISTINCT (e.workspace_id, e.campaign_id, e.contact_id))
        FROM email_events AS e
        JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE c.deleted_at IS NULL AND e.event_type = 'delivered' GROUP BY c.product
    """,
    "Page views": """
        SELECT c.product, count(*) FROM campaign_events AS e
        JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE c.deleted_at IS NULL AND e.event_type = 'view' GROUP BY c.product
    """,
    "Ad impressions": """
        SELECT c.product, sum(p.impressions) FROM performance_analytics AS p
        JOIN campaigns AS c ON c.workspace_id = p.workspace_id AND c.id = p.campaign_id
        WHERE c.deleted_at IS NULL AND p.breakdown = 'none' GROUP BY c.product
    """,
}
SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def whole(site, signed_in):
    """The overview once it is drawn to its end."""
    page = signed_in("admin").new_page()
    page.goto(site.url)
    drawn(page)
    yield page
    page.close()


def drawn(page):
    """Wait for the last thing on the page."""
    expect(page.get_by_text("Days are UTC.")).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("stPlotlyChart").locator(".main-svg").first).to_be_visible(timeout=30_000)


def tile(page, label):
    found = page.get_by_test_id("stMetric").filter(has_text=label)
    return found.get_by_test_id("stMetricValue").inner_text()


@pytest.mark.parametrize("label", TILES)
def test_a_tile_shows_what_counting_the_rows_gives(site, whole, label):
    ((counted,),) = site.rows(TILES[label])
    assert counted > 0
    assert tile(whole, label) == f"{counted:,}"


def test_the_cost_of_ai_is_the_sum_of_its_calls_rounded_once(site, whole):
    ((cost,),) = site.rows("SELECT sum(cost) FROM ai_generations")
    assert cost > 0
    assert tile(whole, "AI cost") == f"{cost:,.2f} USD"


def table(page):
    """The table as a screen reader is given it: the grid itself is a picture."""
    rows = page.get_by_test_id("stDataFrame").get_by_role("row", include_hidden=True)
    header, *body = [row.locator("th, td").all_text_contents() for row in rows.all()]
    return [dict(zip(header, row, strict=True)) for row in body]


@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_shows_per_product_what_counting_the_rows_gives(site, whole, column):
    counted = dict(site.rows(COLUMNS[column]))
    assert sum(counted.values()) > 0
    assert {row["Product"]: int(row[column].replace(",", "")) for row in table(whole)} == {
        name: counted.get(product, 0) for product, name in PRODUCT_NAMES.items()
    }


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_whole_on_every_screen(site, look, screen):
    """No error, no failed request, nothing from elsewhere, nothing that is cut off at the side."""
    seen = look(site, **SCREENS[screen])
    drawn(seen.page)
    assert seen.troubles == []
    assert seen.hosts == {"127.0.0.1"}
    main = seen.page.get_by_test_id("stMain")
    assert main.evaluate("area => area.scrollWidth - area.clientWidth") == 0
    assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_light_and_dark_follow_the_persons_system(site, look):
    shades = {}
    for screen in ("light", "dark"):
        seen = look(site, **SCREENS[screen])
        drawn(seen.page)
        shades[screen] = seen.page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert shades == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 23, 30)"}


def test_every_tile_explains_itself(whole):
    whole.get_by_test_id("stMetric").filter(has_text="E-mails sent").get_by_test_id("stTooltipIcon").hover()
    expect(whole.get_by_text("One per campaign and contact, however often retried.")).to_be_visible()


def test_an_empty_database_says_what_would_fill_it_and_a_lost_one_what_to_do(look):
    with served() as empty:
        seen = look(empty)
        expect(seen.page.get_by_text("No workspace is here yet.")).to_be_visible(timeout=30_000)
        expect(seen.page.get_by_text("sightline demo")).to_be_visible()
        assert tile(seen.page, "Workspaces") == "0"
        assert seen.troubles == []
        empty.kill_postgres()
        seen.page.reload()
        expect(seen.page.get_by_text("The database does not answer.")).to_be_visible(timeout=30_000)
        expect(seen.page.get_by_text("sightline doctor")).to_be_visible()
        shown = seen.page.get_by_test_id("stMain").inner_text()
        assert "Traceback" not in shown
        assert "psycopg" not in shown
        assert "Reference " in shown
        # Looking is enough to start it again: the site is one of its users.
        assert empty.rows("SELECT 1") == [(1,)]
        seen.page.reload()
        expect(seen.page.get_by_text("No workspace is here yet.")).to_be_visible(timeout=30_000)
