"""The audit log, settings and retention: who sees what, that a change is told, taken back, and proven by the chain."""

import re

import pytest
from playwright.sync_api import expect

from tests.pages.looking import done, settled, table


@pytest.fixture(scope="module")
def shown(site, signed_in):
    """A page as a role sees it."""
    windows = {}

    def opened(address, role="admin"):
        if role not in windows:
            windows[role] = signed_in(role)
        page = windows[role].new_page()
        page.goto(f"{site.url}{address}")
        settled(page)
        return page

    return opened


def dialog(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible()
    return found


@pytest.mark.parametrize("role", ["viewer", "finance"])
def test_none_of_it_is_for_others(site, signed_in, role):
    page = signed_in(role).new_page()
    for address in ("/audit_log", "/settings", "/retention"):
        page.goto(f"{site.url}{address}")
        expect(page.get_by_text("does not open this page")).to_be_visible()
    for name in ("audit", "settings", "retention_rules"):
        assert page.request.get(f"{site.url}/export/csv?list={name}&name=x").status == 403


def test_a_setting_is_changed_taken_back_and_told_in_the_audit_log(site, shown):
    page = shown("/settings")
    card = page.locator(".st-key-card-setting-ai_service_limits")
    expect(card).to_contain_text("veo: 50")
    card.get_by_role("button", name="Change").click()
    form = dialog(page)
    form.get_by_role("textbox", name="One a line").fill("veo is 60")
    form.get_by_role("textbox", name="Why?").fill("A launch.")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("“veo is 60” can't be read.")
    form.get_by_role("textbox", name="One a line").fill("veo = 60\nimagen = 100")
    form.get_by_role("button", name="Save").click()
    done(page, "AI service limits was changed.")
    expect(card).to_contain_text("veo: 60")
    page.get_by_role("button", name="Undo").click()
    done(page, "It is as it was before.")
    expect(card).to_contain_text("veo: 50")

    page = shown("/audit_log?of=Setting&words=taken+back")
    rows = list(table(page, "changes").values())
    assert rows[0]["Who"] == "admin@test.example"
    assert rows[0]["What"].startswith("Changed the setting ai_service_limits: veo from 60 to 50")
    assert rows[0]["Why"] == "Taken back."
    page.locator(".st-key-card-changes td a").first.click()
    settled(page)
    change = page.locator(".st-key-card-change")
    expect(change).to_contain_text('"veo": 60')
    expect(change).to_contain_text('"veo": 50')
    change.get_by_role("link", name="All changes of this thing").click()
    settled(page)
    expect(page.get_by_text("Only the history of one thing")).to_be_visible()
    # Both may be of one minute.
    expect(page.locator(".st-key-card-changes table")).to_contain_text("A launch.")
    expect(page.locator(".st-key-card-changes table")).to_contain_text("Taken back.")


def test_the_chain_is_verified_on_the_page(site, shown):
    page = shown("/audit_log")
    page.get_by_role("button", name="Verify now").click()
    told = page.get_by_role("status").filter(has_text="as they were sealed")
    expect(told).to_be_visible()
    rows = int(re.search(r"([\d,]+) rows", told.inner_text())[1].replace(",", ""))
    assert (
        rows == site.rows("SELECT MAX(number) FROM audit_verifications WHERE verified_by = 'admin@test.example'")[0][0]
    )
    expect(page.locator(".st-key-card-chain")).to_contain_text("by admin@test.example: as it was sealed")


def test_a_limited_admin_sees_their_workspaces_alone_and_changes_nothing_of_the_company(site, shown):
    page = shown("/audit_log", "limited-admin")
    expect(page.get_by_text("You see changes in your workspaces.")).to_be_visible()
    assert page.get_by_role("button", name="Verify now").count() == 0
    told = page.request.get(f"{site.url}/export/csv?list=audit&name=x").text().splitlines()
    ((own,),) = site.rows("SELECT COUNT(*) FROM audit_log WHERE workspace_id IN (SELECT UNNEST(workspace_ids)"
        " FROM team_members WHERE email = 'limited-admin@test.example')")  # fmt: skip
    assert len(told) >= own > 0
    assert not [line for line in told if ",team_members," in line or ",settings," in line]
    for address in ("/settings", "/retention"):
        assert shown(address, "limited-admin").get_by_role("button", name="Change").count() == 0


def test_changing_a_rule_says_what_it_will_forget_before_it_does(shown):
    page = shown("/retention")
    card = page.locator(".st-key-card-retention-completed_jobs-all")
    expect(card).to_contain_text("30 days")
    card.get_by_role("button", name="Change").click()
    form = dialog(page)
    expect(form).to_contain_text("What the next run will do")
    form.get_by_label("Days").fill("45")
    form.get_by_label("Days").press("Tab")
    expect(form).to_contain_text("Completed jobs: 45 days.")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("A rule of retention is changed for a reason.")
    form.get_by_role("textbox", name="Why?").fill("An audit.")
    form.get_by_role("textbox", name="Why?").press("Tab")
    form.get_by_role("button", name="Save").click()
    done(page, "Completed jobs: 45 days from the next run on.")
    page.get_by_role("button", name="Undo").click()
    done(page, "It is kept as before.")
    expect(card).to_contain_text("30 days")
