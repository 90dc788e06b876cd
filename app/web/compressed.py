"""Streamlit's files, compressed once and kept: a first visit over a slow line takes a third of the time."""

import gzip
import threading
from pathlib import Path

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
    """The files of the package that are worth compressing; what people send is never among them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = {
            f"/{path.relative_to(folder).as_posix()}": path
            for path in (folder / _BELOW).rglob("*")
            if path.suffix in _KINDS and path.stat().st_size >= _SMALLEST
        }
        self._kept: dict[str, bytes] = {}
        self._one_at_a_time = threading.Lock()

    def compressed(self, asked: str) -> bytes:
        if asked not in self._kept:
            with self._one_at_a_time:
                if asked not in self._kept:
                    self._kept[asked] = gzip.compress(self.paths[asked].read_bytes(), compresslevel=7, mtime=0)
        return self._kept[asked]

    def is_kept(self, asked: str) -> bool:
        return asked in self._kept

    def compress_first(self) -> None:
        """What every page begins with: the first visitor need not wait for it."""
        html = (self.folder / "index.html").read_text(encoding="utf-8")
        for asked in self.paths:
            if asked in html:
                self.compressed(asked)


class Compressed:
    """ASGI middleware before Streamlit's own file server, which sends its files as they are."""

    def __init__(self, app: ASGIApp, files: StaticFiles) -> None:
        self.app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope.get("path", "")
        is_ours = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and asked in self._files.paths
        if not is_ours or not _takes_gzip(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        if not self._files.is_kept(asked):
            await anyio.to_thread.run_sync(self._files.compressed, asked)
        body = self._files.compressed(asked)
        answer = Response(
            body if scope["method"] == "GET" else b"",
            media_type=_KINDS[self._files.paths[asked].suffix],
            headers={"content-encoding": "gzip", "vary": "Accept-Encoding", "cache-control": _FOR_EVER},
        )
        await answer(scope, receive, send)


def _takes_gzip(headers: Headers) -> bool:
    return "gzip" in headers.get("accept-encoding", "") and "range" not in headers
