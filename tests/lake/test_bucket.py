"""A lake in object storage: homes that share nothing but the bucket see the same figures, and never half of them."""

import itertools
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from app.access import Role, Viewer, all_workspaces
from app.lake import compact, storage
from app.lake.bucket import Bucket, BucketError
from app.lake.lake import LATEST, Lake, UnknownVersionError
from app.lake.mirror import Mirror
from app.lake.sweep import sweep
from app.metrics.desk import Desk
from app.metrics.question import question
from app.settings import settings
from db.errors import SightlineError
from tests.lake.lakes import NOON, LakeOf, lake_with_company, mail, session, use
from tests.lake.object_store import object_store

LATER = timedelta(days=8)


class Home(LakeOf):
    """One machine: a mirror of the bucket, and a process that may refresh."""

    def __init__(self, database, store, folder):
        super().__init__(database, folder)
        self._store = store
        self.restart()

    def restart(self):
        """Another process on the same files."""
        storage.forget_opened()
        self.lake = Mirror(self.lake.folder, Bucket(self._store.url()))
        self.refresher = self._refresher()

    def uses(self, version=None):
        return self.total("usage_days", "uses", version=version)

    def look(self):
        self.lake.look()
        return self.lake.latest_number


@pytest.fixture
def store():
    with object_store() as answering:
        yield answering


@pytest.fixture
def homes(database, store, tmp_path):
    """Homes of machines, as many as are asked for; the database knows a company."""
    lake_with_company(database, tmp_path / "none")
    numbers = itertools.count(1)
    return lambda: Home(database, store, tmp_path / f"home{next(numbers)}")


@pytest.fixture
def writer(database):
    with session(database) as connection:
        yield connection


def test_a_second_home_answers_the_same_from_the_bucket_alone(database, homes, store, writer, tmp_path):
    first, second = homes(), homes()
    mail(writer, "delivered")
    mail(writer, "opened")
    first.refresh()
    alone = Lake(tmp_path / "folder")
    by_folder = LakeOf(database, alone.folder)
    by_folder.refresh()
    viewer = Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(database.pipe))
    asked = question(
        ("emails_delivered", "open_rate"),
        NOON.date() - timedelta(days=2),
        NOON.date() + timedelta(days=1),
        by=("campaign",),
    )
    answers = []
    for lake in (alone, second.lake):
        desk = Desk(lake, currency="USD")
        answers.append(desk.ask(asked, viewer).table.to_pylist())
        desk.close()
    assert answers[0] == answers[1] != []
    assert not list(second.lake.folder.glob("g*/sources/email_events-*")), "facts stay where they are"
    assert store.names("latest") == {LATEST}


def test_the_bucket_is_looked_at_once_a_second_and_a_new_version_shows_by_itself(homes, store, writer):
    first, second = homes(), homes()
    first.refresh()
    assert second.lake.latest_number == 1
    use(writer)
    first.refresh()
    store.asked.clear()
    deadline = time.monotonic() + 10
    started = time.monotonic()
    while second.lake.latest_number < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert second.lake.latest_number == 2
    looks = sum(asked == ("GET", f"lake/{LATEST}") for asked in store.asked)
    assert looks <= 1 + (time.monotonic() - started)


def test_an_upload_that_fails_anywhere_leaves_others_the_old_version_and_the_next_push_completes_it(
    homes, store, writer
):
    first, second = homes(), homes()
    use(writer)
    first.refresh()
    second.look()
    failed = 0
    # Each attempt has more to push than the last.
    attempts = (0, 3, 9, 27, 1000)
    for allowed in attempts:
        counted = itertools.count(1)
        store.refuses = lambda method, _name, counted=counted, allowed=allowed: (
            method in {"PUT", "POST"} and next(counted) > allowed
        )
        use(writer)
        try:
            first.refresh()
        except BucketError:
            store.refuses = lambda _method, _name: False
            assert (second.look(), second.uses(), first.lake.latest_number) == (1, 1, 1)
            first.restart()
            failed += 1
    assert failed >= 3
    assert (second.look(), second.uses()) == (1 + len(attempts) - failed, 1 + len(attempts))
    third = homes()
    third.refresh()
    assert third.differences() == {}


def test_an_upload_is_seen_only_when_all_of_it_is_there(homes, store, writer):
    """Data before logs, logs before the version, and the pointer last."""
    homes().refresh()
    store.asked.clear()
    use(writer)
    homes().refresh()
    kinds = ["data", "log", "version", "pointer"]
    sent = [
        kinds.index(
            "pointer"
            if name.endswith(LATEST)
            else "version"
            if "versions/" in name
            else "log"
            if "/_delta_log/" in name
            else "data"
        )
        for method, name in store.asked
        if method == "PUT"
    ]
    assert sent == sorted(sent)
    assert set(sent) == {0, 1, 2, 3}


