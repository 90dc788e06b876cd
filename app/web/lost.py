"""The page while the database does not answer: it says so, keeps trying, and goes on by itself."""

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from app import serving
from app.identity.returning import SIGN_IN, safe_return, sign_in_address
from app.web.paper import page


def database_lost(scope: Scope) -> Response:
    """Comes back to the page that was asked for, filters included, as soon as it can be shown."""
    serving.mend()
    visit = HTTPConnection(scope)
    asked = visit.url.path + (f"?{visit.url.query}" if visit.url.query else "")
    if visit.url.path.startswith(SIGN_IN):
        asked = sign_in_address(visit.query_params.get("next"))
    else:
        asked = safe_return(asked)
    answer = page(
        "The database does not answer",
        """<p>Sightline can't reach its database, so there is nothing to show at this moment.</p>
<p class="told" role="status"><span class="pulse" aria-hidden="true"></span>Trying again every three seconds.
This page goes on by itself as soon as the database is back; nothing that was saved is lost.</p>
<p class="quiet">If it stays like this, tell whoever runs Sightline: <code>sightline doctor</code> says what is
wrong.</p>""",
        status=503,
        again=asked,
    )
    answer.headers["retry-after"] = "3"
    return answer
