"""Admins edit templates: hostile ones do nothing, two editors lose nothing, and many change together and back."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from app.web.preview import HEADERS
from db.tables.base import HOUSE_WORKSPACE
from tests.ai.server import model_server, whole
from tests.browser.conftest import served
from tests.db import rows
from tests.pages.looking import done, settled, table
from tests.web.hostile import CORPUS

SUBJECT = "A subject of it"
HTML = "<p>one</p>\n<p>two</p>\n<p>three</p>\n<p>four</p>"
WRITTEN = {"subject": "Written by a model", "html_content": "<p>Come in.</p>", "text_content": "Come in."}


@contextmanager
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that waits to be called by what should call nobody; what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_GET = do_POST = do_HEAD = do_OPTIONS = answer  # noqa: N815 - as the library calls them

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def desk(browser, demo_home):
    """A site of its own, whose models are played by a server on this machine; and that server."""
    with model_server() as models, ExitStack() as stack:
        # For this site alone: another that starts later has no key.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_API_KEY", "a key of a test")
            patch.setenv("OPENAI_BASE_URL", models.url)
            patch.setenv("SIGHTLINE_AI_UNPRICED_CEILING", "1")
            running = stack.enter_context(served(demo_home))
        yield running, models


@pytest.fixture
def template(desk):
    """Make a template of the library; its key."""
    site, _ = desk

    def make(name="Of a test", html=HTML, status="draft"):
        values = {"name": name, "subject": SUBJECT, "html_content": html, "status": status, "is_library": True}
        with site.changing() as connection:
            return rows.template(connection, HOUSE_WORKSPACE, **values).id

    return make


@pytest.fixture
def bakery(desk):
    """A workspace whose plan has ten generations; its name."""
    site, _ = desk
    with site.changing() as connection:
        owner = rows.user(connection).id
        home = rows.workspace(connection, owner_id=owner, name="Zebra Bakery").id
        bought = rows.plan(connection, product="email_studio", tier="creator", price=19, status="published",
            published_at=rows.NOON)  # fmt: skip
        rows.add(connection, "plan_limits", plan_id=bought.id, meter="generations", amount=10)
        rows.subscription(connection, home, owner, plan=bought, product="email_studio", tier="creator")
    return "Zebra Bakery"


@pytest.fixture
def opened(desk, look):
    """The page of a template, or the desk, as somebody sees it."""
    site, _ = desk

    def open_page(key=None, role="admin", **query):
        path = (
            f"/edit_template?{urlencode({'edit_template': key, **query})}"
            if key
            else f"/template_desk?{urlencode(query)}"
        )
        page = look(site, path, role=role).page
        settled(page)
        return page

    return open_page


def now(site, key, columns="subject, html_content, status, current_version"):
    [row] = site.rows(f"SELECT {columns} FROM templates WHERE id = '{key}'")
    return tuple(row)


def dialog(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible(timeout=30_000)
    return found


def edit(page):
    page.get_by_role("button", name="Edit", exact=True).click()
    return dialog(page)


def undo(page):
    page.get_by_role("button", name="Undo").click()
    done(page, "It is as it was before.")


def choose(page, button, what):
    page.get_by_role("button", name=button).click()
    page.get_by_role("menuitem", name=what, exact=True).or_(page.get_by_role("option", name=what, exact=True)).click()
    return dialog(page)


def shown_in_a_frame(page, address):
    """Let a frame show it, as a page does, and wait until it did."""
    page.evaluate(
        """address => new Promise(done => {
            document.body.replaceChildren()
            const frame = document.createElement('iframe')
            frame.onload = () => done()
            frame.src = address
            document.body.append(frame)
        })""",
        address,
    )
    return page.frames[-1]


def as_it_came(html):
    """A preview that would write nothing anew, and only sends its policy with it."""

    def answer(route):
        route.fulfill(body=html, headers={"content-type": "text/html; charset=utf-8", **HEADERS})

    return answer


@pytest.mark.parametrize("way", ["as the preview writes it", "as it came"])
def test_nothing_of_a_hostile_template_runs_loads_sends_or_leads_away(desk, look, template, way):
    """Once through all of it, and once with the frame's policy alone: each would do without the other."""
    site, _ = desk
    seen = look(site, "/health")
    page, here = seen.page, f"{site.url}/health"
    with canary() as (address, asked):
        for name, piece in CORPUS.items():
            hostile = piece(address)
            key = template(name, hostile) if way == "as the preview writes it" else name
            shown = f"{site.url}/preview/template/{key}"
            if way == "as it came":
                page.route(shown, as_it_came(hostile))
            requests: list[str] = []
            page.on("request", lambda request, told=requests: told.append(request.url))
            frame = shown_in_a_frame(page, shown)
            if way == "as the preview writes it":
                # Whatever can be pressed is pressed, with the mouse and with the keyboard.
                for one in frame.locator("a, button, #go, summary").all():
                    one.dispatch_event("click")
                    one.press("Enter")
                assert set(requests) <= {shown}, name
                assert frame.locator("script, iframe, object, form, link, [href], [srcset]").count() == 0, name
            assert (page.url, len(page.context.pages), asked) == (here, 1, []), name
        # The canary is heard where something does call it.
        assert page.request.get(f"{address}/heard").status == 204
        assert asked == ["/heard"]


