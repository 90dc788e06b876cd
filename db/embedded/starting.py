"""Starts Postgres on one data folder, makes that folder when there is none, and says why when it can't."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from db.embedded.files import (
    SUPERUSER,
    UNFINISHED,
    ServerFiles,
    binaries_folder,
    clear_stale_lock_files,
    disk_is_full,
    explained,
    prepare_for,
    private_folder,
    require_whole_data,
    write_settings,
)
from db.embedded.probe import EmbeddedServer, live_server, postgres_runs_on
from db.embedded.user import Say, ServerUser, open_way, server_user
from db.errors import SightlineError

START_SECONDS = 120
_LINGER_SECONDS = 30
_QUIET_SECONDS = 3.0
_LOG_LEVELS = re.compile(r"\b(FATAL|PANIC|ERROR|error):\s+(?P<reason>.+)")
_LINGERING = ("pre-existing shared memory block", "is another postmaster")


def start(files: ServerFiles, say: Say) -> EmbeddedServer:
    """Start the server of this folder; the caller makes sure that nobody else does."""
    binaries = binaries_folder()
    user = server_user(files.data, say)
    with explained(files.folder):
        prepare_for(user, files, say)
        _require_usable(binaries, user, say)
        _remove_unfinished(files)
        if not files.data.exists():
            _initialise(binaries, user, files, say)
        require_whole_data(files)
        write_settings(user, files)
        answering = _outlast_running(files, say)
        return answering or _launch(binaries, user, files, say)


def _require_usable(binaries: Path, user: ServerUser, say: Say) -> None:
    open_way(user, binaries, say)
    if not user.may("x", binaries / "postgres"):
        raise SightlineError(
            f"The embedded Postgres can't be run by user '{user.name}'.",
            why=f"That user may not execute {binaries / 'postgres'}.",
            fix="Set the environment up again with umask 022, or run Sightline as a normal user.",
        )


def _initialise(binaries: Path, user: ServerUser, files: ServerFiles, say: Say) -> None:
    """Make a data folder beside its place and move it there when it is whole: cut off at any moment, none is left."""
    say("Making a new database folder (once).")
    # Each attempt has a name of its own: what a killed one started may go on writing for a moment.
    draft = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=files.folder))
    try:
        private_folder(draft, user)
        _run_initdb(binaries, user, files, draft)
        draft.rename(files.data)
        _sync_folder(files.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _remove_unfinished(files: ServerFiles) -> None:
    for draft in files.folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(draft, ignore_errors=True)


def _run_initdb(binaries: Path, user: ServerUser, files: ServerFiles, draft: Path) -> None:
    command = [str(binaries / "initdb"), f"--username={SUPERUSER}", "--auth-local=peer", "--auth-host=reject"]
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--data-checksums", "--no-instructions"]
    with _output_in_memory() as output:
        program = user.start(command, output, draft)
        try:
            failed = program.wait() != 0
        finally:
            # Ctrl-C ends this wait: the half-made folder must not be written to while it is removed.
            program.kill()
            program.wait()
        if failed:
            raise _refusal(files, _read(output), "The database folder could not be made.")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _outlast_running(files: ServerFiles, say: Say) -> EmbeddedServer | None:
    """Wait for a Postgres that runs on this data but didn't answer: it comes up, goes down, or was killed."""
    deadline = time.monotonic() + START_SECONDS
    progress = _Progress(files, say)
    while postgres_runs_on(files.data):
        server = live_server(files)
        if server:
            return server
        progress.tell()
        if time.monotonic() > deadline:
            raise _too_slow(files)
        time.sleep(0.1)
    return None


