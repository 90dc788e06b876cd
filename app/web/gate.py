"""The gate: everything but signing in, health, the API and Streamlit's own files needs a session."""

import anyio.to_thread
from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import serving
from app.identity.returning import SIGN_IN, SIGN_OUT, sign_in_address
from app.identity.sessions import person_of
from app.web.lost import database_lost
from app.web.visitor import API, comes_from_here, is_known_host, token_of
from db.engine import is_lost

# Streamlit's bundles hold nothing of ours; its client asks for the last two before it reconnects.
_OPEN = {SIGN_IN, SIGN_OUT, "/health", "/metrics", "/favicon.png", "/_stcore/health", "/_stcore/host-config"}
_OPEN_BELOW = (f"{SIGN_IN}/", "/static/")
# Streamlit's own counters, its interface for programs, and its own way to sign in: not in use here.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check", "/auth/", "/oauth2callback")
# What is asked for by pages, not by people.
_NO_PAGES = ("/_stcore/", "/media/", "/component/", "/export", "/preview/")
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Gate:
    """ASGI middleware before all routes, Streamlit's and ours."""

    def __init__(self, app: ASGIApp, farewell: bytes) -> None:
        self.app = app
        self._farewell = farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        visit = HTTPConnection(scope)
        strange = _out_of_place(visit)
        refusal = strange or await _refusal(visit)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        elif strange:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._send_away(scope, send)

    async def _send_away(self, scope: Scope, send: Send) -> None:
        """A page that was left open overnight asks for its socket again: it is told to load anew, and nothing else.

        Without a word it would try for ever, and the person would look at an empty page.
        """
        await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
        await send({"type": "websocket.send", "bytes": self._farewell})
        await send({"type": "websocket.close", "code": 1008, "reason": "Sign in first."})


async def _refusal(visit: HTTPConnection) -> Response | None:
    """Why the request goes no further; None lets it through, with the person in its state."""
    if _is_open(visit):
        return None
    try:
        person = await anyio.to_thread.run_sync(lambda: person_of(serving.engines().rw, token_of(visit)))
    except OperationalError as error:
        if not is_lost(error):
            raise
        return database_lost(visit.scope) if _is_navigation(visit) else _no_answer()
    if person is None:
        return _sign_in_first(visit)
    visit.scope.setdefault("state", {})["person"] = person
    return None


def _out_of_place(visit: HTTPConnection) -> Response | None:
    """What nobody may ask, signed in or not."""
    # As the routes match it: decoded.
    path: str = visit.scope["path"]
    if not is_known_host(visit):
        return PlainTextResponse("This host is not known here.", 400)
    if path.startswith(_CLOSED):
        return PlainTextResponse("Nothing is here.", 404)
    if _is_of_api(visit):
        return None
    # A socket has no method: it changes things too.
    if visit.scope.get("method") not in _SAFE and not comes_from_here(visit):
        return PlainTextResponse("This was asked for by another site.", 403)
    return None


def _is_open(visit: HTTPConnection) -> bool:
    path: str = visit.scope["path"]
    return _is_of_api(visit) or (visit.scope["type"] == "http" and (path in _OPEN or path.startswith(_OPEN_BELOW)))


def _is_of_api(visit: HTTPConnection) -> bool:
    """It asks for a token by itself, and no cookie opens it: another site can do nothing there in a person's name."""
    return bool(visit.scope["type"] == "http" and visit.scope["path"].startswith(API))


def _sign_in_first(visit: HTTPConnection) -> Response:
    if not _is_navigation(visit):
        return JSONResponse({"error": "Sign in first."}, 401)
    asked = visit.url.path + (f"?{visit.url.query}" if visit.url.query else "")
    return RedirectResponse(sign_in_address(asked), 303, {"cache-control": "no-store"})


def _no_answer() -> Response:
    return JSONResponse({"error": "The database does not answer."}, 503, {"retry-after": "3"})


def _is_navigation(visit: HTTPConnection) -> bool:
    """Whether a person follows a link or types an address."""
    return (
        visit.scope.get("method") in {"GET", "HEAD"}
        and "text/html" in visit.headers.get("accept", "")
        and not visit.scope["path"].startswith(_NO_PAGES)
    )
