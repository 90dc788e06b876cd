"""Tells a live embedded Postgres from a dead one, by asking it and by looking at processes, never by files."""

import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from db.embedded.files import PORT, SUPERUSER, ServerFiles

_ANSWER_SECONDS = 5


@dataclass(frozen=True)
class EmbeddedServer:
    """A server that answered on its socket."""

    data_folder: Path
    socket_folder: Path
    port: int
    pid: int

    def dsn(self, database: str, user: str, password: str | None = None) -> str:
        """The address by which a role connects, over the socket."""
        return _address(self.socket_folder, database, user, password)


def live_server(files: ServerFiles) -> EmbeddedServer | None:
    """The server of this data folder, if it answers a question and says that it serves this very folder."""
    address = _address(files.socket_folder, "postgres", SUPERUSER)
    try:
        with psycopg.connect(address, connect_timeout=_ANSWER_SECONDS, autocommit=True) as connection:
            answer = connection.execute("SELECT current_setting('data_directory')").fetchone()
            pid = _listener_pid(connection)
    except psycopg.OperationalError:
        return None
    if answer is None or not files.data.exists() or not files.data.samefile(answer[0]):
        return None
    return EmbeddedServer(files.data, files.socket_folder, PORT, pid)


def postgres_runs_on(data: Path) -> bool:
    """Whether any Postgres process, a server or what a killed one left behind, still works on this data folder."""
    return any(_works_on(process, data) for process in _processes())


def wait_until_gone(data: Path, seconds: float) -> bool:
    """Wait until no Postgres works on this data folder."""
    deadline = time.monotonic() + seconds
    while postgres_runs_on(data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _address(socket_folder: Path, database: str, user: str, password: str | None = None) -> str:
    secret = "" if password is None else f":{quote(password, safe='')}"
    place = quote(str(socket_folder), safe="")
    return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?host={place}&port={PORT}"


def _listener_pid(connection: psycopg.Connection) -> int:
    """The process at the other end of the socket, as the system knows it: the file that names it may lie."""
    with socket.socket(fileno=os.dup(connection.fileno())) as peer:
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _works_on(process: Path, data: Path) -> bool:
    try:
        if (process / "comm").read_text() != "postgres\n":
            return False
        # Root in a container may not see where another user's process works, but everyone sees how it was started.
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        return os.fsencode(data) in arguments or (process / "cwd").samefile(data)
    except OSError:
        return False  # it ended meanwhile, or it belongs to someone whose processes are hidden from us
