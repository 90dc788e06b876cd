"""The real gate, routes and headers on a real database, around a room that answers where Streamlit would be."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs
from uuid import UUID

import pytest
import streamlit as st
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from streamlit.file_util import get_static_dir
from streamlit.testing.v1 import AppTest

from app import database, serving
from app.access import Role, operator
from app.commands.team import add_member
from app.commands.tokens import make_token
from app.identity.cookies import session_cookie
from app.identity.sessions import Device, open_session
from app.settings import PROJECT, settings
from app.web import api, site
from app.web.compressed import StaticFiles
from app.web.rates import Rates
from tests.servers import Server, new_database

FAREWELL, LOOK = b"load anew", ".sl { color: red; }"
PASSWORD = "four random canary words"
FILES = Path(get_static_dir())


async def room(scope, receive, send):
    """Where Streamlit is: whoever comes so far has passed the gate."""
    if scope["type"] == "websocket":
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.send_text("inside")
        await socket.close()
    elif scope["type"] == "http":
        await PlainTextResponse(f"inside: {scope['path']}")(scope, receive, send)


MADE: dict[str, UUID] = {}


def made_for(path, member_id):
    """Files are everybody's here, but those of which a test said whose they are."""
    return MADE.get(path, member_id) == member_id


async def broken(_):
    """A route that fails as nobody expected."""
    raise ZeroDivisionError("canary-of-an-error")


@pytest.fixture(scope="package")
def installation(server18: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """A database that DATABASE_URL names, made ready as `sightline up` does, with Ada the admin in its team."""
    with pytest.MonkeyPatch.context() as patch, new_database(server18) as fresh:
        patch.setenv("SIGHTLINE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("DATABASE_URL", server18.url(fresh.name))
        settings.cache_clear()
        # Whoever ran pages in this process before has left connections to an installation of theirs.
        serving.close()
        with database.database_address(print) as address, database.setup_engine(address) as setup:
            database.migrate(setup, print)
        for email, role in (("ada@team.example", Role.ADMIN), ("vic@team.example", Role.VIEWER)):
            by = operator(serving.engines().pipe, "test")
            add_member(serving.engines().rw, by, email=email, password=PASSWORD, roles=[role])
        yield patch
        serving.close()
    settings.cache_clear()


@pytest.fixture
def setting(installation, monkeypatch):
    """Set settings as a person does, for one test."""

    def change(**changed):
        for name, value in changed.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="session")
def built() -> Starlette:
    return Starlette(
        routes=[*site.ROUTES, Route("/media/broken", broken), Mount("/", room)],
        middleware=site.middleware(StaticFiles(FILES), look=LOOK, farewell=FAREWELL, is_made_for=made_for),
        exception_handlers=site.EXCEPTION_HANDLERS,
    )


@pytest.fixture
def visit(installation, built):
    """A browser: it keeps cookies, sends the headers of one, and follows no redirect by itself."""

    def browser(base="http://127.0.0.1:8501", **headers) -> TestClient:
        usual = {"accept": "text/html,*/*", "origin": base, "user-agent": "Mozilla/5.0 Firefox/140.0"}
        return TestClient(built, base_url=base, headers=usual | headers, follow_redirects=False)

    return browser


@pytest.fixture
def inside(visit):
    """A browser in which Ada is signed in."""
    browser = visit()
    assert sign_in(browser).status_code == 303
    return browser


def sign_in(browser, email="ada@team.example", password=PASSWORD, **more):
    return browser.post("/sign-in", data={"email": email, "password": password, **more})


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


@pytest.fixture
def token(installation):
    """A way to make tokens of people, of which nobody has more than they may."""
    with serving.engines().rw.begin() as connection:
        connection.execute(text("UPDATE api_tokens SET revoked_at = now() WHERE revoked_at IS NULL"))

    def made(email="ada@team.example", **more):
        by = operator(serving.engines().pipe, "a test")
        return make_token(serving.engines().rw, by, **{"name": "Nightly export", "days": 30, "email": email, **more})

    return made


@pytest.fixture
def program(visit, token, monkeypatch):
    """Someone who calls: with a token, and without what browsers send."""
    monkeypatch.setattr(api, "_STRANGERS", Rates(1000))

    def caller(email="ada@team.example", **more):
        client = visit(authorization=f"Bearer {token(email, **more).token}", accept="*/*")
        del client.headers["origin"]
        return client

    return caller


@pytest.fixture
def owner(installation, server18):
    """Who may do anything: tokens of the past are not made by the app."""
    engine = server18.engine(serving.engines().rw.url.database)
    yield engine
    engine.dispose()
