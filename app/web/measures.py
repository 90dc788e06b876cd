"""What collectors are told of this process, in the format of Prometheus."""

import hmac
import math
import time

import anyio.to_thread
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.lake.storage import LakeDamagedError
from app.settings import settings
from app.web.health import lake_age_seconds
from app.web.visitor import is_on_this_machine

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

SIGN_INS = Counter(
    "sightline_sign_ins", "Attempts to sign in, by way and outcome.", ["way", "outcome"], registry=REGISTRY
)
REQUESTS = Histogram(
    "sightline_request_seconds", "Answers by what was asked for and status.", ["kind", "status"], registry=REGISTRY
)
SOCKETS = Gauge("sightline_open_pages", "Browser tabs that are connected to this process.", registry=REGISTRY)
LAKE_AGE = Gauge(
    "sightline_lake_age_seconds",
    "How far the newest version of the lake lies back; NaN without one that can be read.",
    registry=REGISTRY,
)
# By the first part of the path: a label per address would grow without end.
_KINDS = {
    "static": "static", "media": "media", "sign-in": "sign-in", "sign-out": "sign-in", "health": "health",
    "metrics": "metrics", "_stcore": "streamlit", "component": "streamlit", "export": "export", "api": "api",
}  # fmt: skip


class Measured:
    """ASGI middleware that counts answers, and the tabs that are open."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with SOCKETS.track_inprogress():
                await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = _KINDS.get(scope["path"].split("/")[1] if "/" in scope["path"] else "", "page")
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            REQUESTS.labels(kind, str(status)).observe(time.perf_counter() - began)


async def show_metrics(request: Request) -> Response:
    """For collectors on this machine, or with the token."""
    if not _may(request):
        return PlainTextResponse("Nothing is here for you.", 403)
    LAKE_AGE.set(await anyio.to_thread.run_sync(_lake_age))
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _lake_age() -> float:
    """A damaged lake is told by the health; the other measures are still there."""
    try:
        return lake_age_seconds()
    except LakeDamagedError:
        return math.nan


def _may(request: Request) -> bool:
    token = settings().metrics_token.get_secret_value()
    if token:
        shown = request.headers.get("authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
    return is_on_this_machine(request)
