"""People sign in, come back to what they asked for, and are out at the next click when somebody shuts them out."""

import json
import re
from contextlib import suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.browser.conftest import served
from tests.web.provider import CLIENT, enrol, provider

SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 390, "height": 844}},
}
LIMITED = "email = 'limited@test.example'"
SIGNED_IN = "Where you are signed in"


def demo_password(site, role):
    return json.loads((site.home / "keys" / "demo-accounts.json").read_text())[f"{role}@demo.example"]


def sign_in(page, email, password):
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).first.click()


def test_a_stranger_signs_in_and_lands_on_the_page_with_its_filters(site, look):
    seen = look(site, "/account?period=7d&product=mailer", role=None)
    assert "/sign-in" in seen.page.url
    sign_in(seen.page, "viewer@demo.example", demo_password(site, "viewer"))
    expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
    assert seen.page.url == f"{site.url}/account?period=7d&product=mailer"
    assert seen.troubles == []


@pytest.mark.parametrize("screen", SCREENS)
def test_the_sign_in_page_reads_well_on_every_screen(site, look, screen):
    """Nothing cut off, nothing that axe finds, nothing from elsewhere."""
    seen = look(site, "/sign-in", role=None, **SCREENS[screen])
    expect(seen.page.get_by_role("heading", name="Demo accounts")).to_be_visible()
    assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert Axe().run(seen.page).response["violations"] == []
    sign_in(seen.page, "viewer@demo.example", "wrong")
    expect(seen.page.get_by_role("alert")).to_contain_text("do not belong together")
    assert Axe().run(seen.page).response["violations"] == []
    assert seen.hosts == {"127.0.0.1"}
    assert [trouble for trouble in seen.troubles if "401" not in trouble] == []


def test_a_demo_account_is_one_click_away_without_any_script(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url + "/sign-in")
    page.get_by_role("button", name="Sign in as Finn Finance").click()
    assert page.url == f"{site.url}/"
    assert any(cookie["name"].startswith("sightline_") and cookie["httpOnly"] for cookie in context.cookies())
    context.close()


@pytest.mark.parametrize("path", ["/", "/account"])
@pytest.mark.parametrize("role", ["viewer", "finance", "admin", "limited"])
def test_pages_run_under_the_strict_policy_without_a_complaint(site, look, path, role):
    """The policy of every answer is in force here: a refused script or style would be told in the console."""
    seen = look(site, path, role=role)
    expect(seen.page.get_by_role("button", name="Sign out")).to_be_visible()
    expect(seen.page.get_by_test_id("stMain").get_by_role("heading").first).to_be_visible()
    seen.page.wait_for_timeout(1500)
    assert seen.troubles == []
    assert seen.page.title() != "Streamlit"


