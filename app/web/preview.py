"""Previews of templates: the HTML of others, for who edits it, in a frame where nothing runs and nothing loads."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import serving
from app.access import NotPermittedError
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


async def preview(request: Request) -> Response:
    """What a template says, or said in the version that the address names, with its sections below it."""
    try:
        shown = await _PREVIEWS.run(lambda: _shown(request))
    except NotPermittedError as refusal:
        return PlainTextResponse(str(refusal), 403)
    if shown is None:
        return PlainTextResponse("You see no such template.", 404)
    return HTMLResponse(harmless(shown), headers=HEADERS)


def _shown(request: Request) -> str | None:
    engines = serving.engines()
    viewer = person_of(request).viewer(engines.pipe)
    version = request.query_params.get("version", "")
    try:
        key = UUID(request.path_params["key"])
        number = int(version) if version else None
    except ValueError:
        return None
    found = text_of(engines.ro, viewer, key) if number is None else version_text(engines.ro, viewer, key, number)
    return None if found is None else found.html


ROUTES = [Route("/preview/template/{key}", preview)]
