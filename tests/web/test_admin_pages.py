"""Pages of admins, run in this process on a database of defaults."""

from urllib.parse import parse_qs

import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from app import serving
from app.identity.cookies import session_cookie
from app.identity.sessions import Device, open_session
from app.settings import PROJECT


@pytest.fixture
def opened(installation, monkeypatch):
    """Open a page as Ada the admin at an address."""
    with serving.engines().rw.begin() as connection:
        ada = connection.scalar(text("SELECT id FROM team_members WHERE email = 'ada@team.example'"))
        token = open_session(connection, ada, "password", Device(), replaces=None)
    monkeypatch.setattr(type(st.context), "cookies", {session_cookie(): token})

    def page(name: str, query: str = "") -> AppTest:
        made = AppTest.from_file(PROJECT / "pages" / f"{name}.py", default_timeout=60)
        for parameter, values in parse_qs(query).items():
            made.query_params[parameter] = values
        made.run()
        assert not made.exception, made.exception
        return made

    return page


def told(page: AppTest) -> str:
    return "".join(one.proto.body for one in page.get("html"))


def test_a_setting_of_which_nobody_knows_the_meaning_is_shown_as_it_is(opened):
    with serving.engines().rw.begin() as connection:
        connection.execute(text("INSERT INTO settings (key, value) VALUES ('a_bare_one', '30'), ('many', '[1, 2]')"))
    page = told(opened("company_settings"))
    assert ">30</pre>" in page
    assert "[\n 1,\n 2\n]" in page
