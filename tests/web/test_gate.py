"""Nothing is open but signing in, health and Streamlit's own files; and what is open says nothing."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from starlette.websockets import WebSocketDisconnect

from app import serving
from app.identity.returning import sign_in_address
from tests.web.conftest import FAREWELL, FILES, MADE, sign_in

STREAM = "ws://127.0.0.1:8501/_stcore/stream"
ASSET = next(f"/static/js/{path.name}" for path in (FILES / "static" / "js").glob("index.*.js"))


@pytest.mark.parametrize("address", ["/", "/email", "/email?period=7d&product=mailer", "/made-up", "/a/x?next=//evil"])
def test_a_stranger_who_asks_for_a_page_is_sent_to_sign_in_and_back(visit, address):
    answer = visit().get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, sign_in_address(address))


@pytest.mark.parametrize(
    "path",
    [
        "/media/3f786850e387550fdab836ed7e6dc881de23001b.csv", "/_stcore/upload_file/a/b", "/component/x/index.html",
        "/_stcore/bidi-components/x.js", "/export", "/export/csv?metric=clicks", "/_stcore/made-up",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_what_could_hold_data_is_refused_to_strangers(visit, path, method):
    answer = visit().request(method, path)
    assert answer.status_code == 401
    assert "inside" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/mcp", "/auth/login", "/oauth2callback"],
)
def test_what_is_not_in_use_is_closed_to_everyone(inside, visit, path):
    assert visit().get(path).status_code == 404
    assert inside.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/paper.css", "/sign-in/icon.svg", "/health", ASSET])
def test_what_a_stranger_needs_is_open(visit, path):
    assert visit().get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../media/x",
        "/static/%2e%2e/media/x",
        "/sign-in/../media/x",
        "//media/x",
        "/Media/x",
        "/health/x",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_gate(visit, path):
    """What passes as a path below an open one must not be a closed one to the routes; here the room would answer."""
    answer = visit(accept="*/*").get(path)
    assert answer.status_code in {400, 401, 404} or answer.text == f"inside: {path.replace('%2e', '.')}"
    assert not answer.text.startswith("inside: /media")


def test_who_is_signed_in_gets_in(inside):
    assert inside.get("/media/x.csv").text == "inside: /media/x.csv"
    assert "Sightline" in inside.get("/email").text


def test_a_file_that_a_page_made_for_somebody_else_is_not_there(inside, monkeypatch):
    monkeypatch.setitem(MADE, "/media/theirs.csv", uuid4())
    assert inside.get("/media/theirs.csv").status_code == 404
    assert inside.get("/media/mine.csv").text == "inside: /media/mine.csv"


def test_a_socket_needs_a_session(inside, visit):
    with inside.websocket_connect(STREAM) as socket:
        assert socket.receive_text() == "inside"
    with visit().websocket_connect(STREAM) as socket:
        assert is_sent_away(socket)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8501", ""]
)
def test_a_socket_is_for_pages_of_this_site(inside, origin):
    with (
        pytest.raises(WebSocketDisconnect) as refusal,
        inside.websocket_connect(STREAM, headers={"origin": origin}),
    ):
        pass
    assert refusal.value.code == 1008


def test_a_socket_is_for_known_hosts(inside):
    with pytest.raises(WebSocketDisconnect), inside.websocket_connect(STREAM, headers={"host": "evil.example"}):
        pass


def is_sent_away(socket):
    """Told to load the page anew, and let go without another word."""
    assert socket.receive_bytes() == FAREWELL
    end = socket.receive()
    return (end["type"], end["code"]) == ("websocket.close", 1008)


def test_a_socket_without_an_origin_is_refused(inside):
    del inside.headers["origin"]
    with pytest.raises(WebSocketDisconnect), inside.websocket_connect(STREAM):
        pass


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_site_changes_nothing_in_a_persons_name(inside, method):
    answer = inside.request(method, "/_stcore/upload_file/a/b", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::1"])
def test_a_strangers_name_that_leads_here_is_refused(visit, host):
    assert visit().get("/sign-in", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("blow", ["is_active = false", "session_version = session_version + 1"])
def test_who_is_shut_out_stands_outside_at_the_next_request(inside, installation, blow):
    assert inside.get("/media/x").status_code == 200
    with serving.engines().rw.begin() as connection:
        connection.execute(text(f"UPDATE team_members SET {blow} WHERE email = 'ada@team.example'"))
    try:
        assert inside.get("/media/x").status_code == 401
        assert inside.get("/email").status_code == 303
        with inside.websocket_connect(STREAM) as socket:
            assert is_sent_away(socket)
    finally:
        with serving.engines().rw.begin() as connection:
            connection.execute(text("UPDATE team_members SET is_active = true WHERE email = 'ada@team.example'"))


def test_a_cookie_that_is_no_session_opens_nothing(visit):
    for value in ("x", "' OR 1=1", "%00", "x" * 3000):
        browser = visit(cookie=f"sightline_8501={value}")
        assert browser.get("/media/x").status_code == 401


def test_the_first_page_has_one_address(inside):
    answer = inside.get("/overview?period=7d")
    assert (answer.status_code, answer.headers["location"]) == (307, "/?period=7d")


def test_a_signed_in_person_has_no_use_for_the_form(inside):
    answer = inside.get("/sign-in?next=/email?period=7d")
    assert (answer.status_code, answer.headers["location"]) == (303, "/email?period=7d")
    assert sign_in(inside, "vic@team.example").status_code == 303
