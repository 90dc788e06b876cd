"""Measures taking from quotas: our function beside row locks, advisory locks and SERIALIZABLE, on one key and on 200.

Run it with `python -m tests.bench.quotas`, or with seconds for each turn: `python -m tests.bench.quotas 5`.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.pool import Pool
from random import Random
from statistics import median
from uuid import UUID

import psycopg
from sqlalchemy import text

from tests.db.rows import NOON
from tests.faults.quotas import imported
from tests.quotas.shop import make_shop
from tests.servers import Database, Server, new_database, server_of_a_program

PROCESSES = 16
SECONDS = 1.0
TURNS = 5
KEYS = (1, 200)
LIMIT = 10**9
INSERT = """
    INSERT INTO quota_reservations (workspace_id, balance_id, idempotency_key, amount, expires_at)
    VALUES (%s, %s, %s, 1, now() + interval '15 minutes')
"""
UPDATE = "UPDATE quota_balances SET held = held + 1 WHERE workspace_id = %s AND id = %s"
READ = "SELECT limit_amount - used - held FROM quota_balances WHERE workspace_id = %s AND id = %s"


@dataclass(frozen=True)
class Target:
    """A workspace to take from, and the balance of its one limit."""

    workspace: UUID
    owner: UUID
    balance: UUID


@dataclass(frozen=True)
class Result:
    """How many were taken in a second, how often a transaction had to begin again, and whether the sums are right."""

    name: str
    keys: int
    per_second: float
    again: int
    is_right: bool


def by_our_function(connection: psycopg.Connection, target: Target, key: str) -> int:
    _begin(connection, target)
    connection.execute(
        "SELECT quota_reserve(%s, %s, 'web_builder', '{\"campaigns\": 1}', %s)", (target.workspace, target.owner, key)
    )
    connection.commit()
    return 0


def by_our_function_with_budgets(connection: psycopg.Connection, target: Target, key: str) -> int:
    _begin(connection, target)
    connection.execute(
        "SELECT quota_reserve(%s, %s, 'web_builder', '{\"campaigns\": 1}', %s, '{\"provider\": \"openai\"}')",
        (target.workspace, target.owner, key),
    )
    connection.commit()
    return 0


def by_row_lock(connection: psycopg.Connection, target: Target, key: str) -> int:
    _begin(connection, target)
    return _take(connection, target, key, READ + " FOR UPDATE")


def by_advisory_lock(connection: psycopg.Connection, target: Target, key: str) -> int:
    _begin(connection, target)
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (str(target.balance),))
    return _take(connection, target, key, READ)


def by_serializable(connection: psycopg.Connection, target: Target, key: str) -> int:
    connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    again = 0
    while True:
        try:
            _begin(connection, target)
            _take(connection, target, key, READ)
        except psycopg.errors.SerializationFailure:
            connection.rollback()
            again += 1
        else:
            return again


def _begin(connection: psycopg.Connection, target: Target) -> None:
    """As every transaction of a product begins: it names its workspace."""
    connection.execute("SELECT set_config('app.workspaces', %s, true)", (f"{{{target.workspace}}}",))


def _take(connection: psycopg.Connection, target: Target, key: str, read: str) -> int:
    """Read, look, write: what a product does by itself."""
    place = (target.workspace, target.balance)
    [left] = connection.execute(read, place).fetchone()
    if left > 0:
        connection.execute(UPDATE, place)
        connection.execute(INSERT, (*place, key))
    connection.commit()
    return 0


WAYS: dict[str, Callable[[psycopg.Connection, Target, str], int]] = {
    "our function": by_our_function,
    "our function, budgets asked as well": by_our_function_with_budgets,
    "row lock, then look and write": by_row_lock,
    "advisory lock, then look and write": by_advisory_lock,
    "SERIALIZABLE, again when it fails": by_serializable,
}


def taker(url: str, way: str, targets: list[Target], name: str, span: tuple[float, float]) -> tuple[int, int]:
    """One process in a span of time: how many it took, and how often it had to begin again."""
    starts_at, ends_at = span
    dice = Random(name)
    taken = again = 0
    with psycopg.connect(url) as connection:
        time.sleep(max(0.0, starts_at - time.time()))
        while time.time() < ends_at:
            again += WAYS[way](connection, dice.choice(targets), f"{name} {taken}")
            taken += 1
    return taken, again


def targets_of(database: Database, keys: int) -> list[Target]:
    """So many workspaces, each with a limit that is never reached and a balance that is open."""
    found = []
    for _ in range(keys):
        # Of a tier one version is sold at a time: each workspace has one of its own that is sold no more.
        shop = make_shop(database, status="retired", retired_at=NOON)
        shop.limit(LIMIT, meter="campaigns")
        shop.reserve("open", meters={"campaigns": 1})
        [[balance]] = shop.ask("SELECT id FROM quota_balances WHERE workspace_id = :own", own=shop.workspace)
        found.append(Target(shop.workspace, shop.owner, balance))
    with database.setup.begin() as connection:
        connection.execute(text("ANALYZE"))
    return found


@dataclass
class Arena:
    """A database of one way and one number of keys, and what each of its turns brought."""

    way: str
    database: Database
    targets: list[Target]
    taken: list[int] = field(default_factory=list)
    again: int = 0

    def turn(self, pool: Pool, number: int, seconds: float) -> None:
        url = self.database.server.url(self.database.name, "test_app_rw")
        starts_at = time.time() + 0.5
        span = (starts_at, starts_at + seconds)
        made = pool.starmap(
            taker, [(url, self.way, self.targets, f"{number} {one}", span) for one in range(PROCESSES)], chunksize=1
        )
        self.taken.append(sum(one for one, _ in made))
        self.again += sum(one for _, one in made)

    def result(self, seconds: float) -> Result:
        with self.database.setup.connect() as connection:
            held = connection.scalar(text("SELECT SUM(held) FROM quota_balances"))
            rows = connection.scalar(text("SELECT COUNT(*) FROM quota_reservations"))
        is_right = held == rows == sum(self.taken) + len(self.targets)
        return Result(self.way, len(self.targets), median(self.taken) / seconds, self.again, is_right)


def measured(server: Server, seconds: float) -> list[Result]:
    """In turns, so that what else the machine does falls on all ways alike."""
    with ExitStack() as open_ones:
        arenas = []
        for keys in KEYS:
            for way in WAYS:
                database = open_ones.enter_context(new_database(server))
                arenas.append(Arena(way, database, targets_of(database, keys)))
        with get_context("spawn").Pool(PROCESSES) as pool:
            pool.map(imported, range(PROCESSES), chunksize=1)
            for number in range(TURNS):
                for arena in arenas:
                    arena.turn(pool, number, seconds)
        return [arena.result(seconds) for arena in arenas]


def table_of(results: list[Result], version: str, seconds: float) -> str:
    """What a person reads: where it ran, and a line per way."""
    by_key = {(one.name, one.keys): one for one in results}
    lines = [
        f"{PROCESSES} takers, {os.cpu_count()} cores, medians of {TURNS} turns of {seconds:g} s; {version}, fsync=off",
        f"{'':<38} {'one key/s':>10} {'again':>7} {'200 keys/s':>11} {'again':>7}  sums",
    ]
    for name in WAYS:
        one, many = (by_key[name, keys] for keys in KEYS)
        right = "right" if one.is_right and many.is_right else "WRONG"
        lines.append(
            f"{name:<38} {one.per_second:>10,.0f} {one.again:>7,} {many.per_second:>11,.0f} {many.again:>7,}  {right}"
        )
    return "\n".join(lines)


def main(seconds: float = SECONDS) -> None:
    with server_of_a_program() as (server, _):
        results = measured(server, seconds)
        with server.engine("postgres").connect() as connection:
            version = connection.scalar(text("SELECT 'Postgres ' || current_setting('server_version')"))
    sys.stdout.write(table_of(results, version, seconds) + "\n")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))