def test_a_template_is_seen_as_on_a_desk_on_a_telephone_and_as_text(opened, template):
    key = template(html="<h1 style='color:red'>Fresh bread</h1><script>document.title = 'x'</script>")
    page = opened(key)
    frame = page.frame_locator('iframe[src*="/preview/template/"]')
    expect(frame.get_by_role("heading", name="Fresh bread")).to_have_css("color", "rgb(255, 0, 0)")
    expect(page.get_by_text("None is found: the law of most countries asks for one.")).to_be_visible()
    page.get_by_text("Telephone", exact=True).click()
    settled(page)
    assert page.locator('iframe[src*="/preview/template/"]').bounding_box()["width"] == 375
    page.get_by_text("Plain text", exact=True).first.click()
    expect(page.locator('iframe[src*="/preview/template/"]')).to_have_count(0)


def test_previews_are_for_who_edits_alone(desk, look, template):
    site, _ = desk
    [(foreign,)] = site.rows(
        "SELECT t.id FROM templates AS t WHERE NOT t.is_library AND t.workspace_id NOT IN"
        " (SELECT workspace_id FROM campaigns GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 2) ORDER BY 1 LIMIT 1"
    )
    key = template()
    for role, asked, status in (("admin", key, 200), ("viewer", key, 403), ("finance", key, 403), ("admin", "x", 404),
            ("admin", uuid4(), 404), ("limited-admin", foreign, 404), (None, key, 401)):  # fmt: skip
        request = look(site, "/health", role=role).page.request
        answer = request.get(f"{site.url}/preview/template/{asked}", max_redirects=0)
        assert answer.status == status, (role, asked)
    page = look(site, "/template_desk", role="finance").page
    expect(page.get_by_text("does not open this page")).to_be_visible(timeout=30_000)


def test_who_is_limited_sees_only_theirs_and_does_not_change_the_library(desk, opened, template):
    site, _ = desk
    key = template("The library's own")
    page = opened(role="limited-admin")
    mine = {name for (name,) in site.rows(
        "SELECT name FROM workspaces WHERE id IN (SELECT UNNEST(workspace_ids) FROM team_members"
        " WHERE email = 'limited-admin@test.example')"
    )}  # fmt: skip
    owners = page.locator(".st-key-card-templates tbody tr td:nth-child(2)").all_inner_texts()
    assert set(owners) <= mine | {"Sightline library"}
    page = opened(key, role="limited-admin")
    form = edit(page)
    form.get_by_label("Subject", exact=True).fill("Mine now")
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("belongs to the library")
    assert now(site, key)[0] == SUBJECT


def test_two_admins_edit_one_template_and_save_both_edits_together(desk, opened, template):
    site, _ = desk
    key = template("Edited twice")
    ada, bob = opened(key), opened(key)
    of_ada, of_bob = edit(ada), edit(bob)
    of_bob.get_by_label("HTML", exact=True).fill(HTML.replace("one", "1"))
    of_bob.get_by_label("Why?", exact=True).fill("Figures.")
    of_bob.get_by_role("button", name="Save", exact=True).click()
    done(bob, "Edited twice was changed.")
    of_ada.get_by_label("Subject", exact=True).fill("Two of us")
    of_ada.get_by_label("HTML", exact=True).fill(HTML.replace("four", "4"))
    of_ada.get_by_role("button", name="Save", exact=True).click()
    refusal = of_ada.get_by_role("alert")
    expect(refusal).to_contain_text("Somebody changed the template Edited twice while you were writing.")
    expect(refusal.get_by_role("row", name="HTML")).to_contain_text("<p>1</p>")
    expect(refusal.get_by_role("row", name="HTML")).to_contain_text("<p>4</p>")
    assert now(site, key)[:2] == (SUBJECT, HTML.replace("one", "1"))
    of_ada.get_by_role("button", name="Save both together").click()
    done(ada, "Edited twice was changed.")
    assert now(site, key)[:2] == ("Two of us", HTML.replace("one", "1").replace("four", "4"))
    undo(ada)
    assert now(site, key)[:2] == (SUBJECT, HTML.replace("one", "1"))
    told = site.rows(f"SELECT reason FROM audit_log WHERE row_key = '{key}' AND action = 'update' ORDER BY position")
    assert [reason for (reason,) in told] == ["Figures.", None, "Taken back."]


