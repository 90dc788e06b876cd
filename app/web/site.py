"""All that is put before and beside Streamlit: routes and middleware, the outermost first."""

from pathlib import Path

from sqlalchemy.exc import OperationalError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.web import export, oidc, signing
from app.web.compressed import CompressedFiles
from app.web.gate import Gate
from app.web.headers import SecurityHeaders, content_policy
from app.web.health import show_health
from app.web.lost import database_lost
from app.web.measures import Measured, show_metrics
from app.web.shell import Shell, page_of

ROUTES = [Route("/health", show_health), Route("/metrics", show_metrics), *signing.ROUTES, *oidc.ROUTES, *export.ROUTES]


def middleware(streamlit_files: Path) -> list[Middleware]:
    """Around Streamlit, whose own files lie in this folder."""
    html = page_of(streamlit_files / "index.html")
    return [
        Middleware(SecurityHeaders, policy=content_policy(html)),
        Middleware(Measured),
        Middleware(Gate),
        Middleware(Shell, html=html),
        Middleware(CompressedFiles, folder=streamlit_files),
    ]


async def _lost(request: Request, _: Exception) -> Response:
    return database_lost(request.scope)


EXCEPTION_HANDLERS = {OperationalError: _lost}
