"""Somebody limited to two workspaces walks through everything, and meets nothing of the others."""

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from app.ui.menu import PAGES
from tests.pages.looking import settled

ALL_DAYS = {"period": "Custom", "days": ["2020-01-01", str(datetime.now(UTC).date())], "compare": "Off"}
# What belongs to a workspace and bears a name that a page could show.
NAMED = {
    "workspaces": ("id", "name"),
    "campaigns": ("workspace_id", "name"),
    "contacts": ("workspace_id", "email"),
    "component_library": ("workspace_id", "name"),
}
DETAILS = {"campaign": "campaigns", "contact": "contacts"}
LONG_ENOUGH = 8


@pytest.fixture(scope="module")
def own(site):
    """The keys of the two workspaces, as a list for SQL."""
    site.sign_in("limited")
    ((keys,),) = site.rows("SELECT workspace_ids FROM team_members WHERE email = 'limited@test.example'")
    assert len(keys) == 2
    return ", ".join(f"'{key}'" for key in keys)


@pytest.fixture(scope="module")
def foreign(site, own):
    """Names that only others have."""
    found = set()
    for table, (workspace, name) in NAMED.items():
        theirs = site.rows(
            f"SELECT {name} FROM {table} WHERE {workspace} NOT IN ({own})"
            f" EXCEPT SELECT {name} FROM {table} WHERE {workspace} IN ({own})"
        )
        found |= {value for (value,) in theirs if value and len(value) >= LONG_ENOUGH}
    assert len(found) > 100
    return found


@pytest.fixture
def meets_nothing(site, look, foreign):
    """Opens an address as the limited person and looks at all that was sent for it, shown or not."""

    def opened(path, **query):
        seen = look(site, f"/{path}?{urlencode(query, doseq=True)}", role="limited")
        settled(seen.page)
        sent = seen.page.content() + seen.page.locator("body").inner_text()
        assert {name for name in foreign if name in sent} == set(), path
        return seen.page

    return opened


def said(page):
    """All that a page says once nothing of it changes any more, but for how long ago its figures came."""
    before, now = None, page.get_by_test_id("stMain").inner_text()
    while now != before:
        page.wait_for_timeout(700)
        settled(page)
        before, now = now, page.get_by_test_id("stMain").inner_text()
    return re.sub(r"Data through .*", "", now)


def views_of(page):
    """The parts of a page that its address can open."""
    return page.locator('[data-testid="stButtonGroup"] button, [role="tab"]').all_inner_texts()


@pytest.mark.parametrize("name", [page.name for page in PAGES if not page.is_detail])
def test_no_page_and_no_part_of_it_names_anything_of_others(meets_nothing, name):
    path = "" if name == "overview" else name
    for view in views_of(meets_nothing(path, **ALL_DAYS)):
        meets_nothing(path, show=view.strip(), **ALL_DAYS)


def test_the_same_walk_does_meet_names_of_others_for_who_may_see_them(site, look, foreign):
    """Or the walk would prove nothing."""
    seen = look(site, f"/campaigns?{urlencode(ALL_DAYS, doseq=True)}", role="viewer")
    settled(seen.page)
    assert any(name in seen.page.content() for name in foreign)


@pytest.mark.parametrize("page", DETAILS)
def test_a_detail_of_others_is_as_unknown_as_one_that_never_was(site, own, meets_nothing, page):
    ((theirs,),) = site.rows(f"SELECT id FROM {DETAILS[page]} WHERE workspace_id NOT IN ({own}) LIMIT 1")
    never = "00000000-0000-4000-8000-000000000000"
    told = [said(meets_nothing(page, **{page: key})) for key in (theirs, never)]
    assert told[0] == told[1]
    assert "You see no" in told[0]


@pytest.mark.parametrize("column", ["name", "slug"])
def test_a_filter_on_another_workspace_is_as_unknown_as_one_that_never_was(site, own, look, column):
    ((theirs,),) = site.rows(f"SELECT {column} FROM workspaces WHERE id NOT IN ({own}) ORDER BY code DESC LIMIT 1")
    told = []
    for value in (theirs, "nobody-at-all"):
        seen = look(site, f"/email?{urlencode({**ALL_DAYS, 'workspace': value}, doseq=True)}", role="limited")
        settled(seen.page)
        told.append(said(seen.page).replace(value, "?").split())
    assert "workspace=?" in " ".join(told[0])
    assert told[0] == told[1]


def test_a_download_that_somebody_else_was_given_holds_ones_own_rows_alone(site, look, foreign):
    """The address names a question, not an answer."""
    theirs = look(site, f"/ads?{urlencode({**ALL_DAYS, 'show': 'Campaigns'}, doseq=True)}", role="viewer")
    settled(theirs.page)
    address = theirs.page.locator('a[href*="export/csv"]').first.evaluate("link => link.href")
    limited = look(site, "/account", role="limited")
    taken = {name: one.page.request.get(address).text() for name, one in (("viewer", theirs), ("limited", limited))}
    assert {name for name in foreign if name in taken["viewer"]}
    assert {name for name in foreign if name in taken["limited"]} == set()
    assert len(taken["viewer"].splitlines()) > len(taken["limited"].splitlines()) > 1
