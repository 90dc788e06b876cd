"""Readers while the lake is written: no error, no half of a refresh, no step back."""

import threading
from datetime import timedelta

from app.access import Role, Viewer, all_workspaces
from app.metrics.desk import Desk
from app.metrics.question import question
from tests.lake.lakes import NOON, lake_with_company, mail, session

READERS, REFRESHES = 8, 100
# Answered by three rollups: of one refresh, they say the same.
ASKED = (("emails_delivered", ()), ("emails_delivered", ("domain",)), ("emails_delivered", ("hour",)))


def reading(desk: Desk, viewer: Viewer, stop: threading.Event, seen: list, failures: list) -> None:
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
    except Exception as error:  # noqa: BLE001 - whatever a reader sees is what the test is about
        failures.append(error)


def test_eight_readers_see_whole_versions_only_and_never_an_older_one(database, tmp_path):
    lake = lake_with_company(database, tmp_path / "lake")
    lake.refresh()
    viewer = Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(database.pipe))
    desk, stop, failures = Desk(lake.lake, currency="USD"), threading.Event(), []
    seen = [[] for _ in range(READERS)]
    threads = [threading.Thread(target=reading, args=(desk, viewer, stop, one, failures)) for one in seen]
    with session(database) as writer:
        for thread in threads:
            thread.start()
        for number in range(REFRESHES):
            mail(writer, "delivered", NOON - timedelta(minutes=number), contact=number % 12 + 1)
            mail(writer, "clicked", NOON - timedelta(minutes=number), contact=number % 12 + 1)
            lake.refresh()
            if number == REFRESHES // 2:
                assert lake.refresher.tidy()
        stop.set()
        for thread in threads:
            thread.join()
    desk.close()
    assert failures == []
    for one in seen:
        versions = [version for version, _ in one]
        assert versions == sorted(versions)
        assert all(len(said) == 1 for _, said in one)
    # Twelve contacts, each delivered to for the first time: the last version knows all of them.
    assert max(max(said) for one in seen for _, said in one) == 12
