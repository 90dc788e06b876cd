"""The page of budgets shows what calls add up to, and lets finance set them, answer alerts, and stop AI."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import done, settled, table

TOLD = re.compile(r"([\d,.]+) of ([\d,.]+) USD this month")
# Written apart from the triggers that keep the page's sums: the calls themselves.
SPENT = """
    SELECT b.name, b.amount, COALESCE(SUM(g.cost), 0)
    FROM budgets AS b
    LEFT JOIN ai_generations AS g ON date_trunc('month', g.created_at, 'UTC') = date_trunc('month', now(), 'UTC')
        AND CASE b.scope
            WHEN 'company' THEN true
            WHEN 'provider' THEN g.provider = b.scope_value
            WHEN 'product' THEN g.product = b.scope_value
            WHEN 'generation_type' THEN g.generation_type = b.scope_value
            WHEN 'workspace' THEN g.workspace_id = b.workspace_id
            WHEN 'user' THEN g.workspace_id = b.workspace_id AND g.user_id = b.user_id
        END
    WHERE b.deleted_at IS NULL AND b.period = 'month' AND {seen}
    GROUP BY b.id, b.name, b.amount
    """
LIMITED = """b.workspace_id IN (
    SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited-finance@test.example'
)"""


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """The page as a role sees it with a query."""
    windows = {}

    def opened(role="finance", **query):
        if role not in windows:
            windows[role] = signed_in(role)
        page = windows[role].new_page()
        page.goto(f"{site.url}/budgets?{urlencode(query)}")
        settled(page)
        return page

    return opened


def listed(page):
    """Each budget by its name, as its bar tells it to who can't see it."""
    settled(page)
    pairs = page.locator(".sl-budget").evaluate_all(
        "all => all.map(one => [one.querySelector('h3').textContent, "
        "one.querySelector('[role=img]').getAttribute('aria-label')])"
    )
    return {name.strip(): told for name, told in pairs}


def dialog(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible(timeout=30_000)
    return found


def edit(page, budget, what):
    """Open one of the things that can be done about a budget."""
    row = page.locator('[data-testid="stHorizontalBlock"]').filter(has=page.get_by_role("heading", name=budget)).last
    row.get_by_role("button", name="Edit").click()
    page.get_by_role("menuitem", name=what).or_(page.get_by_role("option", name=what)).click()
    return dialog(page)


def test_the_page_is_not_for_viewers(site, signed_in):
    page = signed_in("viewer").new_page()
    page.goto(f"{site.url}/budgets")
    expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
    for name in ("budgets", "alert_history", "budget_evaluations", "stops"):
        assert page.request.get(f"{site.url}/export/csv?list={name}&name=x").status == 403


@pytest.mark.parametrize(("role", "seen"), [("finance", "true"), ("limited-finance", LIMITED)])
def test_budgets_show_what_the_calls_of_this_month_add_up_to(site, shown, role, seen):
    found = {name: TOLD.match(told).groups() for name, told in listed(shown(role)).items() if "this month" in told}
    counted = site.rows(SPENT.format(seen=seen))
    assert {name: Decimal(amount.replace(",", "")) for name, (_, amount) in found.items()} == {
        name: amount for name, amount, _ in counted
    }
    assert len(counted) >= (10 if role == "finance" else 0)
    for name, _, spent in counted:
        told = found[name][0].replace(",", "")
        assert abs(Decimal(told) - spent) <= Decimal(1).scaleb(Decimal(told).as_tuple().exponent) / 2


def test_who_is_limited_sees_nothing_of_the_companys(shown):
    page = shown("limited-finance")
    assert "All AI" not in listed(page)
    page = shown("limited-finance", show="Emergency stops")
    assert page.get_by_role("button", name="Stop AI").count() == 0
    expect(page.get_by_text("AI was never stopped.")).to_be_visible()


def test_a_budget_is_made_changed_paused_and_deleted(site, shown):
    page = shown()
    page.get_by_role("button", name="New budget").click()
    form = dialog(page)
    form.get_by_label("Name").fill("Made by a test")
    form.get_by_label("Amount in USD").fill("a lot")
    form.get_by_role("button", name="Make it").click()
    expect(form.get_by_role("alert")).to_contain_text("“a lot” is no amount.")
    form.get_by_label("Amount in USD").fill("123.45")
    form.get_by_role("button", name="Make it").click()
    done(page, "The budget is there.")
    assert "of 123.45 USD this month" in listed(page)["Made by a test"]

    form = edit(page, "Made by a test", "Change")
    form.get_by_label("Amount in USD").fill("200")
    form.get_by_role("textbox", name="Why?").fill("A launch.")
    form.get_by_role("button", name="Save").click()
    done(page, "Made by a test was changed.")
    assert "of 200.00 USD this month" in listed(page)["Made by a test"]

    form = edit(page, "Made by a test", "Pause")
    expect(form).to_contain_text("alerts nobody")
    form.get_by_role("button", name="Pause it").click()
    expect(form.get_by_role("alert")).to_contain_text("A budget is paused for a reason.")
    form.get_by_role("textbox", name="Why?").fill("For a while.")
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name="Pause it").click()
    done(page, "Made by a test is paused.")

    form = edit(page, "Made by a test", "Delete")
    form.get_by_role("textbox", name="Why?").fill("It was of a test.")
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name="Delete it").click()
    done(page, "Made by a test is gone.")
    assert "Made by a test" not in listed(page)
    reasons = site.rows(
        "SELECT actor, reason FROM audit_log WHERE table_name = 'budgets' AND row_key IN"
        " (SELECT CAST(id AS TEXT) FROM budgets WHERE name = 'Made by a test') ORDER BY position"
    )
    who = "finance@test.example"
    assert [tuple(row) for row in reasons] == [
        (who, None), (who, "A launch."), (who, "For a while."), (who, "It was of a test."),
    ]  # fmt: skip


