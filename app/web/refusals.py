"""What goes wrong with a call of the API, as programs read it: what, why, what to do, and where the log tells more."""

import uuid
from dataclasses import asdict, is_dataclass
from typing import Any

import structlog
from psycopg import DataError
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from starlette.responses import Response

from app import serving
from app.access import NotPermittedError
from app.commands.stale import NotThereError, StaleEditError
from app.web.rates import TooManyCallsError
from db.engine import is_lost
from db.errors import SightlineError

_NOT_KEPT = {"cache-control": "no-store"}


class CallError(SightlineError):
    """A call that is none of ours: it never gets to a command."""

    def __init__(self, status: int, what: str, *, why: str = "", fix: str = "", **headers: str) -> None:
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(what, why=why, fix=fix)


def as_json(content: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Amounts are texts, so that no reader rounds them."""
    body = to_json(content, inf_nan_mode="null", fallback=str)
    return Response(body, status, {**_NOT_KEPT, **(headers or {})}, "application/json")


def refused(error: Exception, *, call: str, caller: str) -> Response:
    """The answer to a call that did not work. The log has its reference; it tells nobody what was in the call."""
    reference = uuid.uuid4().hex[:8]
    log = structlog.get_logger().bind(reference=reference, call=call, caller=caller)
    if isinstance(error, OperationalError) and is_lost(error):
        serving.mend()
        error = CallError(
            503, "The database does not answer.", why="Nothing can be read or changed now.",
            fix="Try again in a while.", retry_after="3",
        )  # fmt: skip
    elif isinstance(error, DBAPIError) and isinstance(error.orig, DataError):
        error = SightlineError(
            "The database can't keep a value of this call.",
            why="A number is too large, or a text holds a character that is none.",
            fix="Look at the numbers and texts that were given.",
        )
    elif isinstance(error, IntegrityError):
        log.error("A command let the database refuse what it should have looked at.", exc_info=error)
        error = SightlineError(
            "This can't be kept as it was given.",
            why="It names something that is not there, or is there already.",
            fix="Look at the keys and names that were given.",
        )
    if not isinstance(error, SightlineError):
        log.error("A call of the API failed.", exc_info=error)
        error = CallError(
            500, "Something happened that Sightline did not expect.",
            fix="Try again; if that does not help, tell whoever runs it the reference.",
        )  # fmt: skip
    status, headers = _status(error)
    log.info("A call of the API was refused.", status=status, what=error.what)
    told = {"what": error.what, "why": error.why, "fix": error.fix, "reference": reference}
    return as_json(told | _both_versions(error), status, headers)


def _status(error: SightlineError) -> tuple[int, dict[str, str]]:
    if isinstance(error, CallError):
        return error.status, error.headers
    if isinstance(error, TooManyCallsError):
        return 429, {"retry-after": str(error.seconds)}
    if isinstance(error, NotPermittedError):
        return 403, {}
    if isinstance(error, NotThereError):
        return 404, {}
    return (409 if isinstance(error, StaleEditError) else 400), {}


def _both_versions(error: SightlineError) -> dict[str, Any]:
    """Of an edit that came too late: what is there now, what was wanted, and what both are together if they can be."""
    if not isinstance(error, StaleEditError):
        return {}
    names = ("now", "wanted", "made_on", "merged", "revision")
    told = {name: getattr(error, name, None) for name in names}
    return {name: asdict(one) if is_dataclass(one) and not isinstance(one, type) else one for name, one in told.items()}
