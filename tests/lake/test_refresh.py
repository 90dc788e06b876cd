"""What a refresh copies, and what it leaves as it is."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from app.lake import refresh as refreshing
from app.lake.lake import NoLakeError, UnknownVersionError
from db.errors import SightlineError
from db.stamps import mark_restored
from tests.db.rows import subscription, user, workspace
from tests.lake.lakes import LONG_AGO, NOON, LakeOf, lake_with_company, mail, session, use
from tests.servers import new_database


@pytest.fixture
def lake(database, tmp_path) -> LakeOf:
    return lake_with_company(database, tmp_path / "lake")


@pytest.fixture
def writer(database):
    with session(database) as connection:
        yield connection


def test_before_the_first_refresh_there_are_no_figures_and_it_says_what_to_do(tmp_path, database):
    with pytest.raises(NoLakeError, match="There are no figures yet") as told:
        LakeOf(database, tmp_path / "lake").lake.latest()
    assert "sightline refresh" in told.value.fix


def test_a_first_refresh_copies_everything(lake, writer):
    use(writer)
    mail(writer, "delivered")
    assert lake.refresh().is_new
    assert lake.differences() == {}
    assert lake.rows("usage_logs") == [(1,)]
    assert lake.total("email_days", "emails_delivered") == 1


def test_a_version_knows_the_newest_rules_by_which_opens_were_judged(lake, writer):
    mail(writer, "opened")
    lake.refresh()
    assert lake.lake.latest().machine_rules_version is None
    writer.execute("UPDATE email_events SET machine_rules_version = 3, is_machine_open = TRUE")
    lake.refresh()
    mail(writer, "sent")
    lake.refresh_anew()
    assert [lake.lake.at(number).machine_rules_version for number in (1, 2, 3)] == [None, 3, 3]


def test_subscriptions_of_one_workspace_that_come_together_count_once_each(lake, database):
    """They are one unit, which is made anew as a whole: found twice, it would be counted twice."""
    lake.refresh()
    with database.setup.begin() as connection:
        owner = user(connection).id
        home = workspace(connection, owner_id=owner).id
        for days, over in ((20, 10), (10, None)):
            ending = {"status": "expired", "ends_at": NOON - timedelta(days=over)} if over else {}
            subscription(connection, home, owner, started_at=NOON - timedelta(days=days), **ending)
    lake.refresh()
    assert lake.total("mrr_days", "subscriptions_started") == 2
    assert lake.total("mrr_days", "mrr_change") == 10


def test_what_commits_late_is_not_passed_over(lake, database, writer):
    """A sequence or a clock would be past the early writer when the late one is read."""
    lake.refresh()
    with session(database) as early:
        early.autocommit = False
        mail(early, "sent")
        use(writer)
        lake.refresh()
        assert (lake.rows("email_events"), lake.rows("usage_logs")) == ([(0,)], [(0,)])
        early.commit()
    lake.refresh()
    assert (lake.rows("email_events"), lake.rows("usage_logs")) == ([(1,)], [(1,)])


def test_while_a_writer_is_open_the_lake_does_not_claim_what_it_waits_for(lake, database, writer):
    with session(database) as open_writer:
        open_writer.autocommit = False
        mail(open_writer, "sent")
        lake.refresh()
        use(writer)
        waiting = lake.refresh()
        assert lake.rows("usage_logs") == [(0,)]
        assert lake.refresh().data_through == waiting.data_through
        open_writer.rollback()
    assert lake.refresh().data_through > waiting.data_through
    assert lake.rows("usage_logs") == [(1,)]


def test_what_is_rolled_back_is_never_copied(lake, database, writer):
    lake.refresh()
    with session(database) as doubtful:
        doubtful.autocommit = False
        use(doubtful)
        doubtful.rollback()
    use(writer, "kept")
    lake.refresh()
    assert lake.rows("usage_logs", "feature") == [("kept",)]


def test_a_refresh_without_news_makes_no_version_but_says_up_to_when_it_looked(lake, writer):
    first = lake.refresh()
    second = lake.refresh()
    assert (second.version, second.is_new) == (first.version, False)
    assert lake.lake.complete_through == second.data_through > first.data_through


def test_a_change_takes_the_place_of_what_it_changed(lake, writer):
    use(writer, quantity=5)
    lake.refresh()
    writer.execute("UPDATE usage_logs SET quantity = 3")
    lake.refresh()
    assert lake.rows("usage_logs", "quantity") == [(3,)]
    assert lake.total("usage_days", "quantity") == 3
    assert lake.total("usage_days", "uses") == 1


def test_a_change_of_the_day_moves_what_a_rollup_counted(lake, writer):
    """A late `delivered` with an earlier time makes the first one earlier."""
    mail(writer, "delivered", NOON)
    lake.refresh()
    mail(writer, "delivered", NOON - timedelta(days=1))
    lake.refresh()
    assert lake.total("email_days", "emails_delivered", f"day = DATE '{NOON:%Y-%m-%d}'") == 0
    assert lake.total("email_days", "emails_delivered") == 1
    assert lake.differences() == {}


def test_a_deletion_is_copied_too(lake, writer):
    use(writer, "stays")
    use(writer, "goes")
    lake.refresh()
    writer.execute("DELETE FROM usage_logs WHERE feature = 'goes'")
    lake.refresh()
    assert lake.rows("usage_logs", "feature") == [("stays",)]
    assert lake.differences() == {}


def test_a_row_deleted_and_added_again_under_its_key_is_there_once(lake, writer):
    use(writer)
    lake.refresh()
    writer.execute("CREATE TEMP TABLE kept AS SELECT * FROM usage_logs")
    columns = "workspace_id, id, logged_at, user_id, product, feature, quantity"
    for change in ("", "UPDATE usage_logs SET quantity = 8"):
        writer.execute("DELETE FROM usage_logs")
        writer.execute(f"INSERT INTO usage_logs ({columns}) SELECT {columns} FROM kept")
        if change:
            writer.execute(change)
        lake.refresh()
        assert lake.rows("usage_logs") == [(1,)]
    assert lake.differences() == {}


def test_the_deletion_of_a_send_is_found_by_its_campaign_and_contact(lake, writer):
    mail(writer, "opened", contact=1)
    mail(writer, "opened", contact=2)
    lake.refresh()
    writer.execute("DELETE FROM email_events WHERE contact_id = (SELECT contact_id FROM email_sends LIMIT 1)")
    lake.refresh()
    assert lake.rows("email_sends") == [(1,)]
    assert lake.differences() == {}


def test_a_deleted_send_of_a_campaign_that_never_came_is_no_trouble(lake, database, writer):
    """Its deletion is told, but neither the send nor its campaign was ever copied."""
    mail(writer, "opened")
    writer.execute("DELETE FROM email_events")
    lake.refresh()
    mail(writer, "opened")
    writer.execute("DELETE FROM email_events")
    lake.refresh()
    assert lake.rows("email_sends") == [(0,)]
    assert lake.differences() == {}


def test_an_address_in_another_domain_takes_its_history_along(lake, writer):
    mail(writer, "delivered", contact=1)
    lake.refresh()
    writer.execute("UPDATE contacts SET email = 'c1@elsewhere.example' WHERE email LIKE 'c1@%'")
    lake.refresh()
    assert lake.rows("email_events", "email_domain") == [("elsewhere.example",)]
    assert lake.total("email_domain_days", "emails_delivered", "email_domain = 'elsewhere.example'") == 1
    assert lake.differences() == {}


@pytest.mark.parametrize("ending", ["DROP TABLE {0}", "TRUNCATE {0}", "ALTER TABLE usage_logs DETACH PARTITION {0}"])
def test_a_month_that_the_database_has_no_more_leaves_the_lake(lake, writer, ending):
    use(writer, at=LONG_AGO)
    use(writer, at=NOON)
    lake.refresh()
    writer.execute(ending.format(f"usage_logs_{LONG_AGO:%Y_%m}"))
    lake.refresh()
    assert lake.total("usage_days", "uses") == 1
    assert lake.differences() == {}


def test_a_month_made_anew_is_copied_anew(lake, writer):
    use(writer, "old", at=LONG_AGO)
    lake.refresh()
    writer.execute(f"DROP TABLE usage_logs_{LONG_AGO:%Y_%m}")
    writer.execute("SELECT make_partitions_between(current_date - 125, current_date)")
    use(writer, "new", at=LONG_AGO)
    lake.refresh()
    assert lake.rows("usage_logs", "feature") == [("new",)]
    assert lake.differences() == {}


def test_dimensions_follow_what_people_edit(lake, writer):
    lake.refresh()
    writer.execute("UPDATE campaigns SET name = 'Renamed' WHERE name = 'email1'")
    writer.execute("UPDATE workspaces SET deleted_at = now() WHERE slug = 'w3'")
    lake.refresh()
    assert ("Renamed",) in lake.rows("campaigns", "DISTINCT name")
    assert lake.differences() == {}


def test_counters_on_a_row_are_no_news_to_the_lake(lake, writer):
    """`last_engaged_at` changes with each open; the lake does not hold it."""
    mail(writer, "delivered")
    lake.refresh()
    before = lake.lake.latest().sources["contacts"].version
    mail(writer, "opened")
    lake.refresh()
    assert lake.lake.latest().sources["contacts"].version == before


def test_days_are_days_of_the_reporting_zone(database, tmp_path, writer):
    """19:00 in London is half past midnight of the next day in Kolkata."""
    lake = lake_with_company(database, tmp_path / "lake", zone="Asia/Kolkata")
    use(writer, at=NOON.replace(hour=19))
    lake.refresh()
    assert lake.total("usage_days", "uses", f"day = DATE '{NOON + timedelta(days=1):%Y-%m-%d}'") == 1


def test_another_zone_makes_the_rollups_anew_and_the_old_version_stays(lake, database, tmp_path, writer):
    use(writer, at=NOON.replace(hour=19))
    old = lake.refresh().version
    there = LakeOf(database, tmp_path / "lake", zone="Asia/Kolkata")
    there.refresh()
    today = f"day = DATE '{NOON:%Y-%m-%d}'"
    assert there.total("usage_days", "uses", today) == 0
    assert there.total("usage_days", "uses", today, version=old) == 1


def test_an_earlier_version_keeps_telling_what_it_told(lake, writer):
    use(writer)
    old = lake.refresh().version
    use(writer)
    writer.execute("UPDATE usage_logs SET quantity = 10")
    lake.refresh()
    assert lake.total("usage_days", "quantity") == 20
    assert lake.total("usage_days", "quantity", version=old) == 1
    assert lake.rows("usage_logs", "quantity", version=old) == [(1,)]


def test_a_version_that_never_was_is_named(lake):
    lake.refresh()
    with pytest.raises(UnknownVersionError, match="The lake has no version 99"):
        lake.lake.at(99)


def stopping_after(batches: int):
    """Somebody presses Ctrl-C when so many batches are in."""

    def told(step: str, done: int, _total: int) -> None:
        told.calls += step == "Copying"
        if told.calls > batches:
            raise KeyboardInterrupt

    told.calls = 0
    return told


def test_a_first_load_that_was_stopped_goes_on_where_it_stopped(lake, writer, monkeypatch):
    monkeypatch.setattr(refreshing, "_BATCH_ROWS", 1)
    for month in range(4):
        use(writer, at=LONG_AGO + timedelta(days=30 * month))
    writer.execute("ANALYZE usage_logs")
    with pytest.raises(KeyboardInterrupt):
        lake.refresh(stopping_after(12))
    copied = set((lake.lake.folder / "g0001").rglob("*.parquet"))
    assert copied
    lake.refresh_anew()
    assert copied <= set((lake.lake.folder / "g0001").rglob("*.parquet"))
    referenced = {part.path for table in lake.lake.latest().sources.values() for part in table.parts}
    assert {str(file) for file in copied} <= referenced
    assert lake.differences() == {}


def test_a_row_added_anew_before_its_month_is_copied_outlives_the_deletion_before_it(lake, writer, monkeypatch):
    """The first load has begun, so it will read the deletion; the row's month is copied after both."""
    monkeypatch.setattr(refreshing, "_BATCH_ROWS", 1)
    use(writer, at=LONG_AGO)
    use(writer, "again")
    writer.execute("ANALYZE usage_logs")
    columns = "workspace_id, id, logged_at, user_id, product, feature, quantity"

    def told(_step: str, _done: int, _total: int) -> None:
        if not told.is_done and list((lake.lake.folder / "g0001").rglob("*usage_logs*/**/*.parquet")):
            told.is_done = True
            writer.execute("CREATE TEMP TABLE kept AS SELECT * FROM usage_logs WHERE feature = 'again'")
            writer.execute("DELETE FROM usage_logs WHERE feature = 'again'")
            writer.execute(f"INSERT INTO usage_logs ({columns}) SELECT {columns} FROM kept")

    told.is_done = False
    lake.refresh(told)
    assert told.is_done
    assert lake.rows("usage_logs") == [(2,)]
    assert lake.differences() == {}