def test_two_admins_edit_one_component_and_neither_overwrites_the_other(desk, opened):
    """The same line of it: nothing is saved together, both versions are shown, and who was first stays."""
    site, _ = desk
    with site.changing() as connection:
        home = rows.workspace(connection, name="Yak Goods").id
        key = rows.add(connection, "component_library", workspace_id=home, name="Yak table", component_type="form",
            code=HTML).id  # fmt: skip
    ada, bob = opened(show="Components", words="yak"), opened(show="Components", words="yak")
    for page in (ada, bob):
        page.get_by_role("link", name="Yak table").click()
        expect(page.get_by_role("heading", name="Yak table", level=1)).to_be_visible()
        settled(page)
    of_ada, of_bob = edit(ada), edit(bob)
    of_bob.get_by_label("Code", exact=True).fill(HTML.replace("one", "1"))
    of_bob.get_by_role("button", name="Save", exact=True).click()
    done(bob, "Yak table was changed.")
    of_ada.get_by_label("Code", exact=True).fill(HTML.replace("one", "eins"))
    of_ada.get_by_role("button", name="Save", exact=True).click()
    refusal = of_ada.get_by_role("alert")
    expect(refusal).to_contain_text("Somebody changed the component Yak table while you were writing.")
    expect(refusal.get_by_role("row", name="Code")).to_contain_text("<p>1</p>")
    expect(refusal.get_by_role("row", name="Code")).to_contain_text("<p>eins</p>")
    expect(of_ada.get_by_role("button", name="Save both together")).to_have_count(0)
    code = f"SELECT code FROM component_library WHERE id = '{key}'"
    assert site.rows(code) == [(HTML.replace("one", "1"),)]
    bob.get_by_text("Versions", exact=True).click()
    settled(bob)
    bob.get_by_role("button", name="Roll back to version 1").click()
    asked = dialog(bob)
    asked.get_by_label("Why?", exact=True).fill("The words were better.")
    asked.get_by_role("button", name="Roll back", exact=True).click()
    done(bob, "Yak table says what version 1 said")
    assert site.rows(code) == [(HTML,)]


def test_two_admins_rename_one_shelf_and_neither_overwrites_the_other(desk, opened):
    site, _ = desk
    with site.changing() as connection:
        key = rows.add(connection, "categories", workspace_id=HOUSE_WORKSPACE, name="Zest", display_order=99).id
    ada, bob = opened(show="Shelves"), opened(show="Shelves")
    forms = []
    for page in (ada, bob):
        page.get_by_label("Shelf", exact=True).click()
        page.keyboard.type("Zest")
        page.get_by_role("option", name="Zest").click()
        settled(page)
        forms.append(choose(page, "Change …", "Rename"))
    of_ada, of_bob = forms
    of_bob.get_by_label("Name", exact=True).fill("Lemon")
    of_bob.get_by_role("button", name="Save", exact=True).click()
    done(bob, "Zest is called Lemon.")
    of_ada.get_by_label("Name", exact=True).fill("Lime")
    of_ada.get_by_role("button", name="Save", exact=True).click()
    refusal = of_ada.get_by_role("alert")
    expect(refusal).to_contain_text("Somebody changed the shelf Lemon while you were writing.")
    for told in ("Zest", "Lemon", "Lime"):
        expect(refusal.get_by_role("row", name="Name")).to_contain_text(told)
    assert site.rows(f"SELECT name FROM categories WHERE id = '{key}'") == [("Lemon",)]


def test_a_shelf_that_was_made_is_retired_again_by_its_undo(desk, opened):
    site, _ = desk
    page = opened(show="Shelves")
    page.get_by_role("button", name="New shelf").click()
    form = dialog(page)
    form.get_by_label("Name", exact=True).fill("Quince")
    form.get_by_role("button", name="Make it").click()
    done(page, "The shelf is there.")
    page.get_by_role("button", name="Undo").click()
    done(page, "It is retired again.")
    assert site.rows("SELECT is_active FROM categories WHERE name = 'Quince'") == [(False,)]