@pytest.mark.parametrize("screen", SCREENS)
def test_the_account_page_reads_well_on_every_screen(site, look, screen):
    seen = look(site, "/account", role="limited", **SCREENS[screen])
    expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
    expect(seen.page.get_by_role("button", name="Change password")).to_have_count(0)
    main = seen.page.get_by_test_id("stMain")
    assert main.evaluate("area => area.scrollWidth - area.clientWidth") == 0
    found = Axe().run(seen.page, context={"include": [["[data-testid=stMain]"]]}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_signing_out_is_for_good(site, look):
    seen = look(site, "/account", role="viewer")
    [cookie] = [one for one in seen.page.context.cookies() if one["name"].startswith("sightline_")]
    expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
    seen.page.get_by_role("button", name="Sign out").click()
    expect(seen.page.get_by_text("You are signed out.")).to_be_visible()
    seen.page.go_back()
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible()
    # Not even for whoever copied the cookie before.
    seen.page.context.add_cookies([cookie])
    seen.page.goto(site.url + "/account")
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_link_to_sign_out_asks_first(site, look):
    seen = look(site, "/sign-out", role="viewer")
    seen.page.get_by_role("button", name="Sign out").click()
    expect(seen.page.get_by_text("You are signed out.")).to_be_visible()


def test_a_device_that_is_ended_from_another_one_is_sent_to_sign_in_and_back(site, look):
    site.change("UPDATE team_sessions SET revoked_at = now()")
    here, there = look(site, "/account?mark=there", role="finance"), look(site, "/account", role="finance")
    expect(here.page.get_by_text(SIGNED_IN)).to_be_visible()
    expect(there.page.get_by_text("this device")).to_have_count(1)
    there.page.get_by_role("button", name="End all others").click()
    expect(there.page.get_by_role("button", name="End all others")).to_have_count(0)
    here.page.get_by_role("link", name="Overview").click()
    expect(here.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(there.page.get_by_text(SIGNED_IN)).to_be_visible()


@pytest.mark.parametrize("blow", ["is_active = false", "session_version = session_version + 1", "deleted_at = now()"])
def test_who_is_shut_out_is_out_at_the_next_click(site, look, blow):
    seen = look(site, "/account", role="viewer")
    expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
    site.change(f"UPDATE team_members SET {blow} WHERE email = 'viewer@test.example'")
    seen.page.get_by_role("link", name="Overview").click()
    expect(seen.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_roles_and_workspaces_are_those_of_this_moment(site, look):
    seen = look(site, "/account", role="limited")
    main = seen.page.get_by_test_id("stMain")
    expect(main.get_by_text("Roles: viewer")).to_be_visible()
    limited = main.get_by_text(re.compile("^Workspaces: ")).inner_text()
    assert limited.count(",") == 1
    site.change(f"UPDATE team_members SET roles = '{{finance}}', workspace_ids = '{{}}' WHERE {LIMITED}")
    try:
        seen.page.get_by_role("link", name="Account").click()
        expect(main.get_by_text("Roles: finance")).to_be_visible()
        expect(main.get_by_text("Workspaces: none")).to_be_visible()
    finally:
        site.change(f"DELETE FROM team_sessions USING team_members AS m WHERE team_member_id = m.id AND m.{LIMITED}")
        site.change(f"DELETE FROM team_members WHERE {LIMITED}")


def test_a_token_is_shown_once_and_calls_the_api_until_it_is_revoked(site, look):
    seen = look(site, "/account", role="finance")
    page, dialog = seen.page, seen.page.get_by_role("dialog")
    page.get_by_role("button", name="Make a token").click()
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_text("A token needs a name.")).to_be_visible()
    dialog.get_by_label("What is it for?").fill("Nightly <b>export</b>")
    dialog.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    token = page.locator("code").first.inner_text()

    def asked():
        return page.request.get(f"{site.url}/api/v1/commands", headers={"authorization": f"Bearer {token}"}).status

    assert asked() == 200
    page.reload()
    expect(page.get_by_text("Nightly <b>export</b>")).to_be_visible()
    assert token not in page.content()
    page.get_by_role("button", name="Revoke").first.click()
    expect(page.get_by_text("The token Nightly <b>export</b> is revoked for good.")).to_be_visible()
    assert asked() == 401
    assert seen.troubles == []


def test_a_stranger_gets_neither_files_nor_a_socket(site, look):
    seen = look(site, "/sign-in", role=None)
    for path in ("/media/x.csv", "/_stcore/upload_file/a/b", "/component/x", "/export/csv"):
        assert seen.page.request.get(site.url + path).status == 401
    # The policy of the sign-in page forbids sockets altogether: asked as a program would.
    told = []
    with connect(f"ws://127.0.0.1:{site.port}/_stcore/stream", origin=site.url) as socket, suppress(ConnectionClosed):
        while len(told) < 5:
            told.append(socket.recv(timeout=30))
    # One word to load the page anew, which leads to signing in.
    assert (len(told), socket.close_code) == (1, 1008)


def without_a_database(site, page, act):
    """Do it while the database is away, again where it was back before the page asked it anything."""
    said = page.get_by_role("heading", name="The database does not answer")
    for _ in range(10):
        site.kill_postgres()
        act()
        try:
            said.wait_for(timeout=4_000)
        except Error:
            continue
        return
    raise AssertionError("The page never said that the database is away.")


def test_the_database_goes_away_and_the_page_says_so_and_comes_back(look):
    with served() as empty:
        seen = look(empty, "/account?mark=here")
        expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
        without_a_database(empty, seen.page, seen.page.reload)
        expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible(timeout=60_000)
        assert seen.page.url == f"{empty.url}/account?mark=here"
        # And under a page that is open.
        without_a_database(empty, seen.page, seen.page.get_by_role("link", name="Overview").click)
        expect(seen.page.get_by_role("link", name="Account")).to_be_visible(timeout=60_000)
        assert "Demo accounts" not in seen.page.request.get(empty.url + "/sign-in").text()


def test_a_person_comes_through_a_provider_to_the_page_they_asked_for(look, monkeypatch):
    with provider() as issuer:
        given = {"ISSUER": issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": "provider-secret", "ROLES_CLAIM": "roles"}
        for name, value in given.items():
            monkeypatch.setenv(f"SIGHTLINE_OIDC_{name}", value)
        enrol(issuer, "ada", email="ada@team.example", email_verified=True, name="Ada", roles=["finance"])
        with served() as site:
            seen = look(site, "/account?period=7d", role=None)
            seen.page.get_by_role("link", name="Continue with your organisation").click()
            assert seen.page.url.startswith(issuer)
            seen.page.locator("input[name=sub]").first.fill("ada")
            seen.page.get_by_role("button", name="Authorize").first.click()
            expect(seen.page.get_by_text(SIGNED_IN)).to_be_visible()
            assert seen.page.url == f"{site.url}/account?period=7d"
            expect(seen.page.get_by_text("Roles: finance")).to_be_visible()
            # Played again, the answer that let Ada in lets nobody in.
            answer = seen.page.request.get(f"{site.url}/sign-in/oidc/callback?code=x&state=y", max_redirects=0)
            assert answer.status == 401
            assert "begun in this browser" in answer.text()
