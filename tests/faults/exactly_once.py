"""Kills refreshes at random moments while writers go on, then asks whether lake and rollups equal Postgres.

Run the whole campaign with `python -m tests.faults.exactly_once`, or with a number of kills: `… 200`.
"""

import sys
import time
from multiprocessing import get_context
from pathlib import Path
from random import Random

from tests.faults.writers import Writers, fill
from tests.lake.truth import differences
from tests.servers import Database, new_database, server_of_a_program

KILLS = 200
STEPS = 12
# A process that has everything imported gives birth to those that are killed: its children start in milliseconds.
_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload(["app.lake.refresh", "deltalake", "duckdb", "adbc_driver_postgresql.dbapi"])


def refresh(url: str, folder: str, zone: str) -> None:
    """One refresh in a process of its own."""
    from app.lake.lake import Lake  # noqa: PLC0415
    from app.lake.refresh import Place, Refresher  # noqa: PLC0415

    refresher = Refresher(Place(Lake(Path(folder)), url, url, zone))
    refresher.refresh()
    refresher.tidy()


def refreshed(url: str, folder: Path, zone: str, *, killed_after: float | None) -> bool:
    """Refresh, and kill it after some seconds; says whether it was killed before its end."""
    process = _PROCESSES.Process(target=refresh, args=(url, str(folder), zone))
    process.start()
    process.join(killed_after)
    was_killed = process.is_alive()
    process.kill() if was_killed else None
    process.join()
    if not was_killed and process.exitcode:
        raise AssertionError(f"A refresh that nobody killed ended with {process.exitcode}.")
    return was_killed


def campaign(database: Database, folder: Path, *, kills: int, seed: int, zone: str = "Asia/Kolkata") -> dict[str, int]:
    """Kill so many refreshes; the differences that are left at the end, which should be none."""
    from app.lake.lake import Lake  # noqa: PLC0415

    dice = Random(seed)
    url = database.server.url(database.name, "test_app_pipe")
    with database.setup.begin() as connection:
        fill(connection)
    writers = Writers(database.server.url(database.name), dice)
    done, longest = 0, 1.0
    try:
        while done < kills:
            for _ in range(dice.randrange(STEPS)):
                writers.step()
            started = time.monotonic()
            if refreshed(url, folder, zone, killed_after=dice.random() * longest * 1.1):
                done += 1
            else:
                longest = max(0.3, time.monotonic() - started)
        writers.settle()
    finally:
        writers.close()
    refreshed(url, folder, zone, killed_after=None)
    return differences(url, Lake(folder))


def main(kills: int = KILLS, seed: int | None = None) -> None:
    seed = seed or time.time_ns() % 1_000_000
    with server_of_a_program() as (server, folder), new_database(server) as database:
        started = time.monotonic()
        left = campaign(database, folder / "lake", kills=kills, seed=seed)
    seconds = time.monotonic() - started
    sys.stdout.write(f"{kills} refreshes killed in {seconds:.0f} s (seed {seed}); differences: {left or 'none'}\n")
    sys.exit(bool(left))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