def test_many_are_changed_with_their_number_said_first_and_taken_back_at_once(desk, opened, template):
    site, _ = desk
    keys = [template(f"Quokka {number}", status="published") for number in range(3)]
    page = opened(words="quokka")
    page.get_by_role("button", name="Choose all here").click()
    settled(page)
    asked = choose(page, "Change 3 …", "Retire")
    expect(asked.get_by_role("heading", name="Retire 3 templates")).to_be_visible()
    asked.get_by_role("button", name="Retire 3 templates").click()
    expect(asked.get_by_role("alert")).to_contain_text("This is done for a reason.")
    asked.get_by_label("Why?", exact=True).fill("The season is over.")
    asked.get_by_role("button", name="Retire 3 templates").click()
    done(page, "3 templates are retired.")
    assert {now(site, key)[2] for key in keys} == {"retired"}
    assert {row["Status"] for row in table(page, "templates").values()} == {"Retired"}
    undo(page)
    assert {now(site, key)[2] for key in keys} == {"published"}


def test_versions_are_shown_side_by_side_and_rolled_back(desk, opened, template):
    site, _ = desk
    key = template("Changed once")
    with site.changing() as connection:
        connection.execute(text("UPDATE templates SET html_content = :html WHERE id = :key"),
            {"html": HTML.replace("two", "2"), "key": key})  # fmt: skip
    page = opened(key, show="Versions")
    card = page.locator(".st-key-card-what-differs")
    expect(card.locator("del")).to_have_text("<p>two</p>")
    expect(card.locator("ins")).to_have_text("<p>2</p>")
    page.get_by_role("button", name="Roll back to version 1").click()
    asked = dialog(page)
    asked.get_by_label("Why?", exact=True).fill("The words were better.")
    asked.get_by_role("button", name="Roll back", exact=True).click()
    done(page, "says what version 1 said")
    assert now(site, key)[1::2] == (HTML, 3)
    undo(page)
    assert now(site, key)[1::2] == (HTML.replace("two", "2"), 4)


def test_a_template_is_deleted_and_restored(desk, opened, template):
    site, _ = desk
    key = template("Wombat of a test")
    page = opened(key)
    asked = choose(page, "More to do", "Delete")
    asked.get_by_label("Why?", exact=True).fill("Made twice.")
    asked.get_by_role("button", name="Delete 1 template").click()
    done(page, "Wombat of a test is deleted.")
    page = opened(show="Deleted")
    page.get_by_label("Chosen", exact=True).click()
    page.get_by_role("option", name="Wombat of a test").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Restore").click()
    done(page, "Wombat of a test is back.")
    assert now(site, key, "deleted_at") == (None,)


def test_a_model_drafts_and_what_it_wrote_is_seen_before_it_is_kept(desk, opened, bakery):
    site, models = desk
    models.steps[:] = [whole("Sorry."), whole(json.dumps(WRITTEN))]
    page = opened()
    page.get_by_role("button", name="Draft with AI").click()
    form = dialog(page)
    wish = form.get_by_label("What should it say?", exact=True)
    form.get_by_role("button", name="Ask").click()
    expect(form.get_by_role("alert")).to_contain_text("It was not said what to write.")
    form.get_by_label("Counted in the quota of", exact=True).click()
    page.keyboard.type(bakery)
    page.get_by_role("option", name=bakery, exact=True).click()
    for told in ("What the model wrote is no template.", "Nothing is saved yet."):
        wish.fill("A welcome to new bakers")
        form.get_by_role("button", name="Ask").click()
        expect(form.get_by_text(told)).to_be_visible()
    expect(form.locator("ins").filter(has_text="<p>Come in.</p>")).to_be_visible()
    form.get_by_label("Name", exact=True).fill("Written for a test")
    form.get_by_role("button", name="Keep it as a draft").click()
    done(page, "The template is there, as a draft.")
    [row] = site.rows("SELECT subject, status, is_library FROM templates WHERE name = 'Written for a test'")
    assert tuple(row) == ("Written by a model", "draft", True)


def test_without_a_key_drafting_is_off_in_a_sentence(site, look):
    page = look(site, "/template_desk").page
    settled(page)
    page.get_by_role("button", name="Draft with AI").click()
    expect(dialog(page).get_by_role("status")).to_contain_text("OPENAI_API_KEY is not set")
