"""The web page shows what visitors' rows hold, and gives every conversion to somebody."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import IN_DOLLARS, ROLES, choices, same

CHOICES = choices("web_builder")
VIEWS = ("Landing pages", "Components", "Sources", "Countries", "Attribution")
_OF_CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
_VALUE = "t.value * " + IN_DOLLARS.format(currency="t.currency", day="CAST(t.occurred_at AS DATE)")


def events(choice, role, key="NULL"):
    """Views, clicks and forms of each key."""
    return f"""
        SELECT {key}, count(*) FILTER (WHERE t.event_type = 'view'), count(*) FILTER (WHERE t.event_type = 'click'),
            count(*) FILTER (WHERE t.event_type = 'form_submit')
        FROM campaign_events AS t {_OF_CAMPAIGN} WHERE {choice.holds("t.occurred_at", role)} GROUP BY 1
    """


def conversions(choice, role, key="NULL"):
    """Conversions of each key, and what they were worth."""
    return f"""
        SELECT {key}, count(*), sum({_VALUE}) FROM conversions AS t {_OF_CAMPAIGN}
        WHERE {choice.holds("t.occurred_at", role)} GROUP BY 1
    """


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """A page as a role sees it with a query."""
    windows = {role: signed_in(role) for role in (*ROLES, "viewer", "finance")}

    def opened(role, query):
        page = windows[role].new_page()
        page.goto(f"{site.url}/web?{query}")
        settled(page)
        return page

    return opened


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_show_what_counting_the_rows_gives(site, shown, role, chosen):
    choice = CHOICES[chosen]
    found = tiles(shown(role, choice.address))
    ((_, views, clicks, forms),) = site.rows(events(choice, role))
    ((_, number, value),) = site.rows(conversions(choice, role))
    assert views > 0
    assert number > 0
    counted = {
        "views": views,
        "clicks_per_view": clicks / views,
        "form_submits": forms,
        "form_rate": forms / views,
        "conversions": number,
        "conversion_rate": number / views,
        "conversion_value": value,
        "value_per_conversion": value / number,
    }
    assert {name: value for name, value in found.items() if not same(value, counted[name])} == {}
    assert found.keys() == counted.keys()


@pytest.mark.parametrize("role", ROLES)
def test_landing_pages_show_what_counting_the_rows_gives(site, shown, role):
    choice = CHOICES["first"]
    rows = table(shown(role, choice.address), "landing-pages")
    counted = {name: numbers for name, *numbers in site.rows(events(choice, role, "c.name"))}
    together = rows.pop("Together")
    assert len(rows) == min(25, len(counted))
    for name, row in rows.items():
        assert [row["Views"], row["Clicks"], row["Form submits"]] == [f"{number:,}" for number in counted[name]]
    assert together["Views"] == f"{sum(numbers[0] for numbers in counted.values()):,}"


@pytest.mark.parametrize("role", ROLES)
def test_sources_and_countries_show_what_counting_the_rows_gives(site, shown, role):
    choice = CHOICES["product"]
    for view, card, key in (("Sources", "sources-and-mediums", "source"), ("Countries", "countries", "country")):
        rows = table(shown(role, f"{choice.address}&show={view}"), card)
        del rows["Together"]
        counted = {name or "(none)": f"{views:,}" for name, views, *_ in site.rows(events(choice, role, f"t.{key}"))}
        assert {name: row["Views"] for name, row in rows.items()} == counted


@pytest.mark.parametrize("split", ["Source", "Medium", "Campaign"])
@pytest.mark.parametrize("role", ROLES)
def test_three_models_give_every_conversion_to_somebody(site, shown, role, split):
    """What no touch earned is counted apart, and each column adds up to all conversions."""
    choice = CHOICES["first"]
    query = f"{choice.address}&{urlencode({'show': 'Attribution', 'split': split})}"
    rows = table(shown(role, query), f"attribution-by-{split.lower()}")
    ((untouched, number),) = site.rows(
        f"""
        SELECT count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM campaign_events AS e
            WHERE e.workspace_id = t.workspace_id AND e.session_id = t.session_id AND e.event_type <> 'conversion'
                AND e.occurred_at BETWEEN t.occurred_at - INTERVAL '168 hours' AND t.occurred_at
        )), count(*)
        FROM conversions AS t WHERE {choice.holds("t.occurred_at", role)}
        """
    )
    for model in ("First touch", "Last touch", "Linear"):
        assert rows["Unattributed"][model] == f"{untouched:,}"
        assert rows["All"][model] == f"{number:,}"
    parts = [float(row["Linear"].replace(",", "")) for name, row in rows.items() if name != "All"]
    assert sum(parts) == pytest.approx(number, abs=0.005 * len(parts))


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_whole_on_every_screen(site, look, screen):
    whole(look(site, "/web", role="finance", **SCREENS[screen]))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_whole_on_a_telephone(site, look, view):
    whole(look(site, f"/web?{urlencode({'show': view})}", role="viewer", **SCREENS["telephone"]))


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", urlencode({"show": view})))


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look):
    seen = look(site, "/web", role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", "show=Nowhere&source=%3Cb%3E&country=XX&period=Sometimes")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "source=<b>", "country=XX", "period=Sometimes"))
    assert len(table(page, "landing-pages")) > 1


def test_a_source_narrows_the_page_and_the_filters_are_kept(site, shown):
    choice = CHOICES["product"]
    page = shown("admin", f"{choice.address}&show=Sources")
    page.locator(".st-key-card-sources-and-mediums").get_by_role("link", name="google").click()
    page.wait_for_url("**source=google**")
    settled(page)
    ((views,),) = site.rows(
        f"""
        SELECT count(*) FROM campaign_events AS t {_OF_CAMPAIGN}
        WHERE {choice.holds("t.occurred_at", "admin")} AND t.source = 'google' AND t.event_type = 'view'
        """
    )
    assert tiles(page)["views"] == views
    assert "product=Web+builder" in page.url
