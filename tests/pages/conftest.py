"""The pages of the smallest demo, run in this process without a browser: everything that they draw, in a second."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import serving
from app.identity.cookies import session_cookie
from app.settings import PROJECT, settings
from tests.browser.conftest import Site
from tests.homes import new_home
from tests.pages.oracles import FINANCE_ROLES, ROLES
from tests.pages.parsed import Parsed, parsed


@dataclass(frozen=True)
class Pages:
    """An installation whose pages are run here."""

    site: Site
    patch: pytest.MonkeyPatch

    def rows(self, question):
        return self.site.rows(question)

    def open(self, name: str, query: str, role: str = "admin") -> Parsed:
        """The page as this role sees it at this address."""
        return parsed(one.proto.body for one in self.run(name, query, role).get("html"))

    def run(self, name: str, query: str, role: str = "admin") -> AppTest:
        """The same, as Streamlit's own elements."""
        self.patch.setattr(type(st.context), "cookies", {session_cookie(): self.site.sign_in(role)["value"]})
        self.patch.setattr(type(st.context), "url", f"http://127.0.0.1/{name}")
        page = AppTest.from_file(PROJECT / "pages" / name, default_timeout=60)
        for parameter, values in parse_qs(query).items():
            page.query_params[parameter] = values
        page.run()
        assert not page.exception, page.exception
        return page


@pytest.fixture(scope="session")
def pages(demo_home) -> Iterator[Pages]:
    with new_home(demo_home) as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_HOME", str(home))
        patch.delenv("DATABASE_URL", raising=False)
        settings.cache_clear()
        site = Site(home, 0)
        # Oracles count what members may see, before or after they open a page.
        for role in (*ROLES, *FINANCE_ROLES):
            site.sign_in(role)
        yield Pages(site, patch)
        site.close()
        serving.close()
    settings.cache_clear()
