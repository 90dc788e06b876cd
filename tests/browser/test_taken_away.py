"""Whose session was ended sees nothing more of a page, though only a part of it would run again."""

from playwright.sync_api import expect

from tests.pages.looking import settled

_END = """
    UPDATE team_sessions SET revoked_at = now()
    WHERE team_member_id = (SELECT id FROM team_members WHERE email = 'finance@test.example')
    """


def ended(site):
    site.change(_END)


def test_a_table_is_not_searched_for_whose_session_was_ended(site, look):
    page = look(site, "/campaigns", role="finance").page
    settled(page)
    search = page.locator(".st-key-all-campaigns-search input")
    search.fill("a")
    search.press("Enter")
    settled(page)
    expect(page.locator(".st-key-card-all-campaigns-the-newest-first")).to_be_visible()
    ended(site)
    search.fill("e")
    search.press("Enter")
    page.wait_for_url("**/sign-in**")
