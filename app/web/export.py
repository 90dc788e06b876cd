"""Downloads: a question, a list or a month in an address, answered for whoever asks now; nothing is kept here."""

import re
from collections.abc import AsyncIterator, Callable, Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app import serving
from app.access import NotPermittedError, Viewer
from app.answering import the_desk
from app.exports.address import Kind, question_of
from app.exports.files import WRITERS
from app.exports.focus import FOCUS, sheet_of_address
from app.exports.given import given
from app.exports.live import LIST, Whole, engine_of
from app.exports.sheets import Sheet, sheet_of_answer, sheet_of_list
from app.identity import sessions
from app.web.places import Places
from app.web.visitor import person_of, token_of
from db.errors import SightlineError

# Few: pages need the processor too.
_EXPORTS = Places("exports", 2)
_TYPES = {
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PARQUET: "application/vnd.apache.parquet",
}


async def export(request: Request) -> Response:
    """The rows as a file that bears its receipt's id; a refusal says why in a sentence."""
    try:
        kind = Kind(request.path_params["kind"])
    except ValueError:
        return PlainTextResponse(f"Downloads are {', '.join(Kind)}.", 404)
    pairs = request.query_params.multi_items()
    try:
        sheet = await _EXPORTS.run(lambda: _sheet(pairs, _who(request)))
        pieces = WRITERS[kind](sheet)
        # What can't be read or written is said before anything goes out.
        first = await _first(pieces)
    except NotPermittedError as refusal:
        return PlainTextResponse(str(refusal), 403)
    except SightlineError as refusal:
        return PlainTextResponse(str(refusal), 422)
    name = _file_name(dict(pairs).get("name", ""), sheet.receipt, kind)
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "x-sightline-receipt": sheet.receipt,
        "cache-control": "private, no-store",
    }
    return StreamingResponse(_outgoing(first, pieces), headers=headers, media_type=_TYPES[kind])


def _sheet(pairs: list[tuple[str, str]], who: Callable[[], Viewer]) -> Sheet:
    told: dict[str, list[str]] = {}
    for name, value in pairs:
        told.setdefault(name, []).append(value)
    if FOCUS in told:
        return sheet_of_address(told, serving.engines().ro, who)
    if LIST not in told:
        return sheet_of_answer(the_desk().ask(question_of(pairs), who()))
    narrowed = {name: values for name, values in told.items() if name not in {LIST, "name"}}
    name = told[LIST][-1]
    return sheet_of_list(Whole(name, given(**narrowed), engine_of(name, serving.engines()), who))


def _who(request: Request) -> Callable[[], Viewer]:
    """Who asks, as they are whenever it is called: a long file ends when its reader's session or rights do."""
    let_in, token = person_of(request), token_of(request)

    def now() -> Viewer:
        person = sessions.person_of(serving.engines().rw, token)
        if person is None or person.member_id != let_in.member_id:
            raise NotPermittedError("Your session is over.", fix="Sign in and download it again.")
        return person.viewer(serving.engines().pipe)

    return now


async def _first(pieces: Iterator[bytes]) -> bytes | None:
    """The first piece that holds anything."""
    piece: bytes | None = b""
    while piece == b"":
        piece = await _EXPORTS.run(lambda: next(pieces, None))
    return piece


async def _outgoing(piece: bytes | None, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A thread is held for no longer than one piece takes: files that go out at once take turns."""
    while piece is not None:
        yield piece
        piece = await _EXPORTS.run(lambda: next(pieces, None))


def _file_name(given_name: str, receipt: str, kind: Kind) -> str:
    """Letters, digits and hyphens alone: a name must not end the header that it stands in."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", given_name)[:60].strip("-") or "figures"
    return f"{plain}-{receipt}.{kind}"


ROUTES = [Route("/export/{kind}", export)]
