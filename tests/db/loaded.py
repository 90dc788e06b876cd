"""The smallest demo in a database of its own: loaded once on a server, and copied for whoever wants one."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache

from sqlalchemy import Engine

from db.demo import DemoSummary, Size, load_demo
from db.vault import Vault
from tests.servers import Database, Server, new_database

TODAY = date(2026, 11, 21)
VAULT = Vault({"0a1b2c3d": hashlib.sha256(b"a key for tests").digest()}, "0a1b2c3d")
_PATTERN = "sightline_demo"


def quiet(step: str, done: int, total: int) -> None:
    """A progress that nobody looks at."""


def load(setup: Engine, *, seed: int = 7, size: Size = Size.TINY, today: date = TODAY) -> DemoSummary:
    return load_demo(
        setup,
        size=size,
        seed=seed,
        today=today,
        seal=lambda place, secret: VAULT.seal(secret, place),
        digest=lambda secret: hashlib.sha256(secret.encode()).digest(),
        progress=quiet,
    )


@contextmanager
def demo_database(server: Server) -> Iterator[Database]:
    """A copy of the demo that its user may change."""
    with new_database(server, template=_pattern(server)) as copied:
        yield copied


@cache
def _pattern(server: Server) -> str:
    with new_database(server) as fresh:
        load(fresh.setup)
        # Nobody may be connected to what is copied.
        fresh.close()
        server.run(f"CREATE DATABASE {_PATTERN} TEMPLATE {fresh.name} STRATEGY file_copy")
    return _PATTERN