def test_old_answers_stay_until_a_rebuild_is_done_and_it_goes_on_where_it_stopped(lake, writer, monkeypatch):
    use(writer)
    old = lake.refresh()
    monkeypatch.setattr(refreshing, "_BATCH_ROWS", 1)
    writer.execute("ANALYZE usage_logs")
    lake.lake.begin_generation()
    with pytest.raises(KeyboardInterrupt):
        lake.refresh(stopping_after(3))
    assert lake.lake.latest_number == old.version
    assert lake.total("usage_days", "uses") == 1
    lake.lake.begin_generation()
    assert lake.lake.generation == 2
    assert lake.refresh().version == old.version + 1
    assert lake.lake.published_generation == 2
    assert lake.differences() == {}


def test_only_one_refresh_writes_at_a_time(lake, database, monkeypatch):
    monkeypatch.setattr(refreshing, "_LOCK_SECONDS", 0.3)
    with refreshing.writing(lake.url), pytest.raises(SightlineError, match="written by another refresh"):
        lake.refresh()
    assert lake.refresh().is_new


def test_who_lost_the_right_to_write_publishes_nothing(lake, database, writer):
    """The lock is a session's: when the server ends it, another refresh may have begun."""
    use(writer)
    before = lake.refresh()
    use(writer)

    def told(step: str, _done: int, _total: int) -> None:
        if step == "Rollups":
            with database.setup.connect() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
                )

    with pytest.raises(SightlineError, match="lost its right to write, and published nothing"):
        lake.refresh(told)
    assert lake.lake.latest_number == before.version
    lake.refresh()
    assert lake.rows("usage_logs") == [(2,)]
    assert lake.differences() == {}


