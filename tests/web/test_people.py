"""A page asks who is here: the refusal names whom to ask, and the menu is made of what the person may open."""

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from app import serving
from app.access import PERMISSIONS, Permission, Role, Viewer
from app.settings import PROJECT
from app.ui.menu import PAGES, Audience


def refused():
    from app.access import Role, Viewer  # noqa: PLC0415 - the script of a page of its own
    from app.ui.people import refuse  # noqa: PLC0415

    refuse(Viewer("vic@team.example", frozenset({Role.VIEWER}), frozenset()))


def test_a_refusal_is_a_sentence_that_names_whom_to_ask(installation):
    page = AppTest.from_function(refused, default_timeout=30).run()
    assert not page.exception
    [warning] = page.warning
    assert "You are here as vic@team.example, and your role (viewer) does not open this page." in warning.value
    # Other tests of the same installation may have added admins of theirs.
    with serving.engines().rw.connect() as connection:
        admins = connection.scalars(text("SELECT email FROM team_members WHERE 'admin' = ANY(roles) AND is_active"))
        whom = sorted(admins)[:3]
    assert "ada@team.example" in whom
    assert page.text[0].value == f"Ask {' or '.join(whom)} for the role that does."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_of_the_menu_is_there_and_opens_to_an_admin(page):
    assert page.file.exists()
    assert page.opens_to(Viewer("Ada", frozenset({Role.ADMIN}), frozenset()))


def test_every_file_of_a_page_is_in_the_menu_once():
    assert sorted(page.file for page in PAGES) == sorted((PROJECT / "pages").glob("*.py"))


@pytest.mark.parametrize("role", Role)
def test_what_a_person_sees_in_the_menu_is_what_their_role_permits(role):
    viewer = Viewer("Vic", frozenset({role}), frozenset())
    for page in PAGES:
        assert page.opens_to(viewer) == (page.permission is None or page.permission in PERMISSIONS[role])


def test_pages_for_the_team_open_to_everyone_in_it():
    viewer = Viewer("Vic", frozenset({Role.VIEWER}), frozenset())
    assert all(page.opens_to(viewer) for page in PAGES if page.audience is Audience.TEAM)
    assert not viewer.may(Permission.TEAM_MANAGE)