def test_who_writes_on_an_older_state_sees_both_versions(shown):
    first, second = shown("finance"), shown("admin")
    theirs = edit(first, "Videos", "Change")
    mine = edit(second, "Videos", "Change")
    mine.get_by_label("Name").fill("All videos")
    mine.get_by_role("button", name="Save").click()
    done(second, "was changed")
    theirs.get_by_label("Amount in USD").fill("77")
    theirs.get_by_role("button", name="Save").click()
    refusal = theirs.get_by_role("alert")
    expect(refusal).to_contain_text("Nothing of yours was saved.")
    rows = {row[0]: row[1:] for row in refusal.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.querySelectorAll('th, td')].map(cell => cell.textContent))")}  # fmt: skip
    # As it was when both opened it, as it is now, and as it was to become.
    assert rows["Name"] == ["Videos", "All videos", "Videos"]
    assert rows["Amount"][2] == "77"
    back = edit(second, "All videos", "Change")
    back.get_by_label("Name").fill("Videos")
    back.get_by_role("button", name="Save").click()
    done(second, "was changed")


def test_an_alert_is_acknowledged_and_another_put_off(site, shown):
    page = shown("finance", show="Alerts")
    for action, says in (("Acknowledge", "1 alert acknowledged."), ("Put off", "1 alert put off until")):
        # Lists close when the page is scrolled, as a click on something out of sight does.
        page.set_viewport_size({"width": 1280, "height": 2400})
        card = page.locator(".st-key-card-decide")
        card.get_by_role("combobox", name="Alerts").click()
        # The first one is all of them.
        page.get_by_role("option").nth(1).click()
        page.keyboard.press("Escape")
        settled(page)
        card.get_by_role("button", name=action, exact=True).click()
        done(page, says)
        settled(page)
    assert site.rows("SELECT count(*) FROM budget_alerts WHERE snoozed_until > now()") == [(1,)]
    assert len(table(shown("finance", show="Alerts", alerts="Put off"), "put-off-alerts")) == 1
    finished = shown("finance", show="Alerts", alerts="Done")
    expect(finished.locator(".st-key-card-done-alerts")).to_contain_text("Finance")


def test_a_stop_says_what_it_does_holds_for_everyone_and_ends(site, shown):
    page = shown("finance", show="Emergency stops")
    page.get_by_role("button", name="Stop AI").click()
    form = dialog(page)
    expect(form).to_contain_text("every new AI call of every product is refused, for every customer")
    expect(form.get_by_role("button", name="Stop it now")).to_be_disabled()
    form.get_by_role("textbox", name="Why?").fill("A test of the brakes.")
    form.get_by_text("I know that customers can't use AI meanwhile.").click()
    expect(form.get_by_role("button", name="Stop it now")).to_be_enabled()
    form.get_by_role("button", name="Stop it now").click()
    done(page, "AI is stopped: everything.")
    banner = shown("admin").get_by_role("alert").filter(has_text="AI is stopped: everything")
    expect(banner).to_contain_text("by Finance. A test of the brakes.")
    overview = shown("admin")
    overview.goto(f"{site.url}/")
    settled(overview)
    expect(overview.locator(".st-key-card-open-alerts")).to_contain_text("A test of the brakes.")
    page.get_by_role("button", name="End the stop of everything").click()
    form = dialog(page)
    form.get_by_role("textbox", name="Why?").fill("They work.")
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name="End it now").click()
    done(page, "The stop has ended.")
    row = table(page, "emergency-stops")["Everything"]
    assert (row["By"], row["Why"], row["Ended by"], row["Why it ended"]) == (
        "Finance", "A test of the brakes.", "Finance", "They work.",
    )  # fmt: skip


def test_evaluations_are_those_of_the_budget_that_was_chosen(site, shown):
    page = shown("finance", show="Evaluations", budget="All AI")
    card = page.locator(".st-key-card-evaluations")
    budgets = set(card.locator("tbody tr td:nth-child(2)").all_inner_texts())
    assert budgets == {"All AI"}
    assert re.search(r"\d{4}, \d{2}:\d{2}", card.inner_text())
    assert str(datetime.now(UTC).year) in card.inner_text()
