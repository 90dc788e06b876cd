"""Runs the app: the serving process and the worker beside it, until somebody ends both in order."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from urllib.parse import urlsplit

from app.settings import PROJECT, settings
from db.errors import SightlineError

ADDRESS = "127.0.0.1"
_START_SECONDS = 90
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Not through a proxy of the surroundings: it could not reach this machine.
_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_STOP_SECONDS = 20
_LOOK_SECONDS = 0.2
_NEXT_WORKER_SECONDS = 5
_APP = (
    sys.executable, "-m", "streamlit", "run", str(PROJECT / "app" / "asgi.py"), "--logger.hideWelcomeMessage", "true",
)  # fmt: skip
_WORKER = (sys.executable, "-m", "app.cli", "worker", "--quiet")


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


def serve_until_stopped(say: Callable[[str], None]) -> None:
    """Serve the app, with a worker in the background, until a person or the system ends it."""
    with _running((*_APP, *_where())) as server:
        try:
            _wait_until_it_answers(server)
            say(f"Sightline is at http://{ADDRESS}:{settings().port} - Ctrl-C stops it, nothing is lost.")
            _beside_a_worker(server, say)
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


def _where() -> Iterator[str]:
    """The port and the address, and the host that a proxy passes on."""
    yield from ("--server.port", str(settings().port), "--server.address", ADDRESS)
    if settings().public_url:
        for host in (ADDRESS, "localhost", urlsplit(settings().public_url).hostname):
            yield from ("--server.allowedHosts", str(host))
        yield from ("--server.corsAllowedOrigins", settings().public_url)


def _beside_a_worker(server: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
    """While the app serves, a worker works: one that ends is followed by another."""
    while server.poll() is None:
        with _running(_WORKER) as worker:
            while server.poll() is None and worker.poll() is None:
                time.sleep(_LOOK_SECONDS)
        if server.poll() is None:
            say(
                f"The worker ended with code {worker.returncode}; another one starts in {_NEXT_WORKER_SECONDS} seconds."
            )
            time.sleep(_NEXT_WORKER_SECONDS)


@contextmanager
def _running(command: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    # A session of its own: Ctrl-C reaches this process alone, which then stops the parts in order.
    process = subprocess.Popen(command, cwd=PROJECT, start_new_session=True)  # noqa: S603 - our own commands
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


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
