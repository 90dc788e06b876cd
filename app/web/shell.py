"""Streamlit's one HTML page as Sightline serves it: under its own name, told where its server is, and compressed."""

import gzip
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.paper import ICON_PATH

# Streamlit's client looks for its server below the page's own address first, with two failed requests on every page
# but the first.
_WHERE = "<script>\n      window.__streamlit = { BACKEND_BASE_URL: window.location.origin + '/' }\n    </script>"
_HISTORY = f"<script>\n{(Path(__file__).parent / 'history.js').read_text(encoding='utf-8')}</script>"
_NO_PAGES = (
    "/static/", "/media/", "/_stcore/", "/component/", "/export", "/preview/", "/health", "/metrics", "/sign-", "/api",
)  # fmt: skip
_FIRST = "overview"


def page_of(index: Path, *, head: str, look: str) -> str:
    """Streamlit's page with our name and mark in place of its own, more in its head, and the style sheet of pages."""
    html = index.read_text(encoding="utf-8")
    html = html.replace(
        "<title>Streamlit</title>", f"<title>Sightline</title>\n    {_WHERE}\n    {_HISTORY}\n    {head}"
    )
    html = html.replace('href="./favicon.png"', f'href="{ICON_PATH}"')
    html = re.sub(
        r"<noscript>.*?</noscript>", "<noscript>Sightline needs JavaScript.</noscript>", html, flags=re.DOTALL
    )
    # After the styles of the client, which this one overrules.
    html = html.replace("</body>", f'<link rel="stylesheet" href="{look}" />\n  </body>')
    # From an address of any depth.
    return html.replace('="./static/', '="/static/').replace('="./_stcore/', '="/_stcore/')


class Shell:
    """ASGI middleware that answers every page's address with it; Streamlit's client does the rest."""

    def __init__(self, app: ASGIApp, html: str) -> None:
        self.app = app
        self._plain = html.encode()
        self._compressed = gzip.compress(self._plain, mtime=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_page(scope):
            await self.app(scope, receive, send)
            return
        if scope["path"] == f"/{_FIRST}":
            # Streamlit knows the first page by the empty address alone.
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse("/" + (f"?{query}" if query else ""), 307)(scope, receive, send)
            return
        takes_gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        body = self._compressed if takes_gzip else self._plain
        # Kept, it would come up empty when somebody goes back after signing out.
        headers = {"cache-control": "no-store", "vary": "Accept-Encoding"}
        if takes_gzip:
            headers["content-encoding"] = "gzip"
        await Response(body if scope["method"] == "GET" else b"", 200, headers, "text/html")(scope, receive, send)


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
        return False
    path = scope["path"]
    return not path.startswith(_NO_PAGES) and "." not in path and "//" not in path
