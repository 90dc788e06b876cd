"""Downloads: a question in an address, answered for whoever asks it now; nothing is kept on the server."""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app import serving
from app.access import NotPermittedError, Viewer
from app.answering import the_desk
from app.exports.address import Kind, question_of
from app.exports.files import csv_pieces, write_parquet, write_workbook
from app.metrics.answer import Answer
from app.web.visitor import person_of
from db.errors import SightlineError

_PIECE = 256 * 1024
_TYPES = {
    Kind.CSV: "text/csv; charset=utf-8",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PARQUET: "application/vnd.apache.parquet",
}
_WRITERS: dict[Kind, Callable[[Answer, Path], None]] = {Kind.XLSX: write_workbook, Kind.PARQUET: write_parquet}


async def export(request: Request) -> Response:
    """The answer as a file that bears its receipt's id; a refusal says why in a sentence."""
    try:
        kind = Kind(request.path_params["kind"])
    except ValueError:
        return PlainTextResponse(f"Downloads are {', '.join(Kind)}.", 404)
    person = person_of(request)
    try:
        return await anyio.to_thread.run_sync(
            lambda: _answer(kind, list(request.query_params.multi_items()), person.viewer(serving.engines().pipe))
        )
    except NotPermittedError as refusal:
        return PlainTextResponse(str(refusal), 403)
    except SightlineError as refusal:
        return PlainTextResponse(str(refusal), 422)


def _answer(kind: Kind, pairs: list[tuple[str, str]], viewer: Viewer) -> Response:
    answer = the_desk().ask(question_of(pairs), viewer)
    name = _file_name(dict(pairs).get("name", ""), answer.receipt.id, kind)
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "x-sightline-receipt": answer.receipt.id,
        "cache-control": "private, no-store",
    }
    pieces = csv_pieces(answer) if kind is Kind.CSV else _file_pieces(answer, _WRITERS[kind])
    return StreamingResponse(pieces, headers=headers, media_type=_TYPES[kind])


def _file_pieces(answer: Answer, write: Callable[[Answer, Path], None]) -> Iterator[bytes]:
    """The file is made before the first piece goes out: what can't be made is said, and leaves no half."""
    folder = tempfile.TemporaryDirectory(prefix="sightline-export-")
    path = Path(folder.name) / "file"
    try:
        write(answer, path)
    except BaseException:
        folder.cleanup()
        raise

    def pieces() -> Iterator[bytes]:
        with folder, path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    return pieces()


def _file_name(given: str, receipt: str, kind: Kind) -> str:
    """Letters, digits and hyphens alone: a name must not end the header that it stands in."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", given)[:60].strip("-") or "figures"
    return f"{plain}-{receipt}.{kind}"


ROUTES = [Route("/export/{kind}", export)]