def test_a_fresh_machine_goes_on_from_the_bucket_and_copies_nothing_again(homes, store, writer):
    first = homes()
    for _ in range(3):
        use(writer)
        first.refresh()
    second = homes()
    outcome = second.refresh()
    assert (outcome.version, outcome.is_new) == (3, False)
    assert second.differences() == {}


def test_machines_that_write_in_turns_make_one_lake(homes, writer):
    first, second = homes(), homes()
    for turn in range(1, 5):
        for home, kind in ((first, "delivered"), (second, "clicked")):
            use(writer)
            mail(writer, kind, NOON - timedelta(minutes=turn), contact=turn)
            home.refresh()
            home.refresher.tidy()
            assert home.differences() == {}
    first.look()
    assert first.uses() == second.uses() == 8
    assert first.lake.latest_number == second.lake.latest_number
    assert first.rows("email_events") == second.rows("email_events") == [(8,)]


def test_what_a_machine_began_and_could_not_publish_gives_way_to_what_another_published(homes, store, writer):
    """Both commit under the same numbers: the mirror of the first must not mix them, nor its readers."""
    first, second = homes(), homes()
    first.refresh()
    second.refresh()
    use(writer)
    store.refuses = lambda method, name: method == "PUT" and name.endswith(LATEST)
    for _ in range(2):
        with pytest.raises(BucketError):
            first.refresh()
        use(writer)
    store.refuses = lambda _method, _name: False
    second.refresh()
    reading = Mirror(first.lake.folder, first.lake._bucket)
    reading.look()
    assert (reading.latest_number, first.uses()) == (2, 3)
    use(writer)
    first.refresh()
    assert first.differences() == {}
    assert (first.uses(), second.look(), second.uses()) == (4, 3, 4)


def test_a_small_table_that_was_changed_there_and_back_is_what_it_was(homes, writer):
    first, second = homes(), homes()
    first.refresh()
    before = first.rows("users", "name")
    for home, name in ((second, "Another"), (first, None)):
        writer.execute(
            "UPDATE users SET name = COALESCE(%s, kept) FROM (SELECT id AS k, %s AS kept FROM users) AS o WHERE k = id",
            (name, before[0][0]),
        )
        home.refresh()
        assert home.differences() == {}


def test_an_unreachable_bucket_is_told_in_a_sentence_and_old_answers_stay(homes, store, writer):
    first, second = homes(), homes()
    use(writer)
    first.refresh()
    second.look()
    store.is_gone = True
    use(writer)
    with pytest.raises(BucketError, match="s3://figures/lake can't be read") as told:
        first.refresh()
    assert "credentials" in told.value.fix
    assert "secret" not in f"{told.value} {told.value.why} {told.value.fix}"
    started = time.monotonic()
    second.restart()
    second.lake._has_looked = True
    assert (second.lake.latest_number, second.uses()) == (1, 1)
    assert time.monotonic() - started < 1
    with pytest.raises(BucketError):
        homes().lake.latest()
    store.is_gone = False
    first.refresh()
    assert (second.look(), second.uses()) == (2, 2)


def test_a_bucket_that_does_not_exist_is_told(homes, store, tmp_path):
    home = homes()
    home.lake = Mirror(home.lake.folder, Bucket(store.url().replace("figures", "nowhere")))
    home.refresher = home._refresher()
    with pytest.raises(BucketError, match="can't be written"):
        home.refresh()


@pytest.mark.parametrize(
    ("set_to", "why"),
    [
        ({"SIGHTLINE_LAKE": "ftp://key:secret@bucket/lake"}, "like s3://bucket/prefix or gs://bucket/prefix"),
        ({"SIGHTLINE_LAKE": "s3://"}, "like s3://bucket/prefix"),
        ({"SIGHTLINE_LAKE": "s3://bucket/lake", "SIGHTLINE_ENGINE": "spark"}, "a cluster reads the lake from a folder"),
    ],
)
def test_a_lake_that_cannot_be_is_refused_and_its_secret_not_repeated(monkeypatch, set_to, why):
    for variable, value in set_to.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SightlineError) as told:
        settings.__wrapped__()
    assert why in told.value.why
    assert "secret" not in str(told.value)


def test_each_bucket_has_a_mirror_whoever_signs_in_to_it(monkeypatch):
    folders = []
    for address in ("s3://one/lake", "s3://key:secret@one/lake/", "s3://two/lake", "/mnt/lake"):
        monkeypatch.setenv("SIGHTLINE_LAKE", address)
        folders.append(settings.__wrapped__().lake_folder)
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3
    assert str(folders[3]) == "/mnt/lake"


def test_a_parameter_that_is_not_known_is_refused(store):
    with pytest.raises(BucketError) as told:
        Bucket(store.url() + "&endpoint=here")
    assert "endpoint_override" in told.value.why


