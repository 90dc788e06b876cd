"""Homes with the smallest demo and its figures: made once in a run of tests, and copied for each that changes it."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers import quickest

SIGHTLINE = Path(sys.executable).parent / "sightline"


@contextmanager
def prepared(shared: Path) -> Iterator[Path]:
    """The home that others are copied from: made by whichever process of the run asks first, removed by the last.

    In the shared folder stands only where it is: pytest closes that folder to the user of the database's server
    whenever another run of tests begins.
    """
    told = shared / "demo-home"
    with (shared / "demo-home.users").open("w") as users:
        # Whoever finds the home made must hold it too, or the first to end takes it from those that still use it.
        fcntl.flock(users, fcntl.LOCK_SH)
        while not told.exists():
            fcntl.flock(users, fcntl.LOCK_EX)
            if not told.exists():
                told.write_text(str(_made()))
            fcntl.flock(users, fcntl.LOCK_SH)
        home = Path(told.read_text())
        yield home
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            told.unlink()
            shutil.rmtree(home.parent)


def _made() -> Path:
    home = Path(tempfile.mkdtemp(prefix="sl-", dir=quickest())) / "home"
    for arguments in (("demo", "--size", "tiny"), ("refresh",)):
        subprocess.run(
            [SIGHTLINE, *arguments], check=True, timeout=240, stdout=subprocess.DEVNULL, env=environment(home)
        )
    return home


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a program is told that works in this home, on its own server."""
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {
        "SIGHTLINE_HOME": str(home),
        **more,
    }


@contextmanager
def new_home(pattern: Path | None = None) -> Iterator[Path]:
    """A home of one's own, empty or as the pattern is. Its path is short: there is a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="sl-", dir=quickest()))
    home = folder / "home"
    if pattern:
        # Its files belong to two users and stay theirs.
        subprocess.run(["cp", "--archive", pattern, home], check=True)
    yield home
    shutil.rmtree(folder)
