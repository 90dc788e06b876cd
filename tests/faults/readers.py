"""Readers who ask without pause while the lake is written and folded: no error, no half of a refresh, no step back.

Run the whole campaign with `python -m tests.faults.readers`: 8 readers during 100 refreshes, or during another number.
"""

import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from app.access import Role, Viewer, all_workspaces
from app.metrics.desk import Desk
from app.metrics.question import question
from tests.lake.lakes import NOON, lake_with_company, mail, session
from tests.servers import Database, new_database, server_of_a_program

READERS, REFRESHES, CONTACTS = 8, 100, 12
# Answered by three rollups: of one refresh, they say the same.
ASKED = (("emails_delivered", ()), ("emails_delivered", ("domain",)), ("emails_delivered", ("hour",)))
# A version, and what its rollups said.
Seen = list[tuple[int, set[int]]]


def reading(desk: Desk, viewer: Viewer, stop: threading.Event, seen: Seen, failures: list[Exception]) -> None:
    """Ask without pause; note every version with what its rollups said."""
    since, until = NOON.date() - timedelta(days=30), NOON.date() + timedelta(days=30)
    try:
        while not stop.is_set():
            version = desk.version().number
            said = {
                sum(desk.ask(question(metric, since, until, by=by, as_of=version), viewer).table[metric].to_pylist())
                for metric, by in ASKED
            }
            seen.append((version, said))
    except Exception as error:  # noqa: BLE001 - whatever a reader sees is what the campaign is about
        failures.append(error)


def campaign(database: Database, folder: Path, *, refreshes: int) -> tuple[list[Seen], list[Exception]]:
    """What each reader saw, and what went wrong for them."""
    lake = lake_with_company(database, folder)
    lake.refresh()
    viewer = Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(database.pipe))
    desk, stop, failures = Desk(lake.lake, currency="USD"), threading.Event(), []
    seen: list[Seen] = [[] for _ in range(READERS)]
    threads = [threading.Thread(target=reading, args=(desk, viewer, stop, one, failures)) for one in seen]
    for thread in threads:
        thread.start()
    try:
        with session(database) as writer:
            for number in range(refreshes):
                mail(writer, "delivered", NOON - timedelta(minutes=number), contact=number % CONTACTS + 1)
                mail(writer, "clicked", NOON - timedelta(minutes=number), contact=number % CONTACTS + 1)
                lake.refresh()
                # By then there are files enough to be folded.
                if number == refreshes * 3 // 4:
                    assert lake.refresher.tidy()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    desk.close()
    return seen, failures


def amiss(seen: list[Seen], failures: list[Exception]) -> list[str]:
    """What readers should not have met, in words."""
    found = [f"an error: {error!r}" for error in failures]
    for versions in seen:
        numbers = [number for number, _ in versions]
        if numbers != sorted(numbers):
            found.append("a version after a newer one")
        found += [f"version {number} said {sorted(said)}" for number, said in versions if len(said) != 1]
    # Each contact is delivered to for the first time once: the last version knows all of them.
    last = max((max(said) for versions in seen for _, said in versions), default=0)
    if last != CONTACTS:
        found.append(f"{last} of {CONTACTS} in the end")
    return found


def main(refreshes: int = REFRESHES) -> None:
    with server_of_a_program() as (server, folder), new_database(server) as database:
        started = time.monotonic()
        seen, failures = campaign(database, folder / "lake", refreshes=refreshes)
    seconds, wrong = time.monotonic() - started, amiss(seen, failures)
    asked = sum(len(versions) for versions in seen)
    sys.stdout.write(
        f"{READERS} readers asked {asked:,} times during {refreshes} refreshes and a folding, in {seconds:.0f} s;"
        f" amiss: {wrong or 'nothing'}\n"
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