def test_folding_changes_files_and_nothing_else(lake, writer):
    for number in range(30):
        mail(writer, "opened", contact=number % 12 + 1)
        use(writer)
        if number % 5 == 0:
            writer.execute("UPDATE usage_logs SET quantity = quantity + 1")
        lake.refresh()
    before, files = lake.total("usage_days", "quantity"), len(lake.lake.latest().sources["usage_logs"].parts)
    old = lake.lake.latest_number
    assert lake.refresher.tidy()
    assert lake.lake.latest_number == old + 1
    assert len(lake.lake.latest().sources["usage_logs"].parts) < files
    assert lake.total("usage_days", "quantity") == before == lake.total("usage_days", "quantity", version=old)
    assert lake.differences() == {}
    assert not lake.refresher.tidy()
    mail(writer, "clicked")
    writer.execute("UPDATE usage_logs SET quantity = 1")
    lake.refresh()
    assert lake.differences() == {}


def test_a_copy_of_the_database_elsewhere_is_compared_and_not_taken_for_the_same(lake, database, writer, server18):
    use(writer, "before")
    lake.refresh()
    writer.close()
    lake.refresher.close()
    for engine in (database.setup, database.pipe):
        engine.dispose()
    with new_database(server18, template=database.name) as copy:
        with session(database) as original:
            use(original, "lost")
        lake.refresh()
        kept = list(lake.lake.latest().sources["campaigns"].parts)
        there = LakeOf(copy, lake.lake.folder)
        there.refresh()
        assert there.rows("usage_logs", "feature") == [("before",)]
        assert there.differences() == {}
        assert list(there.lake.latest().sources["campaigns"].parts) == kept


