"""Versions that are kept, pinned and forgotten, and files that nobody tells of any more."""

import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.lake.lake import UnknownVersionError
from app.lake.storage import NewFile, Table
from app.lake.sweep import sweep
from tests.lake.lakes import lake_with_company, session, use

LATER = datetime.now(UTC) + timedelta(days=8)


@pytest.fixture
def lake(database, tmp_path):
    """Three versions, in which usage adds up to 1, 2 and 3."""
    made = lake_with_company(database, tmp_path / "lake")
    with session(database) as writer:
        for _ in range(3):
            use(writer)
            made.refresh()
    return made


def grow_old(lake):
    """All files look as if they had been written long ago."""
    for file in lake.lake.folder.rglob("*.parquet"):
        os.utime(file, (time.time() - 86_400,) * 2)


def test_versions_of_the_last_hours_all_stay(lake):
    assert sweep(lake.lake) == {"versions_forgotten": 0, "files_deleted": 0}
    assert lake.lake.numbers() == [1, 2, 3]


def test_after_some_hours_the_last_of_each_hour_stays(lake):
    sweep(lake.lake, datetime.now(UTC) + timedelta(hours=5))
    assert lake.lake.numbers()[-1] == 3
    assert len(lake.lake.numbers()) <= 2


def test_after_a_week_the_newest_and_the_pinned_stay_and_tell_what_they_told(lake):
    lake.lake.pin(1)
    lake.refresher.tidy()
    grow_old(lake)
    assert sweep(lake.lake, LATER)["versions_forgotten"] == 1
    assert lake.lake.numbers() == [1, 3]
    assert (lake.total("usage_days", "uses", version=1), lake.total("usage_days", "uses")) == (1, 3)
    with pytest.raises(UnknownVersionError):
        lake.lake.read(2)


def test_what_is_pinned_or_published_while_the_sweep_looks_keeps_its_files(lake, database):
    """Version 2 was to go when the sweep looked; before it deletes, somebody pins it and a refresh makes another."""
    lake.refresher.tidy()
    grow_old(lake)

    @contextmanager
    def at_last():
        lake.lake.pin(2)
        with session(database) as writer:
            use(writer)
        lake.refresh()
        yield

    sweep(lake.lake, LATER, alone=at_last)
    assert lake.lake.numbers() == [2, 3, 4]
    assert [lake.total("usage_days", "uses", version=number) for number in (2, 3, 4)] == [2, 3, 4]
    assert lake.differences() == {}


def test_a_rebuild_that_begins_while_the_sweep_looks_keeps_its_tables(lake):
    grow_old(lake)

    @contextmanager
    def at_last():
        lake.refresher.rebuild()
        yield

    sweep(lake.lake, LATER, alone=at_last)
    assert lake.lake.numbers()[-1] == 4
    assert lake.differences() == {}


def test_a_version_that_is_swept_while_it_is_pinned_is_refused_and_leaves_no_pin(lake, monkeypatch):
    read = lake.lake.read
    monkeypatch.setattr(lake.lake, "read", lambda number: (read(number), lake.lake.forget(number))[0])
    with pytest.raises(UnknownVersionError):
        lake.lake.pin(2)
    assert lake.lake.numbers() == [1, 3]


def test_files_that_no_version_tells_of_are_deleted_once_they_are_old(lake):
    left = lake.lake.folder / lake.lake.read(3)["sources"]["usage_logs"][0] / "all" / "rows-left.parquet"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"of a refresh that died")
    assert sweep(lake.lake)["files_deleted"] == 0
    grow_old(lake)
    assert sweep(lake.lake)["files_deleted"] == 1
    assert not left.exists()
    assert lake.differences() == {}


def test_a_generation_that_was_replaced_is_swept_away_with_its_last_version(lake):
    lake.lake.begin_generation()
    lake.refresh()
    grow_old(lake)
    assert sweep(lake.lake, LATER)["files_deleted"] > 0
    lake.refresh()
    assert lake.differences() == {}


def test_a_version_of_a_month_ago_opens_after_many_commits(tmp_path):
    """Delta's own cleaning goes by age alone: it would take the log of a version that a link is pinned to."""
    month_ago = time.time() - 30 * 86_400
    table, opened = Table(tmp_path, "uses"), None
    for number in range(105):
        path = table.new_path(None)
        pq.write_table(pa.table({"n": [number]}), path)
        opened = table.commit(
            table.open(), pa.schema([("n", pa.int64())]), adds=[NewFile(path, None)], state={"n": number}
        )
        for file in (table.folder / "_delta_log").iterdir():
            os.utime(file, (month_ago, month_ago))
    assert opened.version == 104
    assert Table(tmp_path, "uses").at(1).rows == 2
