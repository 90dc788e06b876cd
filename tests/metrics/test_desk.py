"""One desk, many readers: each answer is of one version, no reader waits for a half one, and versions never go back."""

import threading
import time
from datetime import date
from pathlib import Path

import pytest

from app.lake.lake import NoLakeError, UnknownVersionError
from app.lake.storage import LakeDamagedError
from app.metrics.question import question
from tests.metrics.small_lake import JANUARY, Asking, sent, viewer

DAY = date(2026, 1, 10)
LOOKED_AGAIN = 0.3


def test_without_a_lake_the_way_to_get_one_is_told(lake, desks):
    with pytest.raises(NoLakeError, match="sightline refresh"):
        desks(lake).ask(question("sent", *JANUARY), viewer(1))


def test_as_of_a_version_the_figures_are_those_of_that_time(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    lake.add("email_days", sent(DAY, delivered=10))
    lake.publish()
    time.sleep(LOOKED_AGAIN)
    assert ask.one("sent") == 11
    assert ask.one("sent", as_of=1) == 1
    assert ask.answer("sent", as_of=1).receipt.lake_version == 1
    with pytest.raises(UnknownVersionError):
        ask.one("sent", as_of=9)


def test_names_are_those_of_the_version_too(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    lake.tables["workspaces"] = []
    lake.add(
        "workspaces", {"code": 1, "id": str(next(iter(viewer(1).workspaces))), "name": "Acme & Sons", "slug": "acme"}
    )
    lake.publish()
    assert [row["workspace_name"] for row in ask.rows("sent", by="workspace", as_of=1)] == ["Acme"]
    assert [row["workspace_name"] for row in ask.rows("sent", by="workspace", as_of=2)] == ["Acme & Sons"]


def test_a_version_that_is_older_than_the_one_seen_is_not_taken(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    lake.add("email_days", sent(DAY, delivered=10))
    lake.publish()
    assert ask.one("sent") in {1, 11}
    time.sleep(LOOKED_AGAIN)
    assert ask.one("sent") == 11
    lake.versions.pop()
    time.sleep(LOOKED_AGAIN)
    assert ask.one("sent", until=date(2026, 1, 31)) == 11


def test_many_small_refreshes_and_a_compaction_give_the_same_figures(lake, asking):
    """Twenty refreshes add one each; then one file takes the place of all."""
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    for number in range(2, 21):
        lake.add("email_days", sent(DAY, delivered=1))
        lake.publish()
        assert ask.one("sent", as_of=number) == number
    lake.tables["email_days"] = []
    lake.add("email_days", sent(DAY, delivered=20))
    lake.publish()
    assert ask.one("sent", as_of=21) == 20
    assert ask.one("sent", as_of=3) == 3


def test_a_rollup_that_is_too_large_for_memory_is_read_from_the_files_of_its_months(lake, desks):
    lake.add("email_days", sent(DAY, delivered=1))
    lake.add("email_days", sent(date(2026, 2, 10), delivered=10))
    lake.publish()
    ask = Asking(lake, desks(lake, rows_in_memory=1), viewer(1))
    assert ask.one("sent") == 1
    assert ask.one("sent", until=date(2026, 3, 1)) == 11
    assert ask.one("sent", date(2026, 3, 1), date(2026, 4, 1)) == 0
    assert ask.one("sent", date(2026, 2, 1), date(2026, 3, 1), compare="previous") == 10


def test_a_damaged_file_is_told_in_sentences(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    Path(lake.tables["email_days"][0].path).write_bytes(b"not Parquet at all")
    with pytest.raises(LakeDamagedError, match="sightline refresh --rebuild"):
        ask.one("sent")


def test_readers_never_see_an_error_a_half_refresh_or_a_version_going_back(lake, asking):
    """Every refresh adds one to both rollups: whoever sees them differ saw half of one."""
    lake.add("email_days", sent(DAY, delivered=1))
    lake.add("audience_days", {"workspace_code": 1, "day": DAY, "contacts_added": 1})
    ask = asking()
    stop, wrong = threading.Event(), []

    def read() -> None:
        seen = 0
        try:
            while not stop.is_set():
                answer = ask.answer(["sent", "contacts_added"], until=date(2026, 2, 1 + seen % 20))
                row, seen_now = answer.rows()[0], answer.receipt.lake_version
                if row["emails_sent"] != row["contacts_added"] or row["emails_sent"] != seen_now or seen_now < seen:
                    wrong.append((row, seen, seen_now))
                seen = seen_now
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(30):
        lake.add("email_days", sent(DAY, delivered=1))
        lake.add("audience_days", {"workspace_code": 1, "day": DAY, "contacts_added": 1})
        lake.publish()
        time.sleep(0.05)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
