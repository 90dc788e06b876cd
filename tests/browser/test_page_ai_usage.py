"""The page of AI usage shows what the attempts' rows hold, why some failed, and each of them one click away."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from app.ui.words import spelled
from tests.pages.looking import SCREENS, in_reach, settled, table, tiles, whole
from tests.pages.oracles import ROLES, choices, same

CHOICES = choices("craft_ads")
VIEWS = ("Models", "Products", "Types", "Failures", "Raw generations")
RAW = "raw-generations-the-newest-first"
_TIMES = ("generation_time_p50", "generation_time_p95")


def attempts(choice, role, key="NULL"):
    """Of each key: all, failed, completed, kept, repeated; and the mean rating and two percentiles of the time."""
    return f"""
        SELECT {key}, count(*), count(*) FILTER (WHERE t.status = 'failed'),
            count(*) FILTER (WHERE t.status = 'completed'), count(*) FILTER (WHERE t.accepted),
            count(*) FILTER (WHERE t.attempt > 1), avg(t.user_rating),
            percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY t.generation_time_ms)
        FROM ai_generations AS t
        WHERE {choice.holds("t.created_at", role, product="t.product")} GROUP BY 1
    """


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """A page as a role sees it with a query."""
    windows = {role: signed_in(role) for role in (*ROLES, "viewer", "finance")}

    def opened(role, query):
        page = windows[role].new_page()
        page.goto(f"{site.url}/ai_usage?{query}")
        settled(page)
        return page

    return opened


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", ROLES)
def test_tiles_show_what_counting_the_rows_gives(site, shown, role, chosen):
    """Percentiles come from a histogram that is at most a hundredth off."""
    choice = CHOICES[chosen]
    found = tiles(shown(role, choice.address))
    ((_, number, failed, completed, accepted, retries, rating, (half, most)),) = site.rows(attempts(choice, role))
    counted = {
        "generations": number,
        "generations_failed": failed,
        "retry_rate": retries / number,
        "success_rate": completed / (completed + failed),
        "acceptance_rate": accepted / completed,
        "average_rating": rating,
        "generation_time_p50": half / 1000,
        "generation_time_p95": most / 1000,
    }
    wrong = {
        name
        for name, value in found.items()
        if not same(value, counted[name], within=0.011 if name in _TIMES else 1e-9)
    }
    assert wrong == set()
    assert found.keys() == counted.keys()


@pytest.mark.parametrize(("view", "key"), [("Models", "model"), ("Products", "product"), ("Types", "generation_type")])
@pytest.mark.parametrize("role", ROLES)
def test_each_split_shows_what_counting_the_rows_gives(site, shown, role, view, key):
    rows = table(shown(role, urlencode({"show": view})), view.lower())
    del rows["Together"]
    counted = {
        name if key == "model" else spelled(name): [f"{number:,}", f"{completed / (completed + failed) * 100:.2f} %"]
        for name, number, failed, completed, *_ in site.rows(attempts(CHOICES["first"], role, f"t.{key}"))
        if completed + failed
    }
    assert {name: [row["Generations"], row["Success rate"]] for name, row in rows.items() if name in counted} == counted


@pytest.mark.parametrize("role", ROLES)
def test_failures_stand_at_their_reasons(site, shown, role):
    rows = table(shown(role, f"{CHOICES['product'].address}&show=Failures&compare=Off"), "failures-by-reason")
    counted = {
        code or "(none)": f"{failed:,}"
        for code, _, failed, *_ in site.rows(attempts(CHOICES["product"], role, "t.error_code"))
        if failed
    }
    del rows["Together"]
    assert {code: row["Generations failed"] for code, row in rows.items()} == counted


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_raw_rows_follow_each_other_without_gap_or_repetition(site, shown, role):
    choice = CHOICES["first"]
    page = shown(role, "show=Raw+generations&status=Failed")
    ((counted,),) = site.rows(
        f"SELECT count(*) FROM ai_generations AS t WHERE {choice.holds('t.created_at', role)} AND t.status = 'failed'"
    )
    told = 0
    while True:
        told += page.locator(f".st-key-card-{RAW} tbody tr").count()
        older = page.get_by_role("link", name="Older")
        if older.count() == 0:
            break
        address = page.url
        older.click()
        expect(page).not_to_have_url(address)
        settled(page)
    assert told == counted


def test_a_reason_opens_the_attempts_that_failed_for_it(site, shown):
    page = shown("admin", "period=Last+90+days&show=Failures")
    page.locator(".st-key-card-failures-by-reason").get_by_role("link", name="timeout").click()
    page.wait_for_url("**error_code=timeout**")
    settled(page)
    assert "period=Last+90+days" in page.url
    cells = page.locator(f".st-key-card-{RAW} tbody tr td:nth-child(3)").all_inner_texts()
    assert cells
    assert set(cells) == {"timeout"}


def test_what_attempts_cost_is_shown_to_those_who_may_read_it(shown):
    heads = {
        role: shown(role, "show=Raw+generations").locator(f".st-key-card-{RAW} thead th").all_inner_texts()
        for role in ("viewer", "finance")
    }
    assert "Cost, USD" in heads["finance"]
    assert "Cost, USD" not in heads["viewer"]


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_whole_on_every_screen(site, look, screen):
    whole(look(site, "/ai_usage", role="finance", **SCREENS[screen]))


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_whole_on_a_telephone(site, look, view):
    whole(look(site, f"/ai_usage?{urlencode({'show': view})}", role="viewer", **SCREENS["telephone"]))


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_ours_is_out_of_reach(shown, view):
    in_reach(shown("finance", urlencode({"show": view})))


def test_whoever_has_not_signed_in_is_sent_to_do_so(site, look):
    seen = look(site, "/ai_usage", role=None)
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=30_000)


def test_what_can_not_be_used_falls_back_and_is_said(shown):
    page = shown("viewer", "show=Nowhere&model=%3Cb%3E")
    told = " ".join(page.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("show=Nowhere", "model=<b>"))
    assert len(table(page, "models")) > 1
    raw = shown("viewer", "show=Raw+generations&status=Unheard&error_code=%3Cb%3E&after=nonsense")
    told = " ".join(raw.get_by_role("alert").all_inner_texts())
    assert all(part in told for part in ("status=Unheard", "error_code=<b>", "no place in the list"))
