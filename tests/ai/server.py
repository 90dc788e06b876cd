"""A server on loopback that speaks OpenAI's format, and does to each request what a test wrote down for it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {
    "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 5},
}  # fmt: skip


def completion(text="Hello there.", usage=USAGE):
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2026-01-01",
        "service_tier": "default", "usage": usage,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
    }  # fmt: skip


def chunk(text=None, *, finish=None, usage=None):
    choices = [] if usage else [{"index": 0, "finish_reason": finish, "delta": {"content": text} if text else {}}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices,
            "usage": usage}  # fmt: skip


@dataclass
class Script:
    """What the server does next, and what it was asked."""

    steps: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    url: str = ""


def answer(handler, body, *, status=200, kind="application/json", headers=()):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def whole(text="Hello there.", usage=USAGE):
    return lambda handler: answer(handler, completion(text, usage))


def refusal(status, *headers):
    body = {"error": {"message": f"This is {status}.", "type": "test", "code": None}}
    return lambda handler: answer(handler, body, status=status, headers=headers)


def raw(data, kind="application/json"):
    return lambda handler: answer(handler, data, kind=kind)


def silence(seconds):
    def wait(handler):
        time.sleep(seconds)
        handler.close_connection = True

    return wait


def stream(*parts, ends=True):
    """Events as they are; without an end the connection is cut in the middle of one."""

    def send(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in parts:
            _event(handler, json.dumps(part))
        if ends:
            _event(handler, "[DONE]")
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.wfile.write(b'ff\r\ndata: {"id"')
        handler.wfile.flush()
        handler.close_connection = True

    return send


def _event(handler, text):
    data = f"data: {text}\n\n".encode()
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()


@contextmanager
def model_server() -> Iterator[Script]:
    """The server, for as long as the block runs."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append((self.path, self.headers.get("Idempotency-Key"), body))
            script.steps.pop(0)(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
