"""All that is put before and beside Streamlit: routes and middleware, the outermost first."""

import uuid

import structlog
from sqlalchemy.exc import OperationalError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web import api, export, oidc, preview, report, signing
from app.web.ahead import ahead_of
from app.web.compressed import Compressed, StaticFiles
from app.web.gate import Gate
from app.web.headers import SecurityHeaders, content_policy
from app.web.health import show_health
from app.web.lost import database_lost
from app.web.measures import Measured, show_metrics
from app.web.media import MadeFor, OwnMedia
from app.web.paper import page, told
from app.web.shell import Shell, page_of
from db.engine import is_lost

ROUTES = [
    Route("/health", show_health),
    Route("/metrics", show_metrics),
    *signing.ROUTES,
    *oidc.ROUTES,
    *export.ROUTES,
    *report.ROUTES,
    *preview.ROUTES,
    *api.ROUTES,
]


def middleware(files: StaticFiles, look: str, farewell: bytes, is_made_for: MadeFor) -> list[Middleware]:
    """Around Streamlit, whose files these are, and whose client loads its page anew when it is sent the farewell.

    `look` is the style sheet of all pages; `is_made_for` tells whether a page of a person made what lies at an address.
    """
    ahead = ahead_of(files.folder)
    head = ""
    if ahead:
        files.hasten(ahead.needed)
        head = ahead.head(files.add("ahead.js", ahead.script))
    html = page_of(files.folder / "index.html", head=head, look=files.add("look.css", look))
    return [
        Middleware(SecurityHeaders, policy=content_policy(html)),
        Middleware(Measured),
        Middleware(Gate, farewell=farewell),
        Middleware(OwnMedia, is_made_for=is_made_for),
        Middleware(Shell, html=html),
        Middleware(Compressed, files=files),
    ]


async def _lost(request: Request, error: OperationalError) -> Response:
    if not is_lost(error):
        raise error
    return database_lost(request.scope)


async def _failed(_: Request, error: Exception) -> Response:
    """What nobody expected: a sentence, and the reference under which the log tells the rest."""
    reference = uuid.uuid4().hex[:8]
    structlog.get_logger().error("A request failed.", reference=reference, exc_info=error)
    return page(
        "This did not work",
        told("Something happened that Sightline did not expect.", is_bad=True)
        + f"<p>Try again; if that does not help, tell whoever runs it the reference <code>{reference}</code>.</p>",
        status=500,
    )


EXCEPTION_HANDLERS = {OperationalError: _lost, Exception: _failed}
