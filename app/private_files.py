"""Files that only the app's own user may read: replaced as a whole, changed by one process at a time."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from db.errors import SightlineError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PrivateFile:
    """One file with secrets, in the keys folder."""

    def __init__(self, path: Path, *, holds: str) -> None:
        self.path = path
        self.holds = holds

    def exists(self) -> bool:
        return os.path.lexists(self.path)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the system's refusals into a sentence."""
        try:
            yield
        except OSError as error:
            raise SightlineError(
                f"The file {self.path} with {self.holds} can't be used.",
                why=f"The system says: {error.strerror}.",
                fix="Give the user of the app this folder, with room on its disk.",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time changes the file."""
        folder = self._private_folder()
        lock = os.open(folder / f"{self.path.stem}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read(self) -> bytes:
        self._private_folder()
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SightlineError(
                    f"The file {self.path} with {self.holds} is open to other users.",
                    why="Whoever reads it can open every secret.",
                    fix=f"chmod 600 {self.path}; if others may have read it, rotate the keys.",
                )
            return file.read()

    def replace(self, content: bytes) -> None:
        """Replace the file as a whole, so that a crash leaves the old or the new one."""
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)  # what a crash left behind
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        new.replace(self.path)
        _sync_folder(self.path.parent)

    def _private_folder(self) -> Path:
        folder = self.path.parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & _OTHERS:
            raise SightlineError(
                f"The keys folder {folder} is open to other users.",
                why="Whoever may write there can replace the keys.",
                fix=f"chmod 700 {folder}",
            )
        return folder


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
