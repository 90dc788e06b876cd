"""The page of ads shows what the platforms' rows hold, by one breakdown at a time, and how budgets are paced."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from app.ui.words import spelled
from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import IN_DOLLARS, ROLES, choices, same

CHOICES = choices("ads_autopilot")
VIEWS = ("Breakdown", "Campaigns", "Creatives", "Pacing", "Restatements")
# The column of each, and the breakdown that the demo's rows of it came in.
BREAKDOWNS = {
    "Platform": ("platform", "platform"),
    "Placement": ("placement", "platform+placement"),
    "Age": ("age_range", "age+gender"),
    "Gender": ("gender", "age+gender"),
}
_RATE = IN_DOLLARS.format(currency="t.currency", day="t.date")


def figures(choice, role, key="NULL", breakdown="none"):
    """Impressions, clicks, conversions, spend and revenue of each key, in dollars."""
    return f"""
        SELECT {key}, sum(t.impressions), sum(t.clicks), sum(t.conversions), sum(t.spend * {_RATE}),
            sum(t.revenue * {_RATE})
        FROM performance_analytics AS t
        JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
        WHERE {choice.holds("t.date", role)} AND t.breakdown = '{breakdown}' GROUP BY 1
    """


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """A page as a role sees it with a query."""
    windows = {role: signed_in(role) for role in (*ROLES, "viewer", "finance")}

    def opened(role, query):
        page = windows[role].new_page()
        page.goto(f"{site.url}/ads?{query}")
        settled(page)
        return page

    return opened


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_show_what_adding_the_rows_gives(site, shown, role, chosen):
    choice = CHOICES[chosen]
    found = tiles(shown(role, choice.address))
    answer = site.rows(figures(choice, role))
    # A product of which there are no ads has no row to count.
    _, impressions, clicks, conversions, spend, revenue = answer[0] if answer else (None, 0, 0, 0, 0, 0)
    counted = {
        "spend": spend,
        "ad_revenue": revenue,
        "roas": revenue / spend if spend else None,
        "cpa": spend / conversions if conversions else None,
        "impressions": impressions,
        "ctr": clicks / impressions if impressions else None,
        "cpm": spend / impressions * 1000 if impressions else None,
        "ad_conversions": conversions,
    }
    assert {name: value for name, value in found.items() if not same(value, counted[name])} == {}
    assert found.keys() == counted.keys()


@pytest.mark.parametrize("split", BREAKDOWNS)
@pytest.mark.parametrize("role", ROLES)
def test_each_breakdown_shows_its_own_rows(site, shown, role, split):
    choice, (column, breakdown) = CHOICES["first"], BREAKDOWNS[split]
    rows = table(shown(role, urlencode({"by": split})), f"by-{split.lower()}")
    del rows["Together"]
    found = site.rows(figures(choice, role, f"t.{column}", breakdown))
    counted = {
        spelled(key) if split in {"Platform", "Gender"} else key: [f"{impressions:,}", f"{spend:,.2f}"]
        for key, impressions, _, _, spend, _ in found
    }
    assert {key: [row["Impressions"], row["Spend, USD"]] for key, row in rows.items()} == counted


@pytest.mark.parametrize("role", ROLES)
def test_budgets_are_held_against_all_that_was_spent_in_the_campaigns_own_currency(site, shown, role):
    rows = table(shown(role, "show=Pacing&campaigns=Ended"), "budgets")
    choice = CHOICES["first"]
    seen = choice.holds("CURRENT_DATE", role, workspace="c.workspace_id").partition(" AND c.workspace_id")[2]
    spent = {
        (name, currency): f"{amount:,.2f}"
        for name, currency, amount in site.rows(
            f"""
            SELECT c.name, c.currency, sum(t.spend) FROM campaigns AS c
            JOIN performance_analytics AS t ON t.workspace_id = c.workspace_id AND t.campaign_id = c.id
            WHERE t.breakdown = 'none' AND t.currency = c.currency AND t.date < CURRENT_DATE
                AND c.status = 'completed' AND c.workspace_id{seen}
            GROUP BY c.id, c.name, c.currency
            """
        )
    }
    assert rows
    for name, row in rows.items():
        assert row["Spent"] == spent[name, row["Currency"]]


@pytest.mark.parametrize("role", ROLES)
def test_creatives_are_of_campaigns_that_were_shown_often_enough(site, shown, role):
    choice = CHOICES["first"]
    rows = table(shown(role, "show=Creatives&least=10%2C000"), "creatives")
    counted = {name: f"{number:,}" for name, number, *_ in site.rows(figures(choice, role, "c.name"))}
    assert rows
    for row in rows.values():
        assert row["Impressions"] == counted[row["Campaign"]]
        assert int(row["Impressions"].replace(",", "")) >= 10_000
    scores = [float(row["Score"]) for row in rows.values()]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_whole_on_every_screen(site, look, screen):
    whole(look(site, "/ads", role="finance", **SCREENS[screen]))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_whole_on_a_telephone(site, look, view):
    whole(look(site, f"/ads?{urlencode({'show': view})}", role="viewer", **SCREENS["telephone"]))


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", urlencode({"show": view})))


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look):
    seen = look(site, "/ads", role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", "show=Nowhere&by=Weather&platform=%3Cb%3E")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "by=Weather", "platform=<b>"))
    assert len(table(page, "by-platform")) > 1


def test_two_breakdowns_at_once_are_refused_in_a_sentence(shown):
    page = shown("viewer", "platform=Facebook&by=Age")
    expect(page.locator(".st-key-card-by-age")).to_contain_text("can't be answered")
    expect(page.locator(".st-key-card-spend-and-revenue img").first).to_be_visible()


def test_a_platform_narrows_the_page_and_the_filters_are_kept(site, shown):
    page = shown("admin", "period=Last+90+days")
    page.locator(".st-key-card-by-platform").get_by_role("link", name="Facebook").click()
    page.wait_for_url("**platform=Facebook**")
    settled(page)
    assert "period=Last+90+days" in page.url
    assert set(table(page, "by-platform")) == {"Facebook", "Together"}
