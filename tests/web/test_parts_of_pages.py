"""A part of a page that runs again by itself asks who is here: what was taken away is gone at the next click."""

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from app import database, serving
from app.identity.cookies import session_cookie
from app.identity.sessions import Device, open_session
from tests.db.rows import workspace

HERE = "vic@team.example"


def part():
    """The page runs first; then something happens; then its part runs alone, as Streamlit runs a fragment."""
    import streamlit as st  # noqa: PLC0415 - the script of a page of its own
    from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx  # noqa: PLC0415

    from app import serving  # noqa: PLC0415
    from app.ui.people import signed_in, still_here  # noqa: PLC0415

    runs = st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    viewer = signed_in().viewer(serving.engines().pipe)
    st.text(f"page {runs}")
    if runs == 1:
        with serving.engines().rw.begin() as connection:
            for change in st.session_state["changes"]:
                connection.exec_driver_sql(change)
        get_script_run_ctx().fragment_ids_this_run = ["a fragment"]
        still_here(viewer)
        st.text("the part")


@pytest.fixture
def signed(installation, monkeypatch):
    """Vic is signed in, and sees the one workspace that there is."""
    with database.database_address(print) as address, database.setup_engine(address) as setup, setup.begin() as owner:
        workspace(owner)
    with serving.engines().rw.begin() as connection:
        member = connection.execute(
            text("UPDATE team_members SET roles = '{viewer}', workspace_ids = NULL WHERE email = :email RETURNING id"),
            {"email": HERE},
        ).scalar_one()
        token = open_session(connection, member, "password", Device(), replaces=None)
    monkeypatch.setattr(type(st.context), "cookies", {session_cookie(): token})


def run(*changes):
    page = AppTest.from_function(part, default_timeout=30)
    page.session_state["changes"] = changes
    page.run()
    assert not page.exception
    return [one.value for one in page.text]


def test_a_part_is_drawn_for_whoever_is_still_here(signed):
    assert run() == ["page 1", "the part"]


def test_whose_role_was_changed_gets_the_page_anew(signed):
    assert run("UPDATE team_members SET roles = '{finance}' WHERE email = 'vic@team.example'") == ["page 2"]


def test_from_whom_a_workspace_was_taken_gets_the_page_anew(signed):
    assert run("UPDATE team_members SET workspace_ids = '{}' WHERE email = 'vic@team.example'") == ["page 2"]


def test_whose_session_was_ended_gets_no_part(signed):
    assert run("UPDATE team_sessions SET revoked_at = now()") == ["page 1"]
