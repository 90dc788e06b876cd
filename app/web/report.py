"""The month's report as a download: made for whoever asks for it now, and kept nowhere."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app import serving
from app.access import NotPermittedError
from app.answering import the_desk
from app.exports.report import month_named, month_report
from app.web.places import Places
from app.web.visitor import person_of
from db.errors import SightlineError

# Setting type takes a processor for a moment; pages need it too.
_REPORTS = Places("reports", 1)


async def report(request: Request) -> Response:
    """The PDF of a month; a refusal says why in a sentence."""
    try:
        made = await _REPORTS.run(lambda: _made(request))
    except NotPermittedError as refusal:
        return PlainTextResponse(str(refusal), 403)
    except SightlineError as refusal:
        return PlainTextResponse(str(refusal), 422)
    name = f"sightline-{month_named(request.path_params['month']):%Y-%m}.pdf"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
    return Response(made, headers=headers, media_type="application/pdf")


def _made(request: Request) -> bytes:
    engines = serving.engines()
    viewer = person_of(request).viewer(engines.pipe)
    first = month_named(request.path_params["month"])
    return month_report(the_desk(), engines.ro, engines.rw, viewer, first)


ROUTES = [Route("/export/month/{month}.pdf", report)]
