"""Homes with the smallest demo and its figures: made once in a run of tests, and copied for each that changes it."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import quickest

SIGHTLINE = Path(sys.executable).parent / "sightline"


def prepared(shared: Path) -> Path:
    """The home that others are copied from, made by whichever process of the run asks first."""
    shared.mkdir(exist_ok=True)
    home = shared / "home"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            shutil.rmtree(home, ignore_errors=True)
            for arguments in (("demo", "--size", "tiny"), ("refresh",)):
                command(home, *arguments)
            (shared / "made").touch()
    return home


def command(home: Path, *arguments: str) -> None:
    """The shell's words in this home."""
    inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment = {**inherited, "SIGHTLINE_HOME": str(home)}
    subprocess.run([SIGHTLINE, *arguments], check=True, timeout=240, stdout=subprocess.DEVNULL, env=environment)


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
