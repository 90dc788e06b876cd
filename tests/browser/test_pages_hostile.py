"""Names that mean harm are texts on pages of web, ads, AI usage and campaigns; what a platform restates is shown."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from tests.browser.conftest import served
from tests.pages.looking import settled, shows, table

HOSTILE = '<img src=x onerror="window.pwned=1">'
# Everything that customers or providers can write and that these pages show.
WRITTEN = (
    "UPDATE campaigns SET name = :hostile",
    "UPDATE campaign_components SET name = :hostile",
    "UPDATE creative_assets SET filename = :hostile",
    "UPDATE campaign_events SET source = :hostile, medium = :hostile WHERE source = 'google'",
    "UPDATE conversions SET conversion_type = :hostile WHERE conversion_type = 'purchase'",
    "UPDATE ai_generations SET error_code = :hostile, error_message = :hostile WHERE status = 'failed'",
    # Calls of months that are closed stay as they are.
    (
        "UPDATE ai_generations SET model = :hostile WHERE model = 'gpt-4o' AND created_at >= ALL ("
        " SELECT (month + INTERVAL '1 month') AT TIME ZONE 'UTC' FROM ai_months WHERE closed_at IS NOT NULL)"
    ),
)
# A day that was over when the first version was made.
RESTATED = """
    UPDATE performance_analytics SET spend = spend + 100
    WHERE (date, id) = (
        SELECT date, id FROM performance_analytics
        WHERE breakdown = 'none' AND currency = 'USD' AND date BETWEEN CURRENT_DATE - 20 AND CURRENT_DATE - 2
        ORDER BY date DESC, id LIMIT 1
    )
    RETURNING date
"""
VIEWS = {
    "web": ("Landing pages", "Components", "Sources", "Attribution"),
    "ads": ("Campaigns", "Creatives", "Pacing"),
    "ai_usage": ("Models", "Failures", "Raw generations"),
    "campaigns": ("",),
    "campaign": ("Course", "Parts", "Raw events"),
}
# The one whose visitors did the most.
CAMPAIGN = "SELECT campaign_id FROM campaign_events GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"


@pytest.fixture(scope="module")
def own(browser, demo_home):
    """A site of these tests alone: what was written into it, and the day that was restated."""
    with served(demo_home) as site:
        with site.changing() as connection:
            for change in WRITTEN:
                connection.execute(text(change), {"hostile": HOSTILE})
            day = connection.execute(text(RESTATED)).scalar_one()
        site.refresh()
        yield site, day


@pytest.mark.parametrize("page", VIEWS)
def test_hostile_names_are_texts(own, look, page):
    site, _ = own
    asked = {"period": "Last 365 days", "campaigns": "Ended", "campaign": site.rows(CAMPAIGN)[0][0]}
    seen = look(site, f"/{page}?{urlencode(asked)}")
    settled(seen.page)
    for view in VIEWS[page]:
        if view:
            shows(seen.page, view)
        assert HOSTILE in seen.page.get_by_test_id("stMain").inner_text()
        assert seen.page.evaluate("window.pwned") is None
        assert seen.page.locator("img[src=x]").count() == 0
        assert seen.troubles == []


def test_what_was_restated_stands_with_what_it_was_before(own, look):
    """One row got a hundred dollars more after the first version: its day did, and nothing else changed."""
    site, day = own
    seen = look(site, "/ads?show=Restatements&against=nothing")
    settled(seen.page)
    assert "against=nothing" in seen.page.get_by_role("alert").inner_text()
    rows = table(seen.page, "changed-since-then")
    ((then, now),) = site.rows(
        f"""
        SELECT sum(dollars) - 100, sum(dollars) FROM (
            SELECT t.spend * (
                SELECT r.rate FROM fx_rates AS r
                WHERE r.currency = t.currency AND r.reporting_currency = 'USD' AND r.day <= t.date
                ORDER BY r.day DESC LIMIT 1
            ) AS dollars
            FROM performance_analytics AS t WHERE t.breakdown = 'none' AND t.date = DATE '{day}'
        ) AS spent
        """
    )
    (row,) = [row for row in rows.values() if row["Figure"] == "Spend, USD"]
    told = [Decimal(row[name].replace(",", "")) for name in ("Then", "Now", "Changed by")]
    assert told == [round(then, 2), round(now, 2), 100]
    assert seen.troubles == []