def test_a_database_set_back_in_place_is_noticed_by_the_row_that_it_no_longer_knows(lake, writer):
    """A copy of the files put back has the same identity; its transactions are counted anew from there."""
    use(writer, "before")
    lake.refresh()
    use(writer, "lost")
    lake.refresh()
    writer.execute("SET session_replication_role = replica")
    writer.execute("DELETE FROM usage_logs WHERE feature = 'lost'")
    writer.execute("UPDATE usage_logs SET feature = 'other'")
    writer.execute("SET session_replication_role = origin")
    lake.refresh()
    assert lake.rows("usage_logs", "feature") == [("other",)]
    assert lake.differences() == {}


def test_a_database_that_does_not_answer_leaves_the_old_answers(lake, tmp_path, writer):
    use(writer)
    lake.refresh()
    place = refreshing.Place(lake.lake, f"postgresql://nobody@/none?host={tmp_path}", lake.url, "UTC")
    with pytest.raises(SightlineError, match="The database that fills the lake can't be reached"):
        refreshing.Refresher(place).refresh()
    with pytest.raises(psycopg.OperationalError):
        refreshing.Refresher(refreshing.Place(lake.lake, lake.url, place.read_url, "UTC")).refresh()
    assert lake.total("usage_days", "uses") == 1


# --- What was restored, rebuilt or left half done -------------------------------------------------------------------


def elsewhere(writer, *changes):
    """As a dump brings it: no trigger of this server has a say."""
    writer.execute("SET session_replication_role = replica")
    for change in changes:
        writer.execute(change)
    writer.execute("SET session_replication_role = origin")


