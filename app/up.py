"""Runs the app: starts the serving process, waits until it answers, and stops everything in order."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.database import Say
from app.settings import PROJECT, settings
from db.errors import SightlineError

ADDRESS = "127.0.0.1"
_START_SECONDS = 90
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Not through a proxy of the surroundings: it could not reach this machine.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_STOP_SECONDS = 20


def end_in_order() -> None:
    """Let SIGTERM and a closed terminal end the program as Ctrl-C does: every part is left as it should be."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for which in _STOP_SIGNALS:
        if signal.getsignal(which) is not signal.SIG_IGN:  # as `nohup` asks
            signal.signal(which, interrupt)


def require_free_port() -> None:
    """Say it before anything is started, rather than after."""
    with socket.socket() as probe:
        # As servers do: a port that only waits out its last connection is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, settings().port))
        except OSError as error:
            raise SightlineError(
                f"Port {settings().port} can't be used.",
                why=f"The system says: {error.strerror}. Another program, perhaps another Sightline, has it.",
                fix="Stop that program, or choose another port: PORT=8502 make up.",
            ) from None


def serve_until_stopped(say: Say) -> None:
    """Serve the app until a person or the system ends it."""
    with _serving() as server:
        try:
            _wait_until_it_answers(server)
            say(f"Sightline is at http://{ADDRESS}:{settings().port} - Ctrl-C stops it, nothing is lost.")
            server.wait()
        except KeyboardInterrupt:
            # A second Ctrl-C must not interrupt the orderly end.
            for which in _STOP_SIGNALS:
                signal.signal(which, signal.SIG_IGN)
            say("Stopping.")
            return
    raise SightlineError(
        "The app ended by itself.",
        why=f"Its process ended with code {server.returncode}; its last lines are above.",
        fix="Run `sightline doctor`, then `make up` again.",
    )


@contextmanager
def _serving() -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable, "-m", "streamlit", "run", str(PROJECT / "app" / "asgi.py"),
        "--server.port", str(settings().port),
        "--server.address", ADDRESS,
        "--logger.hideWelcomeMessage", "true",
    ]  # fmt: skip
    # A session of its own: Ctrl-C reaches this process alone, which then stops the parts in order.
    server = subprocess.Popen(command, cwd=PROJECT, start_new_session=True)  # noqa: S603 - our own command
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with _DIRECTLY.open(f"http://{ADDRESS}:{settings().port}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise SightlineError(
        "The app did not start to answer.",
        why="Its process ended; its lines above say more."
        if server.poll() is not None
        else f"It was given {_START_SECONDS} seconds; its lines above say more.",
        fix="Run `sightline doctor`.",
    )
