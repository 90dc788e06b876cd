"""Streamlit's files, and ours beside them, compressed once and kept: a first visit over a slow line takes a third."""

import gzip
import hashlib
import threading
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_BELOW = "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
_SMALLEST = 1_000
# The names hold a hash of the content.
_FOR_EVER = "public, immutable, max-age=31536000"


class StaticFiles:
    """The files of the package that are worth compressing, and some of ours; what people send is never among them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = {
            f"/{path.relative_to(folder).as_posix()}": path
            for path in (folder / _BELOW).rglob("*")
            if path.suffix in _KINDS and path.stat().st_size >= _SMALLEST
        }
        self._ours: dict[str, bytes] = {}
        self._first: set[str] = set()
        self._kept: dict[str, bytes] = {}
        self._one_at_a_time = threading.Lock()

    def add(self, name: str, text: str) -> str:
        """A file of ours, which every page begins with: its address, which holds a hash of the content as theirs do."""
        stem, _, kind = name.rpartition(".")
        mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        asked = f"/{_BELOW}/{kind}/{stem}.{mark}.{kind}"
        self._ours[asked] = text.encode()
        self.hasten([asked])
        return asked

    def hasten(self, asked: Iterable[str]) -> None:
        """Every page begins with these."""
        self._first.update(asked)

    def has(self, asked: str) -> bool:
        return asked in self._ours or asked in self.paths

    def is_ours(self, asked: str) -> bool:
        return asked in self._ours

    def plain(self, asked: str) -> bytes:
        return self._ours[asked] if asked in self._ours else self.paths[asked].read_bytes()

    def compressed(self, asked: str) -> bytes:
        if asked not in self._kept:
            with self._one_at_a_time:
                if asked not in self._kept:
                    self._kept[asked] = gzip.compress(self.plain(asked), compresslevel=7, mtime=0)
        return self._kept[asked]

    def is_kept(self, asked: str) -> bool:
        return asked in self._kept

    def compress_first(self) -> None:
        """What every page begins with: the first visitor need not wait for it."""
        html = (self.folder / "index.html").read_text(encoding="utf-8")
        for asked in (*self._ours, *self.paths):
            if asked in html or asked in self._first:
                self.compressed(asked)


class Compressed:
    """ASGI middleware before Streamlit's own file server, which sends its files as they are, and knows none of ours."""

    def __init__(self, app: ASGIApp, files: StaticFiles) -> None:
        self.app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope.get("path", "")
        is_file = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and self._files.has(asked)
        if is_file and _takes_gzip(Headers(scope=scope)):
            if not self._files.is_kept(asked):
                await anyio.to_thread.run_sync(self._files.compressed, asked)
            headers = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            await _answer(scope, self._files.compressed(asked), headers)(scope, receive, send)
        elif is_file and self._files.is_ours(asked):
            await _answer(scope, self._files.plain(asked), {"vary": "Accept-Encoding"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _answer(scope: Scope, body: bytes, headers: dict[str, str]) -> Response:
    shown = body if scope["method"] == "GET" else b""
    kind = _KINDS[PurePosixPath(scope["path"]).suffix]
    return Response(shown, media_type=kind, headers={**headers, "cache-control": _FOR_EVER})


def _takes_gzip(headers: Headers) -> bool:
    return "gzip" in headers.get("accept-encoding", "") and "range" not in headers