def test_rows_with_the_numbers_of_another_server_are_refused_and_then_marked_anew(database, tmp_path, writer):
    """A dump brings the old numbers along: the new server has not counted so far."""
    lake = lake_with_company(database, tmp_path / "lake")
    use(writer, "kept")
    elsewhere(
        writer,
        "UPDATE usage_logs SET row_xid = '900000000'",
        "INSERT INTO fact_tombstones (fact, row_key, workspace_id, row_xid)"
        " SELECT 'usage_logs', jsonb_build_object('id', id, 'logged_at', logged_at), workspace_id, '900000001'"
        " FROM usage_logs",
    )
    with pytest.raises(SightlineError, match="restored from a dump") as refused:
        lake.refresh()
    assert "sightline migrate" in refused.value.fix
    for expected in (["fact_tombstones", "usage_logs"], []):
        with database.setup.begin() as connection:
            connection.exec_driver_sql("SET LOCAL ROLE app_owner")
            assert mark_restored(connection) == expected
    use(writer, "new")
    lake.refresh()
    assert lake.rows("usage_logs", "feature") == [("kept",), ("new",)]
    assert lake.differences() == {}


def test_deletions_are_found_after_the_count_of_transactions_began_anew(lake, writer):
    """The last deletion that was read had a number that the database has not come to again."""
    use(writer, "first")
    use(writer, "second")
    lake.refresh()
    writer.execute("DELETE FROM usage_logs WHERE feature = 'first'")
    lake.refresh()
    table = lake.refresher._source_table("usage_logs")
    opened = table.open()
    far = {**opened.state, "tombstones": 800_000_000}
    table.commit(
        opened,
        None,
        state={**far, "months": {m: [f, "another", 0, p, r] for m, (f, _, _, p, r) in far["months"].items()}},
    )
    lake.refresh_anew()
    writer.execute("DELETE FROM usage_logs WHERE feature = 'second'")
    lake.refresh_anew()
    assert lake.rows("usage_logs") == [(0,)]
    assert lake.differences() == {}


def test_what_a_dead_refresh_left_is_not_published_by_folding(lake, writer, monkeypatch):
    monkeypatch.setattr("app.lake.compact._FILES", 1)
    use(writer)
    lake.refresh()
    use(writer)
    lake.refresh()
    use(writer)
    with monkeypatch.context() as dying:
        dying.setattr(refreshing.Refresher, "_publish", dies)
        with pytest.raises(RuntimeError):
            lake.refresh()
    published = lake.lake.latest_number
    assert not lake.refresher.tidy()
    assert lake.lake.latest_number == published
    lake.refresh()
    assert lake.refresher.tidy()
    assert lake.differences() == {}


def dies(*_):
    raise RuntimeError("killed")


def test_a_rebuild_that_is_asked_for_during_a_refresh_does_not_mix_old_tables_with_new(lake, writer, monkeypatch):
    """The folder may say at any moment that new tables are to be made: a refresh under way goes on with its own."""
    use(writer)
    lake.refresh()
    use(writer)
    build = refreshing.Refresher._build

    def asked_meanwhile(self, *given):
        self.lake.begin_generation()
        return build(self, *given)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(refreshing.Refresher, "_build", asked_meanwhile)
        lake.refresh()
    assert (lake.rows("usage_logs"), lake.total("usage_days", "uses")) == ([(2,)], 2)
    lake.refresh()
    assert lake.lake.published_generation == 2
    assert lake.differences() == {}


def test_a_small_table_that_could_not_be_written_is_written_by_the_next_refresh(lake, writer, monkeypatch):
    lake.refresh()
    writer.execute("UPDATE plans SET name = 'Renamed'")
    with monkeypatch.context() as dying:
        dying.setattr("app.lake.pull.Copy.commit", dies)
        with pytest.raises(RuntimeError):
            lake.refresh()
    lake.refresh()
    assert lake.differences() == {}


def test_a_database_that_goes_away_while_it_is_read_is_named_and_the_lake_is_not_blamed(lake, database, writer):
    use(writer)
    lake.refresh()
    use(writer)
    with pytest.raises(SightlineError, match="can't be reached"):
        ask_an_ended_session(lake, writer)
    lake.refresh()
    assert lake.rows("usage_logs") == [(2,)]


def ask_an_ended_session(lake, writer):
    with lake.refresher._database.snapshot() as database:
        writer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'test_app_pipe'")
        database.ask("SELECT 1 AS one")