def _launch(binaries: Path, user: ServerUser, files: ServerFiles, say: Say) -> EmbeddedServer:
    """Start the server; what a killed one left behind may hold its memory for a moment, so try again."""
    deadline = time.monotonic() + _LINGER_SECONDS
    while True:
        clear_stale_lock_files(files)
        words = _start_once(binaries, user, files, say)
        server = live_server(files)
        if server:
            return server
        if postgres_runs_on(files.data):
            raise _too_slow(files)
        if time.monotonic() > deadline or not any(sign in words for sign in _LINGERING):
            raise _refusal(files, words, "The embedded Postgres did not start.")
        time.sleep(0.5)


def _start_once(binaries: Path, user: ServerUser, files: ServerFiles, say: Say) -> str:
    """Run `pg_ctl start` to its end and give what was said meanwhile, on its output and in the log."""
    sizes = _log_sizes(files)
    options = shlex.join(["-D", str(files.data), "-c", f"config_file={files.settings_file}"])
    command = [str(binaries / "pg_ctl"), "start", "--wait", f"--timeout={START_SECONDS}", "--silent"]
    with _output_in_memory() as output:
        program = user.start([*command, f"--options={options}"], output, files.data)
        _follow(program, _Progress(files, say))
        return _read(output) + _log_since(files, sizes)


def _follow(program: subprocess.Popen[bytes], progress: "_Progress") -> None:
    while True:
        try:
            program.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            progress.tell()
        else:
            return


class _Progress:
    """Says every few seconds that the server still isn't up, and what it says itself."""

    def __init__(self, files: ServerFiles, say: Say) -> None:
        self._files = files
        self._say = say
        self._last_at = time.monotonic()

    def tell(self) -> None:
        if time.monotonic() - self._last_at >= _QUIET_SECONDS:
            self._last_at = time.monotonic()
            self._say(f"Postgres is not ready yet. {_last_log_line(self._files)}".strip())


@contextmanager
def _output_in_memory() -> Iterator[IO[bytes]]:
    """A file for a program's last words that needs no disk: the disk may be what is full."""
    with os.fdopen(os.memfd_create("postgres-output"), "w+b") as output:
        yield output


def _read(output: IO[bytes]) -> str:
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode(errors="replace")


def _log_sizes(files: ServerFiles) -> dict[Path, int]:
    return {path: path.stat().st_size for path in files.log.glob("*.log")}


def _log_since(files: ServerFiles, sizes: dict[Path, int]) -> str:
    parts = []
    for path in sorted(files.log.glob("*.log")):
        with path.open("rb") as log:
            log.seek(sizes.get(path, 0))
            parts.append(log.read().decode(errors="replace"))
    return "".join(parts)


def _last_log_line(files: ServerFiles) -> str:
    newest = max(files.log.glob("*.log"), key=lambda path: path.stat().st_mtime, default=None)
    lines = newest.read_text(errors="replace").splitlines() if newest else []
    return lines[-1] if lines else ""


def _too_slow(files: ServerFiles) -> SightlineError:
    return SightlineError(
        f"The embedded Postgres did not answer within {START_SECONDS} seconds.",
        why=f"It is still at work. {_last_log_line(files)}".strip(),
        fix=f"Wait and try again: it goes on by itself, and nothing is lost. Its log is in {files.log}.",
    )


def _refusal(files: ServerFiles, words: str, what: str) -> SightlineError:
    if "No space left on device" in words or disk_is_full(files.folder):
        return SightlineError(
            what,
            why=f"The disk of {files.folder} is full.",
            fix="Free at least 500 MB there, or set SIGHTLINE_HOME to a folder on another disk; nothing is lost.",
        )
    return SightlineError(what, why=_reason(words), fix=f"The whole story is in {files.log}.")


def _reason(words: str) -> str:
    """The last thing that went wrong, without its time stamp; clients that came too early are not the reason."""
    found = [match["reason"] for match in _LOG_LEVELS.finditer(words)]
    reasons = [reason for reason in found if not reason.startswith("the database system is")]
    lines = words.split("\n")
    last = reasons[-1] if reasons else next((line for line in reversed(lines) if line.strip()), "It said nothing")
    return f"{last.strip().rstrip('.')}."
