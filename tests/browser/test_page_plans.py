"""Plans in a browser: tiers side by side, drafts that two admins edit at once, and a publication by two people."""

import re
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from app.identity.sessions import Device, open_session
from tests.pages.looking import done, settled, table

LIVE = "SELECT id FROM plans WHERE product = 'mailer' AND tier = 'pro' AND status = 'published' ORDER BY id LIMIT 1"
# Nobody sells this tier: what becomes of it touches nobody.
NAME = "Made by a test"


@pytest.fixture(scope="module")
def people(site, signed_in):
    """A window each: two admins of the whole company, and one who is limited to two workspaces."""
    windows = {}

    def window(name):
        if name not in windows:
            windows[name] = signed_in("viewer")
            windows[name].clear_cookies()
            windows[name].add_cookies([_cookie(site, name)])
        return windows[name]

    return window


def _cookie(site, name):
    member = text(
        "INSERT INTO team_members (email, name, roles, workspace_ids) VALUES (:email, :name, '{admin}',"
        " CASE :name WHEN 'Lin' THEN ARRAY(SELECT id FROM workspaces WHERE kind <> 'house' ORDER BY id LIMIT 2) END)"
        " RETURNING id"
    )
    with site.changing() as connection:
        key = connection.execute(member, {"email": f"{name}@plans.example", "name": name}).scalar_one()
        token = open_session(connection, key, "password", Device(), replaces=None)
    return {"name": f"sightline_{site.port}", "value": token, "url": site.url, "httpOnly": True, "sameSite": "Lax"}


def opened(site, window, path, **query):
    page = window.new_page()
    page.goto(f"{site.url}/{path}?{urlencode(query)}")
    settled(page)
    return page


def dialog(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible(timeout=30_000)
    return found


def press(page, name):
    page.get_by_role("button", name=name).click()
    return dialog(page)


def fill(form, label, value):
    field = form.get_by_label(label, exact=True).or_(form.get_by_role("textbox", name=label, exact=True)).first
    field.fill(value)
    field.press("Tab")


def says(page):
    """What the plan says, by the names of its terms."""
    return {name: row for name, row in table(page, "what-it-says").items() if name}


@pytest.fixture(scope="module")
def draft(site, people):
    """The address of a draft of a tier that nobody sells, made on the page."""
    page = opened(site, people("Ada"), "plans")
    form = press(page, "New draft")
    form.get_by_role("combobox", name="Product").click()
    page.get_by_role("option", name="CraftAds").click()
    form.get_by_role("combobox", name="Tier").click()
    page.get_by_role("option", name="Scale").click()
    fill(form, "Name", NAME)
    fill(form, "Price", "a lot")
    form.get_by_role("button", name="Make it").click()
    expect(form.get_by_role("alert")).to_contain_text("“a lot” is no amount.")
    fill(form, "Price", "29.50")
    form.get_by_role("button", name="Make it").click()
    done(page, "The draft is there.")
    page.close()
    ((key,),) = site.rows(f"SELECT id FROM plans WHERE name = '{NAME}'")
    return key


@pytest.mark.parametrize("role", ["viewer", "finance"])
def test_plans_are_for_admins(site, signed_in, role):
    ((key,),) = site.rows(LIVE)
    window = signed_in(role)
    for path in ("plans", f"plan?plan={key}"):
        page = window.new_page()
        page.goto(f"{site.url}/{path}")
        expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)
    of_one = ("plan_subscribers", "plan_moves", "plan_changes", "plan_approvals")
    for asked in ("plans", *(f"{name}&plan={key}" for name in of_one)):
        assert page.request.get(f"{site.url}/export/csv?list={asked}&name=x").status == 403


def test_an_address_of_nothing_says_so(site, people):
    for key in ("x", "00000000-0000-7000-8000-000000000000"):
        page = opened(site, people("Ada"), "plan", plan=key)
        expect(page.get_by_text("There is no plan by this address.")).to_be_visible()


def test_who_is_limited_to_workspaces_reads_plans_and_changes_none(site, people):
    ((key,),) = site.rows(LIVE)
    page = opened(site, people("Lin"), "plans")
    expect(page.get_by_text("admins who see all of them change them")).to_be_visible()
    assert page.get_by_role("button", name="New draft").count() == 0
    page = opened(site, people("Lin"), "plan", plan=key)
    assert says(page)["Name"]["Version 2"] == "Mailer Pro"
    for name in ("Draft of this", "Retire", "Take it back"):
        assert page.get_by_role("button", name=name).count() == 0


