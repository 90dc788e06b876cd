"""Previews of templates and components: the HTML of others, for who edits it, where nothing runs and nothing loads."""

from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import serving
from app.access import NotPermittedError, Viewer
from app.records.component_texts import component_text, component_version
from app.records.template_texts import text_of, version_text
from app.web.harmless import harmless
from app.web.places import Places
from app.web.visitor import person_of

_PREVIEWS = Places("previews", 2)
# A sandbox that allows nothing: no scripts, no forms, no windows, no way up, and an origin that is nobody's. Beside
# styles and pictures within the document itself, nothing is loaded from anywhere.
HEADERS = {
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
    "x-dns-prefetch-control": "off",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-store",
}


class Seen(Protocol):
    """What can be previewed."""

    @property
    def html(self) -> str: ...


Now = Callable[[Engine, Viewer, UUID], Seen | None]
Then = Callable[[Engine, Viewer, UUID, int], Seen | None]
# How each of them reads what it says, and what it said in a version.
_PREVIEWED: Mapping[str, tuple[Now, Then]] = {
    "template": (text_of, version_text),
    "component": (component_text, component_version),
}


async def preview(request: Request) -> Response:
    """What it says, or said in the version that the address names; of a template with its sections below it."""
    try:
        shown = await _PREVIEWS.run(lambda: _shown(request))
    except NotPermittedError as refusal:
        return PlainTextResponse(str(refusal), 403)
    if shown is None:
        return PlainTextResponse("You see nothing to preview at this address.", 404)
    return HTMLResponse(harmless(shown), headers=HEADERS)


def _shown(request: Request) -> str | None:
    engines = serving.engines()
    viewer = person_of(request).viewer(engines.pipe)
    version = request.query_params.get("version", "")
    try:
        now, then = _PREVIEWED[request.path_params["what"]]
        key = UUID(request.path_params["key"])
        number = int(version) if version else None
    except (KeyError, ValueError):
        return None
    found = now(engines.ro, viewer, key) if number is None else then(engines.ro, viewer, key, number)
    return None if found is None else found.html


ROUTES = [Route("/preview/{what}/{key}", preview)]
