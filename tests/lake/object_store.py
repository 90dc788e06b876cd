"""A small object store that speaks S3 on loopback: objects by name, listings, uploads in parts; it fails when told."""

import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "figures"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class Kept:
    """An object and when it was written."""

    content: bytes
    written: datetime


@dataclass
class ObjectStore:
    """What the server holds of one bucket, what it was asked, and what it refuses."""

    port: int = 0
    objects: dict[str, Kept] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    # Says whether a request, by its method and the object's name, is refused.
    refuses: Callable[[str, str], bool] = lambda _method, _name: False
    # The line is cut before an answer.
    is_gone: bool = False
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def url(self, prefix: str = "lake") -> str:
        """The address as a person sets it."""
        return f"s3://key:secret@{BUCKET}/{prefix}?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"

    def names(self, part: str = "") -> set[str]:
        """The objects whose names contain something, without the prefix."""
        return {name.partition("/")[2] for name in list(self.objects) if part in name and not name.endswith("/")}

    def grow_old(self) -> None:
        """All objects look as if they had been written long ago."""
        for kept in self.objects.values():
            kept.written -= timedelta(days=1)


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A store that answers for a with block; after it nobody does."""
    store = ObjectStore()

    class Handler(_Handler):
        held = store

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.is_gone = True
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    held: ObjectStore
    protocol_version = "HTTP/1.1"
    # Header and content in one go: the client need not wait for the second.
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        """Say at once that the content may come: clients wait a second for it."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def _answer(self) -> None:
        address = urlsplit(self.path)
        bucket, _, name = unquote(address.path).lstrip("/").partition("/")
        options = {key: values[0] for key, values in parse_qs(address.query, keep_blank_values=True).items()}
        content = self._content()
        self.held.asked.append((self.command, name))
        if self.held.is_gone:
            self.close_connection = True
            return
        if bucket != BUCKET:
            self._fail(404, "NoSuchBucket")
        elif self.held.refuses(self.command, name):
            self._fail(403, "AccessDenied")
        else:
            getattr(self, f"_{self.command.lower()}")(name, options, content)
        self.wfile.flush()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - by these names it is called

    def _get(self, name: str, options: dict[str, str], _content: bytes) -> None:
        if not name:
            self._list(options)
            return
        kept = self.held.objects.get(name)
        if kept is None:
            self._fail(404, "NoSuchKey")
            return
        span = self.headers.get("Range")
        if not span:
            self._send(200, kept.content, kept)
            return
        first, _, last = span.removeprefix("bytes=").partition("-")
        until = min(int(last), len(kept.content) - 1) if last else len(kept.content) - 1
        told = f"bytes {first}-{until}/{len(kept.content)}"
        self._send(206, kept.content[int(first) : until + 1], kept, {"Content-Range": told})

    _head = _get

    def _put(self, name: str, options: dict[str, str], content: bytes) -> None:
        if "uploadId" in options:
            self.held.uploads[options["uploadId"]][int(options["partNumber"])] = content
        else:
            self.held.objects[name] = Kept(content, datetime.now(UTC))
        self._send(200, b"", headers={"ETag": f'"{_etag(content)}"'})

    def _post(self, name: str, options: dict[str, str], content: bytes) -> None:
        if "uploads" in options:
            key = f"upload-{len(self.held.uploads)}"
            self.held.uploads[key] = {}
            self._xml("InitiateMultipartUploadResult", f"<Bucket>{BUCKET}</Bucket><UploadId>{key}</UploadId>")
        elif "uploadId" in options:
            parts = self.held.uploads.pop(options["uploadId"])
            self.held.objects[name] = Kept(b"".join(parts[number] for number in sorted(parts)), datetime.now(UTC))
            self._xml("CompleteMultipartUploadResult", f"<Key>{escape(name)}</Key><ETag>joined</ETag>")
        else:
            for key in ET.fromstring(content).iter(f"{{{_NAMESPACE}}}Key"):
                self.held.objects.pop(key.text or "", None)
            self._xml("DeleteResult", "")

    def _delete(self, name: str, _options: dict[str, str], _content: bytes) -> None:
        self.held.objects.pop(name, None)
        self._send(204, b"")

    def _list(self, options: dict[str, str]) -> None:
        """Version 2 of it, a thousand at a time, with what lies deeper told by its folder where that is asked for."""
        prefix, delimiter = options.get("prefix", ""), options.get("delimiter", "")
        after = options.get("continuation-token", options.get("start-after", ""))
        entries: dict[str, str] = {}
        for name, kept in sorted(self.held.objects.items()):
            if not name.startswith(prefix):
                continue
            folder, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            if found:
                shown = prefix + folder + delimiter
                entries[shown] = f"<CommonPrefixes><Prefix>{quote(shown)}</Prefix></CommonPrefixes>"
            else:
                written = f"<LastModified>{kept.written:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
                told = f"<Size>{len(kept.content)}</Size>{written}"
                entries[name] = (
                    f"<Contents><Key>{escape(name)}</Key>{told}<ETag>{_etag(kept.content)}</ETag></Contents>"
                )
        rest = [name for name in sorted(entries) if name > after]
        most = int(options.get("max-keys", 1000))
        page = rest[:most]
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(rest) > most else ""
        head = f"<IsTruncated>{str(bool(token)).lower()}</IsTruncated><KeyCount>{len(page)}</KeyCount>{token}"
        self._xml("ListBucketResult", head + "".join(entries[name] for name in page))

    def _content(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            return self._chunks()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _unwrapped(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return _unwrapped(body) if "aws-chunked" in self.headers.get("Content-Encoding", "") else body

    def _send(self, status: int, body: bytes, kept: Kept | None = None, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        if kept:
            self.send_header("ETag", f'"{_etag(kept.content)}"')
            self.send_header("Last-Modified", f"{kept.written:%a, %d %b %Y %H:%M:%S GMT}")
        for header, value in (headers or {}).items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _xml(self, root: str, inner: str) -> None:
        self._send(200, f'<?xml version="1.0"?><{root} xmlns="{_NAMESPACE}">{inner}</{root}>'.encode())

    def _fail(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())


def _unwrapped(body: bytes) -> bytes:
    """Content that came in chunks, each behind its size and maybe a signature."""
    content, rest = b"", body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        content, rest = content + rest[:size], rest[size + 2 :]
    return content


def _etag(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()
