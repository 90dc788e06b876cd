"""The embedded Postgres 18: the first process that needs it starts it, the last that leaves stops it."""

import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from db.embedded.files import SUPERUSER, ServerFiles, explained, prepare_folder
from db.embedded.probe import EmbeddedServer, live_server, wait_until_gone
from db.embedded.starting import START_SECONDS, start
from db.embedded.user import Say
from db.errors import SightlineError

__all__ = ["SUPERUSER", "EmbeddedServer", "running_server"]

_STOP_SECONDS = 60
_log = logging.getLogger(__name__).info
_TURN_SECONDS = START_SECONDS + _STOP_SECONDS


@contextmanager
def running_server(folder: Path, say: Say = _log) -> Iterator[EmbeddedServer]:
    """Start the server of this folder, or join the live one; the last process that leaves stops it."""
    _require_linux()
    files = ServerFiles(folder.resolve())
    with explained(files.folder):
        prepare_folder(files.folder)
        # The lock, not a count, says who uses the server: it vanishes with its process, however that ends.
        users = _open_lock(files.users_lock)
    try:
        server = _join(files, users, say)
        try:
            yield server
        finally:
            _leave(files, users, say)
    finally:
        os.close(users)


def _join(files: ServerFiles, users: int, say: Say) -> EmbeddedServer:
    with _alone(files, say):
        fcntl.flock(users, fcntl.LOCK_SH)
        return live_server(files) or start(files, say)


def _leave(files: ServerFiles, users: int, say: Say) -> None:
    # A newcomer waits until this is over: it never joins a server that is about to stop.
    with _alone(files, say), suppress(BlockingIOError):
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _stop(files, say)


def _stop(files: ServerFiles, say: Say) -> None:
    server = live_server(files)
    if server is None:
        return
    # SIGINT is Postgres's fast shutdown: end the sessions, write a checkpoint, stop.
    with suppress(ProcessLookupError):  # it stopped by itself since it answered
        os.kill(server.pid, signal.SIGINT)
    if not wait_until_gone(files.data, _STOP_SECONDS):
        say("Postgres is still writing its last checkpoint; it will stop by itself.")
    elif files.socket_folder.parent != files.folder:
        with suppress(OSError):  # an empty folder left in /tmp does no harm
            files.socket_folder.rmdir()


@contextmanager
def _alone(files: ServerFiles, say: Say) -> Iterator[None]:
    """Only one process at a time starts or stops the server."""
    with explained(files.folder):
        lock = _open_lock(files.sole_lock)
    try:
        _wait_for_turn(lock, say)
        yield
    finally:
        os.close(lock)


def _wait_for_turn(lock: int, say: Say) -> None:
    deadline = time.monotonic() + _TURN_SECONDS
    told = False
    while not _locked(lock):
        if time.monotonic() > deadline:
            raise SightlineError(
                "The embedded Postgres can't be started or stopped.",
                why=f"Another process of Sightline has been doing so for {_TURN_SECONDS} seconds.",
                fix="End that process, then try again; nothing is lost.",
            )
        if not told:
            say("Waiting for another process of Sightline that starts or stops Postgres.")
            told = True
        time.sleep(0.05)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock(path: Path) -> int:
    # Python keeps it from child processes: a server that inherited it would count as its own user for ever.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _require_linux() -> None:
    if sys.platform != "linux":
        raise SightlineError(
            "The embedded Postgres runs on Linux only.",
            why=f"This is {sys.platform}.",
            fix="Set DATABASE_URL to a Postgres server (15 or newer).",
        )
