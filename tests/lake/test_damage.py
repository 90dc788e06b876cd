"""A lake that is damaged says so in a sentence, keeps its old answers, and is mended by a rebuild."""

import json
import os
import subprocess

import pytest

from app.lake.lake import Lake
from app.lake.storage import LakeDamagedError
from db.errors import SightlineError
from tests.lake.lakes import lake_with_company, session, use


@pytest.fixture
def lake(database, tmp_path):
    made = lake_with_company(database, tmp_path / "lake")
    with session(database) as writer:
        use(writer)
    made.refresh()
    return made


@pytest.fixture
def writer(database):
    with session(database) as connection:
        yield connection


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-20])


def remove(path):
    path.unlink()


def files_of(lake, source):
    return [os.fspath(part.path) for part in lake.lake.latest().sources[source].parts]


@pytest.mark.parametrize("damage", [cut_off, remove])
def test_a_damaged_file_is_named_and_a_rebuild_mends_it(lake, writer, tmp_path, damage):
    (file,) = files_of(lake, "usage_logs")
    damage(tmp_path / file)
    writer.execute("UPDATE usage_logs SET quantity = 7")
    with pytest.raises(LakeDamagedError, match="can't be read") as told:
        lake.refresh_anew()
    assert "sightline refresh --rebuild" in told.value.fix
    # The rollups are whole: what was answered yesterday is answered still.
    assert lake.total("usage_days", "quantity") == 1
    lake.lake.begin_generation()
    lake.refresh_anew()
    assert lake.total("usage_days", "quantity") == 7
    assert lake.differences() == {}


def test_a_damaged_log_is_named_and_a_rebuild_mends_it(lake, writer):
    table = lake.lake.folder / json_of(lake)["sources"]["usage_logs"][0]
    for entry in (table / "_delta_log").glob("*.json"):
        entry.write_text("no log")
    use(writer)
    with pytest.raises(LakeDamagedError, match="usage_logs"):
        lake.refresh_anew()
    lake.lake.begin_generation()
    lake.refresh_anew()
    assert lake.differences() == {}


def json_of(lake):
    return lake.lake.read(lake.lake.latest_number)


@pytest.mark.parametrize("written", ["", "no number", "{}"])
def test_a_pointer_that_says_nothing_is_named(lake, written):
    (lake.lake.folder / "latest").write_text(written)
    with pytest.raises(LakeDamagedError, match="latest"):
        lake.lake.latest()


def test_a_version_written_in_another_form_is_named(lake):
    """As a program older or newer than this one might have written it."""
    number = lake.lake.latest_number
    content = json_of(lake)
    del content["zone"]
    (lake.lake.folder / "versions" / f"{number + 1:08}.json").write_text(json.dumps(content))
    with pytest.raises(LakeDamagedError, match=f"Version {number + 1} of the lake can't be read"):
        Lake(lake.lake.folder).at(number + 1)


def test_tables_of_other_columns_are_made_beside_those_of_an_older_program(lake, writer):
    """Its tables lie under another digest; they are neither read nor written by this one."""
    before = json_of(lake)
    older = lake.lake.folder / before["sources"]["usage_logs"][0]
    older.rename(older.with_name("usage_logs-00000000"))
    use(writer)
    lake.refresh_anew()
    assert lake.differences() == {}
    assert older.with_name("usage_logs-00000000").exists()


def test_a_full_disk_is_named_and_nothing_is_lost(database, tmp_path):
    folder = tmp_path / "small disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], check=False).returncode:
        pytest.skip("Only a superuser of the machine can make a small disk to fill.")
    try:
        lake = lake_with_company(database, folder / "lake")
        with session(database) as writer:
            use(writer)
            with pytest.raises(SightlineError, match="could not be written") as told:
                lake.refresh()
            assert "Make room" in told.value.fix
            assert lake.lake.latest_number == 0
            subprocess.run(["mount", "-o", "remount,size=60m", folder], check=True)
            lake.refresh_anew()
            assert lake.differences() == {}
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
