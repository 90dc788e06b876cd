"""The OS user that the embedded Postgres runs as, and that user's way to its files."""

import os
import pwd
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.errors import SightlineError

Say = Callable[[str], None]

DEDICATED_NAME = "sightline"

# The server gets none of our variables: they may hold keys, and PG* ones would change what it does.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_ACL = "system.posix_acl_access"
_ACL_HEADER = struct.pack("<I", 2)
_ACL_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP, _NAMED_GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_ENTER = 1

AclEntry = tuple[int, int, int]  # tag, permissions, id


@dataclass(frozen=True)
class ServerUser:
    """An unprivileged user: the one who runs Sightline, or a stand-in for root, whom Postgres refuses."""

    name: str
    uid: int
    gid: int

    def start(self, command: Sequence[str], output: IO[bytes], data: Path) -> subprocess.Popen[bytes]:
        """Start a Postgres program as this user, out of reach of the terminal's Ctrl-C."""
        return subprocess.Popen(  # noqa: S603 - the programs are the package's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_ENVIRONMENT | {"PGDATA": str(data)},
            user=self.uid,
            group=self.gid,
            extra_groups=[] if is_root() else None,
            start_new_session=True,
        )

    def may(self, right: str, path: Path) -> bool:
        """Ask the system itself, as this user: modes, lists and mounts all have a say."""
        with Path(os.devnull).open("r+b") as nothing:
            return self.start(["test", f"-{right}", str(path)], nothing, path).wait() == 0


def is_root() -> bool:
    return os.geteuid() == 0


def runner_name() -> str:
    """The name of the OS user that runs Sightline."""
    return _user_of(os.geteuid()).name


def server_user(data: Path, say: Say) -> ServerUser:
    """The user that the server runs as: whoever owns its data, else this user, else a dedicated one."""
    if not is_root():
        return _user_of(os.geteuid())
    owner = data.stat().st_uid if data.exists() else 0
    return _user_of(owner) if owner else _dedicated_user(say)


def open_way(user: ServerUser, target: Path, say: Say) -> None:
    """Let the server's user reach a folder; nobody else gets in by it."""
    for folder in (*reversed(target.parents), target):
        if not user.may("x", folder):
            _let_in(user, folder, say)


def _user_of(uid: int) -> ServerUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise SightlineError(
            f"The embedded Postgres can't run as OS user {uid}.",
            why="That user has no name in /etc/passwd, and Postgres asks for one.",
            fix="Run Sightline as a named user, or set DATABASE_URL to a Postgres server of yours.",
        ) from None
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _dedicated_user(say: Say) -> ServerUser:
    if not _exists(DEDICATED_NAME) and not _added(DEDICATED_NAME):
        say("Postgres refuses to run as root and no user could be added for it: it runs as 'nobody'.")
        return _user_of(pwd.getpwnam("nobody").pw_uid)
    return _user_of(pwd.getpwnam(DEDICATED_NAME).pw_uid)


def _exists(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _added(name: str) -> bool:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        return False
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    subprocess.run([useradd, *options, name], capture_output=True, check=False)  # noqa: S603
    # Two copies may add it at the same moment: what counts is that the user is there.
    return _exists(name)


def _let_in(user: ServerUser, folder: Path, say: Say) -> None:
    """Grant one user the right to pass through one folder, by an access list: its mode stays closed to the rest."""
    try:
        os.setxattr(folder, _ACL, _packed(_with_entry(_entries(folder), user.uid)))
    except OSError as error:
        raise _no_way(user, folder, error.strerror or "the system refused") from error
    if not user.may("x", folder):
        raise _no_way(user, folder, "an access list was set and does not help")
    say(f"Postgres runs as '{user.name}': that user alone was allowed to pass through {folder} (setfacl shows it).")


def _no_way(user: ServerUser, folder: Path, why: str) -> SightlineError:
    return SightlineError(
        f"The embedded Postgres can't reach its files: user '{user.name}' can't pass through {folder}.",
        why=f"Postgres refuses to run as root, and that folder can't be opened to one user ({why}).",
        fix="Run Sightline as a normal user, or put the checkout and SIGHTLINE_HOME where that user gets in.",
    )


def _entries(folder: Path) -> list[AclEntry]:
    """The folder's access list; without one, the mode says the same."""
    try:
        return list(_ACL_ENTRY.iter_unpack(os.getxattr(folder, _ACL)[len(_ACL_HEADER) :]))
    except OSError:
        mode = stat.S_IMODE(folder.stat().st_mode)
        return [(_OWNER, mode >> 6 & 7, _NO_ID), (_GROUP, mode >> 3 & 7, _NO_ID), (_OTHER, mode & 7, _NO_ID)]


def _with_entry(entries: list[AclEntry], uid: int) -> list[AclEntry]:
    """The same list plus one user who may enter; what everyone else can do stays as it was."""
    mask = next((rights for tag, rights, _ in entries if tag == _MASK), 7)
    own = next((rights for tag, rights, who in entries if (tag, who) == (_USER, uid)), 0)
    kept = [
        # The new mask is wider: rights that the old one withheld must not come to life.
        (tag, rights & mask if tag in (_USER, _GROUP, _NAMED_GROUP) else rights, who)
        for tag, rights, who in entries
        if tag != _MASK and (tag, who) != (_USER, uid)
    ]
    kept.append((_USER, own & mask | _ENTER, uid))
    widest = 0
    for tag, rights, _ in kept:
        widest |= rights if tag in (_USER, _GROUP, _NAMED_GROUP) else 0
    return sorted([*kept, (_MASK, widest, _NO_ID)], key=lambda entry: (entry[0], entry[2]))


def _packed(entries: list[AclEntry]) -> bytes:
    return _ACL_HEADER + b"".join(_ACL_ENTRY.pack(*entry) for entry in entries)