def test_earlier_versions_are_brought_when_they_are_asked_for(homes, store, writer):
    first, second = homes(), homes()
    for _ in range(3):
        use(writer)
        first.refresh()
    second.look()
    assert [second.uses(version) for version in (1, 2, 3)] == [1, 2, 3]
    assert second.rows("usage_logs", version=2) == [(2,)]
    with pytest.raises(UnknownVersionError):
        second.lake.at(4)


def test_a_log_is_read_from_its_last_checkpoint(homes, store, writer, monkeypatch):
    monkeypatch.setitem(storage._CONFIGURATION, "delta.checkpointInterval", "3")
    first = homes()
    for _ in range(8):
        use(writer)
        first.refresh()
    second = homes()
    second.look()
    logs = list(second.lake.folder.glob("g*/rollups/usage_days-*/_delta_log/*"))
    assert len([log for log in logs if log.suffix == ".json"]) < 4
    assert [second.uses(version) for version in range(8, 0, -1)] == list(range(8, 0, -1))
    use(writer)
    second.refresh()
    assert second.differences() == {}


def test_the_sweep_deletes_from_the_bucket_what_nobody_needs_and_nothing_else(homes, store, writer, monkeypatch):
    monkeypatch.setitem(storage._CONFIGURATION, "delta.checkpointInterval", "3")
    first, second = homes(), homes()
    for _ in range(8):
        use(writer)
        first.refresh()
    second.look()
    second.lake.pin(4)
    monkeypatch.setattr(compact, "_FILES", 1)
    assert first.refresher.tidy()
    everything = store.names("g0001")
    store.grow_old()
    assert first.refresher.sweep() == {"versions_forgotten": 0, "files_deleted": 0}
    assert store.names("g0001") == everything
    with first.refresher._turn():
        swept = sweep(first.lake, datetime.now(UTC) + LATER)
    gone = everything - store.names("g0001")
    assert swept == {"versions_forgotten": 7, "files_deleted": len(gone)}
    assert {"_delta_log" in name for name in gone} == {True, False}
    third = homes()
    third.look()
    assert third.lake.numbers() == [4, 9]
    assert (third.uses(4), third.uses()) == (4, 8)
    with pytest.raises(UnknownVersionError):
        third.lake.at(3)
    use(writer)
    third.refresh()
    assert third.differences() == {}


def test_a_pin_of_what_was_swept_meanwhile_is_refused(homes, store, writer):
    first, second = homes(), homes()
    for _ in range(2):
        use(writer)
        first.refresh()
    second.look()
    assert second.uses(1) == 1
    first.lake.forget(1)
    with pytest.raises(UnknownVersionError):
        second.lake.pin(1)
    assert store.names("pins") == set()


def test_a_mirror_gives_back_the_room_of_old_files_and_still_answers(homes, writer, monkeypatch):
    monkeypatch.setattr(compact, "_FILES", 1)
    first, second = homes(), homes()
    for _ in range(3):
        use(writer)
        first.refresh()
        second.look()
    assert first.refresher.tidy()
    second.look()
    for home in (first, second):
        for file in home.lake.folder.rglob("*"):
            os.utime(file, (time.time() - 86_400,) * 2)
        held = len(home.lake.data())
        home.lake.evict()
        assert len(home.lake.data()) < held
        assert [home.uses(version) for version in (None, 1, 2)] == [3, 1, 2]
    use(writer)
    first.refresh()
    assert first.differences() == {}


def test_a_bucket_that_was_emptied_is_filled_again(homes, store, writer):
    first = homes()
    use(writer)
    first.refresh()
    store.objects.clear()
    first.refresh()
    second = homes()
    assert (second.look(), second.uses()) == (1, 1)


def test_a_bucket_that_another_lake_was_put_into_is_not_mixed_with_the_mirror(homes, store, writer):
    first = homes()
    for _ in range(2):
        use(writer)
        first.refresh()
    store.objects.clear()
    homes().refresh()
    with pytest.raises(SightlineError, match="older than what this machine has") as told:
        first.refresh()
    assert str(first.lake.folder) in told.value.fix


def test_a_writer_that_lost_its_turn_does_not_publish(homes, store, writer):
    first, second = homes(), homes()
    first.refresh()
    second.refresh()

    def overtaken(step, done, _total):
        if (step, done) == ("Rollups", 0):
            store.objects[f"lake/{LATEST}"].content = b'{"number": 1, "complete_through": "2026-01-01T00:00:00+00:00"}'

    use(writer)
    with pytest.raises(SightlineError, match="Another refresh has published"):
        first.refresh(overtaken)
    assert first.lake.latest_number == 1


def test_a_rebuild_is_published_to_all(homes, store, writer):
    first, second = homes(), homes()
    use(writer)
    first.refresh()
    second.look()
    second.lake.begin_generation()
    second.refresh()
    use(writer)
    first.refresh()
    assert (first.lake.generation, first.uses(), second.look(), second.uses()) == (2, 2, 3, 2)
    assert first.differences() == {}
