"""Admins look after quotas, customers and the team; two who change the same are told of one another."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.pages.looking import done, in_reach, settled, table

PAGES = ("quotas", "customers", "team")
# Written apart from the page's own questions.
CLOSE = """
    SELECT w.name, b.meter, (b.used + b.held)::numeric / (b.limit_amount + b.rolled_over)
    FROM quota_balances AS b JOIN workspaces AS w ON w.id = b.workspace_id
    WHERE b.period_start <= now() AND COALESCE(b.period_end, 'infinity') > now()
        AND (b.used + b.held) * 10 >= 8 * (b.limit_amount + b.rolled_over) AND b.limit_amount + b.rolled_over > 0
    """
PEOPLE = """
    SELECT u.email FROM workspace_members AS m JOIN users AS u ON u.id = m.user_id
    WHERE m.workspace_id = '{key}' AND m.deleted_at IS NULL
    UNION SELECT u.email FROM workspaces AS w JOIN users AS u ON u.id = w.owner_id WHERE w.id = '{key}'
    """
LIVE = """
    SELECT w.id, w.slug, w.name FROM workspaces AS w
    WHERE w.kind = 'customer' AND (SELECT COUNT(*) FROM workspaces AS o WHERE o.name = w.name) = 1
        AND EXISTS (SELECT FROM subscriptions AS s WHERE s.workspace_id = w.id AND s.status = 'active'
            AND NOT s.cancel_at_period_end)
    ORDER BY w.code DESC LIMIT 1
    """


@pytest.fixture(scope="module")
def opened(site, signed_in):
    """A page as a role sees it, with a query; another person of that role has a browser of their own."""
    windows = {}

    def show(page, role="admin", who=None, **query):
        if (role, who) not in windows:
            windows[role, who] = signed_in(role)
            if who:
                windows[role, who].add_cookies([site.sign_in(role, who=who)])
        window = windows[role, who].new_page()
        window.goto(f"{site.url}/{page}?{urlencode(query)}")
        settled(window)
        return window

    return show


def dialog(page, button):
    page.get_by_role("button", name=button, exact=True).click()
    found = page.get_by_role("dialog")
    expect(found).to_be_visible()
    return found


def chosen(page, label, option, within=None):
    (within or page).get_by_role("combobox", name=label).first.click()
    page.get_by_role("option", name=option).first.click()
    settled(page)


def say_why(form, why):
    form.get_by_role("textbox", name="Why?").fill(why)
    form.get_by_role("textbox", name="Why?").press("Tab")


def undone(page, says):
    page.get_by_role("button", name="Undo").click()
    done(page, says)


@pytest.mark.parametrize("role", ["viewer", "finance"])
def test_the_pages_are_for_admins(site, signed_in, role):
    page = signed_in(role).new_page()
    for name in PAGES:
        page.goto(f"{site.url}/{name}")
        expect(page.get_by_text("does not open this page")).to_be_visible()
    for name in ("close_quotas", "quota_overrides", "quota_holds", "service_limits", "customers"):
        assert page.request.get(f"{site.url}/export/csv?list={name}&name=x").status == 403


def test_who_is_close_to_a_limit_stands_there_the_fullest_first(site, opened):
    told = opened("quotas").locator(".sl-rows [role=img]").evaluate_all("all => all.map(o => o.ariaLabel)")
    shares = [float(re.search(r"([\d,.]+) %$", one)[1].replace(",", "")) for one in told]
    assert shares == sorted(shares, reverse=True)
    expected = sorted((round(float(share) * 100, 2) for *_, share in site.rows(CLOSE)), reverse=True)
    assert [round(one, 2) for one in shares] == expected


def test_who_is_limited_sees_only_customers_of_their_own(site, opened):
    page = opened("customers", role="limited-admin")
    ((own,),) = site.rows("SELECT array_agg(name ORDER BY name) FROM workspaces WHERE id = ANY (SELECT"
        " UNNEST(workspace_ids) FROM team_members WHERE email = 'limited-admin@test.example')")  # fmt: skip
    assert sorted(table(page, "workspaces")) == own
    assert set(table(opened("team", role="limited-admin"), "the-team")) <= {
        "limited-admin@test.example", "limited@test.example", "limited-finance@test.example", "limited@demo.example",
    }  # fmt: skip
    services = opened("quotas", role="limited-admin", show="Service limits")
    assert services.get_by_role("button", name="Change service limits").count() == 0


def test_two_admins_change_the_same_exception_and_both_edits_are_saved_together(site, opened):
    """The one raises the amount, the other moves the end; the second is shown both and saves them together."""
    first, second = opened("quotas", show="Exceptions"), opened("quotas", who="bob", show="Exceptions")
    forms = [dialog(page, "Change") for page in (first, second)]
    ((key, ends_at),) = site.rows("SELECT id, ends_at FROM quota_overrides WHERE ends_at > now()"
        " ORDER BY ends_at, id LIMIT 1")  # fmt: skip
    forms[0].get_by_role("textbox", name="Allows").fill("123,456")
    say_why(forms[0], "A launch")
    forms[0].get_by_role("button", name="Save", exact=True).click()
    done(first, "The exception was changed.")
    # Within its month, as a day that is turned on past the last begins again with the first.
    step = -1 if ends_at.astimezone(UTC).day > 15 else 1
    later = (ends_at.astimezone(UTC) + timedelta(days=step)).date()
    day = forms[1].get_by_role("spinbutton", name=re.compile("^day"))
    day.press("ArrowUp" if step > 0 else "ArrowDown")
    say_why(forms[1], "It takes longer")
    forms[1].get_by_role("button", name="Save", exact=True).click()
    refusal = forms[1].get_by_role("alert")
    expect(refusal).to_contain_text("Nothing of yours was saved.")
    expect(refusal).to_contain_text("123456")
    forms[1].get_by_role("button", name="Save both together").click()
    done(second, "The exception was changed.")
    ((amount, moved),) = site.rows(f"SELECT limit_amount, ends_at FROM quota_overrides WHERE id = '{key}'")
    assert (amount, moved.astimezone(UTC).date()) == (123456, later)
    told = site.rows(f"SELECT actor, reason FROM audit_log WHERE row_key = '{key}' ORDER BY position DESC LIMIT 2")
    assert told == [("bob@test.example", "It takes longer"), ("admin@test.example", "A launch")]
    undone(second, "It is as it was before.")
    ((amount, moved),) = site.rows(f"SELECT limit_amount, ends_at FROM quota_overrides WHERE id = '{key}'")
    assert (amount, moved) == (123456, ends_at)


def test_credits_are_granted_with_a_reason_and_taken_back(site, opened):
    page = opened("quotas", show="Credits")
    form = dialog(page, "Grant credits")
    form.get_by_role("textbox", name="How many").fill("many")
    form.get_by_role("button", name="Grant them").click()
    expect(form.get_by_role("alert")).to_contain_text("“many” is no whole number.")
    form.get_by_role("textbox", name="How many").fill("30")
    form.get_by_role("button", name="Grant them").click()
    expect(form.get_by_role("alert")).to_contain_text("This is done for a reason.")
    say_why(form, "An outage")
    form.get_by_role("button", name="Grant them").click()
    done(page, "has more credits")
    undone(page, "The credits were taken back.")
    last = site.rows("SELECT type, amount FROM credit_transactions WHERE reference_type = 'team'"
        " ORDER BY created_at DESC, position DESC LIMIT 2")  # fmt: skip
    assert [tuple(row) for row in last] == [("take_back", -30), ("grant", 30)]


def test_a_workspace_shows_its_people_and_what_is_changed_can_be_taken_back(site, opened):
    ((key, slug, name),) = site.rows(LIVE)
    page = opened("customer", customer=key)
    assert set(table(page, "people")) == {email for (email,) in site.rows(PEOPLE.format(key=key))}
    form = dialog(page, "Cancel at the end of its period")
    say_why(form, "Too dear")
    form.get_by_role("button", name="Cancel it").click()
    done(page, " ends on ")
    undone(page, "It is renewed again.")
    form = dialog(page, "Invite somebody")
    form.get_by_label("E-mail address").fill("invited@by-a-test.example")
    say_why(form, "Hired")
    form.get_by_role("button", name="Invite", exact=True).click()
    done(page, f"invited@by-a-test.example is in {name}.")
    assert table(page, "people")["invited@by-a-test.example"]["Role"] == "Editor"
    undone(page, "The invitation was taken back.")
    assert "invited@by-a-test.example" not in table(page, "people")
    form = dialog(page, "Delete workspace")
    expect(form).to_contain_text(f"With {name} go ")
    expect(form.get_by_role("button", name="Delete it")).to_be_disabled()
    say_why(form, "Asked for it")
    form.get_by_label("Its short name").fill(slug)
    form.get_by_label("Its short name").press("Tab")
    form.get_by_role("button", name="Delete it").click()
    done(page, f"{name} is deleted")
    expect(page.get_by_text("You see no workspace by this address.")).to_be_visible()
    undone(page, f"{name} is back.")
    assert site.rows(f"SELECT deleted_at FROM workspaces WHERE id = '{key}'") == [(None,)]
    whole_page = opened("customer", customer=key)
    in_reach(whole_page)


def test_somebody_joins_the_team_is_changed_and_deactivated_and_comes_back(site, opened):
    page = opened("team")
    email = f"joins-{datetime.now(UTC):%H%M%S%f}@test.example"
    form = dialog(page, "Add a person")
    form.get_by_label("E-mail address").fill(email)
    form.get_by_role("button", name="Add", exact=True).click()
    done(page, f"{email} is in the team.")
    assert table(page, "the-team")[email]["Roles"] == "Viewer"
    chosen(page, "Person", email)
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("menuitem", name="Deactivate").or_(page.get_by_role("option", name="Deactivate")).click()
    form = page.get_by_role("dialog")
    say_why(form, "Left")
    form.get_by_role("button", name="Deactivate", exact=True).click()
    done(page, f"{email} is deactivated.")
    assert table(page, "the-team")[email]["Active"] == "no"
    undone(page, f"{email} is let in again.")
    reasons = site.rows(f"SELECT a.reason FROM audit_log AS a JOIN team_members AS t ON t.id::text = a.row_key"
        f" WHERE t.email = '{email}' AND a.action = 'update' ORDER BY position")  # fmt: skip
    assert [reason for (reason,) in reasons] == ["Left", "Taken back."]
