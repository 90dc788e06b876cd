"""Many processes take from one quota at once, and processes are killed between reserving and settling.

Run the whole campaign with `python -m tests.faults.quotas`: 16 processes with 2,000 attempts each, a tenth of them
under keys of others, at 1, 10 and 1,000 remaining; then 200 kills.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.pool import Pool
from random import Random
from uuid import UUID

import psycopg

from tests.quotas.shop import Shop, make_shop
from tests.servers import Database, new_database, server_of_a_program

PROCESSES, ATTEMPTS, KILLS = 16, 2_000, 200
REMAINING = (1, 10, 1_000)
RESERVE = """
    SELECT quota_reserve(%s, %s, 'web_builder', '{"generations": 1}', %s, holds_for => %s) ->> 'verdict'
"""
MIXED = """
    SELECT quota_reserve(%s, %s, 'web_builder', '{"generations": 1, "veo": 1}', %s, holds_for => '5 milliseconds')
"""
SETTLE = "SELECT quota_settle(%s, %s) ->> 'state'"
RELEASE = "SELECT quota_release(%s, %s) ->> 'state'"


@dataclass(frozen=True)
class Customer:
    """Where a process takes from, and as whom."""

    url: str
    workspace: UUID
    owner: UUID

    @classmethod
    def of(cls, shop: Shop) -> "Customer":
        database = shop.database
        return cls(database.server.url(database.name, "test_app_rw"), shop.workspace, shop.owner)

    def connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self.url, autocommit=True)
        connection.execute("SELECT set_config('app.workspaces', %s, false)", (f"{{{self.workspace}}}",))
        return connection

    def reserve(self, connection: psycopg.Connection, key: str, holds_for: timedelta = timedelta(minutes=15)) -> bool:
        [verdict] = connection.execute(RESERVE, (self.workspace, self.owner, key, holds_for)).fetchone()
        return verdict == "admitted"


def take(customer: Customer, number: int, attempts: int, starts_at: float) -> list[str]:
    """Attempts of one process; the keys that were admitted. A tenth of the keys are used by all processes."""
    dice = Random(number)
    admitted = []
    with customer.connect() as connection:
        time.sleep(max(0.0, starts_at - time.time()))
        for attempt in range(attempts):
            key = f"shared {attempt}" if dice.random() < 0.1 else f"{number} {attempt}"
            if customer.reserve(connection, key):
                admitted.append(key)
    return admitted


def imported(_number: int) -> None:
    """Long enough that each process of a pool is given one: by then it has imported what it needs."""
    time.sleep(0.2)


def together(pool: Pool, processes: int) -> float:
    """When to begin, so that all are there: who comes later would find the limit reached, and race nobody."""
    pool.map(imported, range(processes), chunksize=1)
    return time.time() + 0.5


def crowd(database: Database, remaining: int, *, processes: int, attempts: int) -> tuple[int, int, list[tuple]]:
    """How many keys were told that they are admitted, how many are held, and what sums are wrong."""
    shop = make_shop(database)
    shop.limit(remaining + 7)
    shop.reserve("before", meters={"generations": 7})
    shop.settle("before")
    with get_context("spawn").Pool(processes) as pool:
        starts_at = together(pool, processes)
        told = pool.starmap(take, [(Customer.of(shop), number, attempts, starts_at) for number in range(processes)])
    keys = {key for one in told for key in one}
    used, held = shop.used_and_held()
    return len(keys), used + held - 7, shop.wrong_sums()


def mix(customer: Customer, number: int, steps: int, starts_at: float) -> int:
    """One process that reserves of several limits, settles, releases and sweeps, mostly calls that others made."""
    dice = Random(number)
    done = 0
    with customer.connect() as connection:
        time.sleep(max(0.0, starts_at - time.time()))
        for _ in range(steps):
            key = f"call {dice.randrange(steps)}"
            kind = dice.choice(("reserve", "reserve", "settle", "release", "sweep"))
            if kind == "reserve":
                connection.execute(MIXED, (customer.workspace, customer.owner, key))
            elif kind == "sweep":
                connection.execute("SELECT expire_quota_reservations(5)")
            else:
                try:
                    connection.execute(SETTLE if kind == "settle" else RELEASE, (customer.workspace, key))
                except psycopg.errors.NoDataFound:
                    continue
            done += 1
    return done


def mixture(database: Database, *, processes: int, steps: int) -> tuple[int, list[tuple]]:
    """How much was done by all of them together, and what sums are wrong; a deadlock is an error."""
    shop = make_shop(database)
    shop.limit(steps)
    shop.limit(steps // 2, meter="veo", period="day")
    with get_context("spawn").Pool(processes) as pool:
        starts_at = together(pool, processes)
        done = pool.starmap(mix, [(Customer.of(shop), number, steps, starts_at) for number in range(processes)])
    return sum(done), shop.wrong_sums()


def reserve_and_hang(customer: Customer, key: str, gate: int) -> None:
    """Reserve, say so, and wait to be killed before settling."""
    with customer.connect() as connection:
        customer.reserve(connection, key)
        os.write(gate, b"x")
        time.sleep(60)


def kills(database: Database, count: int, seed: int = 1) -> tuple[tuple[int, int], list[tuple]]:
    """Kill so many processes between reserving and settling, at any moment, then sweep; what is left too much."""
    dice = Random(seed)
    shop = make_shop(database)
    shop.limit(count * 3)
    customer = Customer.of(shop)
    settled = 0
    with customer.connect() as connection:
        for number in range(count):
            settled += _one_kill(customer, connection, f"key {number}", dice)
    shop.expire(datetime.now(UTC) + timedelta(hours=1), at_most=count * 2)
    used, held = shop.used_and_held()
    return (used - settled, held), shop.wrong_sums()


def _one_kill(customer: Customer, connection: psycopg.Connection, key: str, dice: Random) -> int:
    """A child reserves and is killed, mostly before it could say so; every third call is made again and settled."""
    ready, gate = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            reserve_and_hang(customer, key, gate)
        finally:
            os._exit(1)
    os.close(gate)
    if dice.random() < 0.5:
        os.read(ready, 1)
    else:
        time.sleep(dice.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready)
    if dice.random() < 0.33 and customer.reserve(connection, key):
        # Asked again under its key it is admitted once, whether the killed one was or not.
        connection.execute(SETTLE, (customer.workspace, key))
        return 1
    return 0


def main(processes: int = PROCESSES, attempts: int = ATTEMPTS, killed: int = KILLS) -> None:
    with server_of_a_program() as (server, _):
        for remaining in REMAINING:
            started = time.monotonic()
            with new_database(server) as database:
                told, held, wrong = crowd(database, remaining, processes=processes, attempts=attempts)
            seconds = time.monotonic() - started
            sys.stdout.write(
                f"{processes} processes, {attempts:,} attempts each, {remaining:,} remaining:"
                f" {told:,} admitted, {held:,} held, {len(wrong)} sums wrong, {seconds:.0f} s\n"
            )
            if (told, held, wrong) != (remaining, remaining, []):
                raise SystemExit("The limit was not kept.")
        with new_database(server) as database:
            left, wrong = kills(database, killed)
        sys.stdout.write(f"{killed} kills: {left[0]} used and {left[1]} held too much, {len(wrong)} sums wrong\n")
        if (left, wrong) != ((0, 0), []):
            raise SystemExit("Something was lost or leaked.")


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:]))
