"""A mail server and a webhook on loopback, which take what they are sent or refuse it as they are told."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass
class MailServer:
    """What it took; while there are refusals it answers with the next of them."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 5321, as much of it as one who sends needs."""
        writer.write(b"220 a server of a test\r\n")
        while line := await reader.readline():
            verb = line.decode().split(" ")[0].strip().split(":")[0].upper()
            if verb == "RCPT":
                self.recipients.append(line.decode().split("<")[1].split(">")[0])
            if verb == "DATA":
                await self._take(reader, writer)
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"354 go on\r\n")
        await writer.drain()
        body = b""
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            # One dot more stands before a line that begins with one.
            body += line[1:] if line.startswith(b".") else line
        if self.refusals:
            writer.write(self.refusals.pop(0).encode() + b"\r\n")
            return
        self.mails.append(message_from_bytes(body))
        writer.write(b"250 taken\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """One that listens in a thread of its own."""
    server, loop, ready = MailServer(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        async with listening:
            await listening.serve_forever()

    task = None

    def run() -> None:
        nonlocal task
        asyncio.set_event_loop(loop)
        task = loop.create_task(serve())
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)


@dataclass
class Hook:
    """What was posted, with its keys; while there are refusals it answers with their status."""

    url: str = ""
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Hook]:
    """One that listens in a thread of its own."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = hook.refusals.pop(0) if hook.refusals else 200
            hook.keys.append(self.headers["Idempotency-Key"])
            if status == 200:
                hook.texts.append(body["text"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"ok" if status == 200 else b"come again")

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_port}/services/T0/secret-part"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
