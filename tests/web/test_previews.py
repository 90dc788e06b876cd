"""Previews of templates and components, now and in a version: harmless, in a frame, and for those who edit them."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from app import database
from app.web.preview import HEADERS
from db.tables.base import HOUSE_WORKSPACE
from tests.db.rows import add, template, workspace
from tests.web.conftest import sign_in, told

FIRST, SECOND = "<h1 onclick=f()>First</h1><script>f()</script>", "<h1>Second</h1><img src='https://x.example/y'>"


@pytest.fixture(scope="module")
def changed(installation):
    """A template and a component, each changed once."""
    with database.database_address(print) as address, database.setup_engine(address) as setup:
        with setup.begin() as owner:
            component = add(owner, "component_library", workspace_id=workspace(owner, name="Maker").id, name="Table",
                component_type="form", code=FIRST, is_public=True).id  # fmt: skip
            house = template(owner, HOUSE_WORKSPACE, html_content=FIRST, is_library=True).id
        with setup.begin() as owner:
            owner.execute(text("SELECT set_config('app.actor', 'Bob', true), set_config('app.reason', 'Dull', true)"))
            owner.execute(text("UPDATE component_library SET code = :html, name = 'Tables'"), {"html": SECOND})
            owner.execute(text("UPDATE templates SET html_content = :html"), {"html": SECOND})
    return {"component": component, "template": house}


@pytest.mark.parametrize("what", ["component", "template"])
def test_what_is_previewed_is_harmless_and_in_a_frame_that_allows_nothing(changed, inside, what):
    now = inside.get(f"/preview/{what}/{changed[what]}?revision=2")
    then = inside.get(f"/preview/{what}/{changed[what]}?version=1")
    assert "<h1>Second</h1><img>" in now.text
    assert "<h1>First</h1></body>" in then.text.replace("\n", "")
    for answer in (now, then):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_what_is_not_there_is_told_like_what_is_not_theirs(changed, inside):
    key = changed["component"]
    for address in (f"component/{uuid4()}", "component/x", f"component/{key}?version=7", f"component/{key}?version=x",
            f"template/{key}", f"poem/{key}"):  # fmt: skip
        answer = inside.get(f"/preview/{address}")
        assert (answer.status_code, answer.text) == (404, "You see nothing to preview at this address."), address


def test_who_edits_nothing_previews_nothing(changed, visit):
    browser = visit()
    sign_in(browser, "vic@team.example")
    for what, key in changed.items():
        assert browser.get(f"/preview/{what}/{key}").status_code == 403


def test_a_component_is_previewed_in_a_frame_and_shows_its_code(changed, opened):
    key = changed["component"]
    page = opened("edit_component", f"edit_component={key}")
    assert "in the library" in told(page)
    [frame] = page.get("iframe")
    assert f"/preview/component/{key}?revision=2" in frame.proto.src
    page = opened("edit_component", f"edit_component={key}&as=Code")
    assert not page.get("iframe")
    assert SECOND in [one.value for one in page.code]


def test_versions_of_a_component_stand_beside_what_it_says(changed, opened):
    page = opened("edit_component", f"edit_component={changed['component']}&show=Versions")
    [old] = [one for one in page.selectbox if one.label == "From"]
    assert old.options[0].startswith("Version 1, before “Dull”, ")
    assert old.options[0].endswith(" by Bob")
    differs = told(page)
    assert "<del>Table</del></td><td><ins>Tables</ins>" in differs
    assert "Category" not in differs
    assert "/preview/component/" in page.get("iframe")[0].proto.src


def test_a_component_that_is_not_there_is_told_so(opened):
    assert "You see no component by this address." in told(opened("edit_component", "edit_component=x"))


def test_the_library_is_narrowed_by_kind_and_by_where_components_are_offered(changed, opened):
    for query, is_listed in (
        ("component_type=Form&offered=Library", True),
        ("component_type=Form&offered=Nobody", False),
        ("component_type=Footer", False),
    ):
        page = told(opened("template_desk", f"show=Components&{query}"))
        assert (f"edit_component={changed['component']}" in page) == is_listed, query
    page = told(opened("template_desk", "show=Components&component_type=Poem&offered=Moon"))
    assert all(f"Not known here: {one}." in page for one in ("component_type=Poem", "offered=Moon"))