def test_tiers_stand_side_by_side_as_they_are_sold(site, people):
    """Prices in dollars by the month, as the database has them."""
    sold = site.rows(
        "SELECT initcap(tier), price FROM plans WHERE product = 'mailer' AND status = 'published'"
        " AND currency = 'USD' AND billing_period = 'monthly'"
    )
    card = opened(site, people("Ada"), "plans").locator(".st-key-card-mailer table")
    head, prices = card.evaluate(
        "table => [table.rows[0], table.rows[1]].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    shown = dict(zip(head[1:], prices[1:], strict=True))
    assert {tier: Decimal(price.removesuffix(" USD")) for tier, price in shown.items()} == dict(map(tuple, sold))


def test_a_draft_gets_limits_and_features_and_each_edit_can_be_taken_back(site, people, draft):
    page = opened(site, people("Ada"), "plan", plan=draft)
    form = press(page, "A limit …")
    fill(form, "Amount", "some")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("“some” is no limit.")
    fill(form, "Amount", "1,200")
    form.get_by_role("button", name="Save").click()
    done(page, "was changed")
    assert says(page)["Generations a month"]["Version 1"] == "1,200"
    form = press(page, "A feature …")
    fill(form, "Name", "API access")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("'API access' is no name of a feature.")
    fill(form, "Name", "api_access")
    form.get_by_text("It is there", exact=True).click()
    form.get_by_role("button", name="Save").click()
    done(page, "was changed")
    assert "API access" in says(page)
    page.get_by_role("button", name="Undo").click()
    done(page, "It is as it was before.")
    assert "API access" not in says(page)


def test_two_admins_edit_one_draft_and_both_edits_are_kept(site, people, draft):
    """Bob changes the price while Ada writes a description: she sees both, and saves both together."""
    first, second = (opened(site, people(name), "plan", plan=draft) for name in ("Ada", "Bob"))
    theirs, mine = press(first, "Price and name …"), press(second, "Price and name …")
    fill(mine, "Price", "31")
    mine.get_by_role("button", name="Save").click()
    done(second, "was changed")
    fill(theirs, "Description", "For teams")
    theirs.get_by_role("button", name="Save").click()
    refusal = theirs.get_by_role("alert")
    expect(refusal).to_contain_text("Nothing of yours was saved.")
    expect(refusal.get_by_role("row").filter(has_text="Price")).to_have_text(re.compile(r"Price29\.53129\.5"))
    expect(refusal.get_by_role("row").filter(has_text="Description")).to_contain_text("For teams")
    assert site.rows(f"SELECT price, description FROM plans WHERE id = '{draft}'") == [(31, None)]
    theirs.get_by_role("button", name="Save both together").click()
    done(first, "was changed")
    assert site.rows(f"SELECT price, description FROM plans WHERE id = '{draft}'") == [(31, "For teams")]


def test_a_plan_below_the_floor_is_published_by_two(site, people, draft):
    """Unsimulated it is not; Ada asks, and can't approve; Bob can; and it is taken back and discarded."""
    page = opened(site, people("Ada"), "plan", plan=draft)
    expect(press(page, "Publish …")).to_contain_text("It was not simulated as it is now.")
    page.keyboard.press("Escape")
    with site.changing() as connection:
        connection.execute(text(
            "INSERT INTO plan_simulations (plan_id, plan_revision, since, until, currency, revenue_before,"
            " revenue_after, ai_cost_before, ai_cost_after, margin_before, margin_after, workspaces,"
            " workspaces_hit_before, workspaces_hit, workspaces_eased, calls, refused_before, refused_after, unpriced)"
            " SELECT id, revision, now() - interval '30 days', now(), 'USD', 100, 100, 90, 90, 10, 10, 1, 0, 0, 0, 1,"
            " 0, 0, 0 FROM plans WHERE id = :plan"
        ), {"plan": draft})  # fmt: skip
    form = press(page, "Publish …")
    expect(form).to_contain_text("below the floor of 30 %: 10.0 % of revenue")
    form.get_by_role("button", name="Ask for approval").click()
    expect(form.get_by_role("alert")).to_contain_text("This is done for a reason.")
    fill(form, "Why?", "It wins customers")
    form.get_by_role("button", name="Ask for approval").click()
    done(page, "It waits for a second admin.")
    form = press(page, "Approve …")
    fill(form, "Why?", "Mine")
    form.get_by_role("button", name="Approve it").click()
    expect(form.get_by_role("alert")).to_contain_text("Who asks does not approve.")
    page = opened(site, people("Bob"), "plan", plan=draft)
    expect(page.get_by_text("Its margin is 10.0 %, and the floor is 30 %.")).to_be_visible()
    form = press(page, "Approve …")
    fill(form, "Why?", "For a month")
    form.get_by_role("button", name="Approve it").click()
    done(page, "was approved")
    assert site.rows(f"SELECT status FROM plans WHERE id = '{draft}'") == [("published",)]
    assert site.rows("SELECT asked_name, decided_name, decision_reason FROM plan_approvals ORDER BY id") == [
        ("Ada@plans.example", "Bob@plans.example", "For a month")
    ]
    page.get_by_role("button", name="Undo").click()
    done(page, "It is a draft again.")
    form = press(page, "Discard …")
    form.get_by_role("button", name="Discard it").click()
    done(page, "was discarded")
    expect(page.get_by_role("button", name="Bring it back")).to_be_visible()
    history = opened(site, people("Bob"), "plan", plan=draft, show="History")
    expect(history.locator(".st-key-card-history")).to_contain_text("For a month")
