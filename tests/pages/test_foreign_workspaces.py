"""Who is limited to two workspaces walks through every view of every page, and meets nothing of the others."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.identity.cookies import session_cookie
from app.ui.menu import PAGES, Audience
from app.web import export
from app.web.gate import Gate
from tests.browser.every_view import VIEWS
from tests.pages.foreign import Foreign, sent_for

ALL_DAYS = {"period": "Custom", "days": ["2020-01-01", str(datetime.now(UTC).date())], "compare": "Off"}
ROLES = {Audience.TEAM: "limited", Audience.FINANCE: "limited-finance", Audience.ADMIN: "limited-admin"}
WALKED = [page for page in PAGES if page.audience in ROLES]
# Of each kind of thing one of these workspaces, by the name under which its page asks for it.
THINGS = {
    "campaign": ("campaign", "SELECT id FROM campaigns WHERE workspace_id IN ({of}) ORDER BY id DESC LIMIT 1"),
    "contact": ("contact", "SELECT id FROM contacts WHERE workspace_id IN ({of}) ORDER BY id LIMIT 1"),
    "template": ("template", "SELECT id FROM templates WHERE workspace_id IN ({of}) ORDER BY id LIMIT 1"),
    "edit_template": ("edit_template", "SELECT id FROM templates WHERE workspace_id IN ({of}) ORDER BY id LIMIT 1"),
    "invoice": ("invoice", "SELECT id FROM invoices WHERE workspace_id IN ({of}) ORDER BY id DESC LIMIT 1"),
    "credit_ledger": ("user", "SELECT user_id FROM credit_transactions WHERE workspace_id IN ({of}) LIMIT 1"),
    "customer": ("customer", "SELECT id FROM workspaces WHERE id IN ({of}) ORDER BY id LIMIT 1"),
    "plan": ("plan", "SELECT plan_id FROM subscriptions WHERE workspace_id IN ({of}) LIMIT 1"),
}
NEVER = "00000000-0000-4000-8000-000000000000"
REMARK, VIEW = "A remark of theirs alone", "A view of theirs alone"


@pytest.fixture(scope="module")
def own(pages):
    """The keys of the two workspaces, as a list for SQL."""
    for role in ROLES.values():
        pages.site.sign_in(role)
    ((keys,),) = pages.rows("SELECT workspace_ids FROM team_members WHERE email = 'limited@test.example'")
    assert len(keys) == 2
    return ", ".join(f"'{key}'" for key in keys)


@pytest.fixture(scope="module")
def others(pages, own):
    """The keys of all other customers, in the same form."""
    found = pages.rows(
        f"SELECT id FROM workspaces WHERE kind = 'customer' AND deleted_at IS NULL AND id NOT IN ({own})"
    )
    return ", ".join(f"'{key}'" for (key,) in found)


@pytest.fixture(scope="module")
def foreign(pages, own, others):
    """What others alone have, with a remark and a view that somebody of the team made of it.

    Without a browser, a page's address is its file.
    """
    site = pages.site
    site.change(
        f"""
        INSERT INTO annotations (team_member_id, workspace_id, starts_on, text)
        SELECT m.id, w.id, CURRENT_DATE - 3, '{REMARK}' FROM team_members AS m, workspaces AS w
        WHERE m.email = 'admin@test.example' AND w.id IN ({others}) ORDER BY w.id LIMIT 1
        """
    )
    site.change(
        f"""
        INSERT INTO saved_views (team_member_id, page, name, query, is_shared)
        SELECT m.id, 'overview.py', '{VIEW}', JSONB_BUILD_ARRAY(JSONB_BUILD_ARRAY('workspace', w.name)), TRUE
        FROM team_members AS m, workspaces AS w
        WHERE m.email = 'admin@test.example' AND w.id IN ({others})
            AND (SELECT COUNT(*) FROM workspaces AS s WHERE s.name = w.name) = 1
        ORDER BY w.id LIMIT 1
        """
    )
    ((house,),) = pages.rows("SELECT id FROM workspaces WHERE kind <> 'customer'")
    # The library of the house is everybody's.
    found = Foreign(pages.rows, f"{own}, '{house}'")
    assert len(found) > 10_000
    yield found
    site.change(f"DELETE FROM annotations WHERE text = '{REMARK}'")
    site.change(f"DELETE FROM saved_views WHERE name = '{VIEW}'")


@pytest.fixture(scope="module")
def download(pages):
    """A file as this role is given it, through the gate."""
    site = Starlette(routes=export.ROUTES, middleware=[Middleware(Gate, farewell=b"")])

    def get(address, role):
        cookie = {session_cookie(): pages.site.sign_in(role)["value"]}
        return TestClient(site, base_url="http://127.0.0.1", cookies=cookie).get(f"/{address}")

    return get


def query_of(page, view, thing=None):
    named = {THINGS[page.name][0]: thing} if thing else {}
    return urlencode({**ALL_DAYS, **named, **({"show": view} if view else {})}, doseq=True)


def thing_of(pages, page, workspaces):
    if page.name not in THINGS:
        return None
    ((key,),) = pages.rows(THINGS[page.name][1].format(of=workspaces))
    return str(key)


def files_of(sent):
    """The addresses of all that a page offers to download."""
    return set(re.findall(r"export/csv\?[^\"'\\\s]+", unescape(sent)))


@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.name)
def test_no_view_and_no_download_names_anything_of_others(pages, own, foreign, download, page):
    role, thing = ROLES[page.audience], thing_of(pages, page, own)
    met, files = {}, set()
    for view in VIEWS[page.name]:
        sent = sent_for(pages.run(page.file.name, query_of(page, view, thing), role))
        assert len(sent) > 200, view
        met[view] = foreign.found_in(sent)
        files |= files_of(sent)
    for address in files:
        file = download(address, role)
        assert file.status_code == 200, (address, file.text)
        met[address] = foreign.found_in(file.text)
    assert {where: found for where, found in met.items() if found} == {}


@pytest.mark.parametrize("name", ["overview", "campaigns", "jobs"])
def test_the_same_walk_does_meet_what_others_have_for_who_may_see_it(pages, foreign, download, name):
    """Or the walk would prove nothing."""
    (page,) = (page for page in WALKED if page.name == name)
    sent = sent_for(pages.run(page.file.name, query_of(page, VIEWS[name][0]), "admin"))
    found = foreign.found_in(sent)
    assert found
    assert name != "overview" or REMARK in found
    assert any(foreign.found_in(download(address, "admin").text) for address in files_of(sent))


@pytest.mark.parametrize(("drawer", "made"), [("Remarks", REMARK), ("Saved views", VIEW)])
def test_what_the_team_keeps_of_others_is_listed_for_who_may_see_it_alone(pages, foreign, drawer, made):
    for role, is_listed in (("admin", True), ("limited", False)):
        page = pages.run("overview.py", "", role)
        page.get("menu_button")[0].set_value(drawer).run()
        assert not page.exception
        assert (made in sent_for(page)) is is_listed


@pytest.mark.parametrize("name", sorted(THINGS.keys() - {"plan"}))
def test_a_thing_of_others_is_as_unknown_as_one_that_never_was(pages, own, others, foreign, name):
    (page,) = (page for page in WALKED if page.name == name)
    theirs = thing_of(pages, page, others)
    told = []
    for key in (theirs, NEVER):
        seen = pages.run(page.file.name, query_of(page, "", key), ROLES[page.audience])
        sent = sent_for(seen)
        assert foreign.found_in(sent.replace(key, "")) == set()
        told.append(_lasting(seen, key))
    assert told[0] == told[1]
    assert "You see no" in told[0]


@pytest.mark.parametrize(
    ("name", "column"), [("email", "name"), ("email", "slug"), ("ai_cost", "name"), ("jobs", "name")]
)
def test_a_filter_on_another_workspace_is_as_unknown_as_one_that_never_was(pages, others, name, column):
    (page,) = (page for page in WALKED if page.name == name)
    ((theirs,),) = pages.rows(f"SELECT {column} FROM workspaces WHERE id IN ({others}) ORDER BY code DESC LIMIT 1")
    told = []
    for value in (theirs, "nobody-at-all"):
        query = f"{query_of(page, VIEWS[name][0])}&{urlencode({'workspace': value})}"
        told.append(_lasting(pages.run(page.file.name, query, ROLES[page.audience]), value))
    assert "workspace=?" in told[0]
    assert told[0] == told[1]


def test_a_download_that_somebody_else_was_given_holds_ones_own_rows_alone(pages, foreign, download):
    """The address names a question, not an answer."""
    (ads,) = (page for page in WALKED if page.name == "ads")
    taken = {}
    for address in files_of(sent_for(pages.run(ads.file.name, query_of(ads, "Campaigns"), "viewer"))):
        theirs, mine = download(address, "viewer").text, download(address, "limited").text
        assert foreign.found_in(mine) == set()
        taken[address] = foreign.found_in(theirs) and len(theirs.splitlines()) > len(mine.splitlines()) > 1
    assert any(taken.values())


def _lasting(page, given):
    """All that a page says, but for what was given and for how long ago its figures came."""
    bodies = " ".join(one.proto.body for one in page.get("html")).replace(given, "?")
    return re.sub(r"Data through [^<]*", "", bodies)
