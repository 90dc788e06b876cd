"""Watching: what is committed shows by itself, woken by the database and not by the next look alone."""

import threading
import time
from datetime import timedelta

import psycopg
import pytest

from app.jobs.stopping import Stop
from app.lake import watch as watching
from app.lake.watch import Waker, watch
from tests.lake.lakes import NOON, lake_with_company, mail, session, use

PATIENCE_SECONDS = 60


@pytest.fixture
def lake(database, tmp_path):
    return lake_with_company(database, tmp_path / "lake")


@pytest.fixture
def stop():
    made = Stop()
    yield made
    made.request()


def until(holds) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_what_is_committed_shows_without_anybody_asking(lake, database, stop):
    thread = threading.Thread(target=watch, args=(lake.refresher, lake.url, stop))
    thread.start()
    with session(database) as writer:
        assert until(lambda: lake.lake.latest_number == 1)
        for number in range(3):
            mail(writer, "delivered", NOON - timedelta(minutes=number), contact=number + 1)
            assert until(lambda n=number: lake.total("email_days", "emails_delivered") == n + 1)
    stop.request()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize("write", [use, lambda writer: mail(writer, "sent")], ids=["usage", "mail"])
def test_the_database_wakes_whoever_waits(lake, database, stop, monkeypatch, write):
    monkeypatch.setattr(watching, "_LOOK_SECONDS", PATIENCE_SECONDS)
    waker = Waker(lake.url)
    woken = threading.Event()
    thread = threading.Thread(target=lambda: (waker.wait(stop), woken.set()))
    thread.start()
    with session(database) as writer:
        assert until(lambda: listens(writer))
        write(writer)
        assert woken.wait(PATIENCE_SECONDS / 2)
    thread.join()
    waker.close()


def listens(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN sightline_lake'").fetchone()
    return found == (1,)


def test_many_writers_at_once_do_not_wait_for_each_other_to_give_notice(lake, database):
    """Only one of them takes the notice's lock, which is the whole server's; the others are seen at the next look."""
    with session(database) as one, session(database) as other:
        one.autocommit = other.autocommit = False
        mail(one, "sent", contact=1)
        other.execute("SET lock_timeout = '5s'")
        use(other)
        other.commit()
        one.commit()
    lake.refresh()
    assert lake.differences() == {}


def test_a_database_that_went_away_is_waited_for(lake, database, stop, monkeypatch):
    monkeypatch.setattr(watching, "_PATIENCE_SECONDS", (0.2,))
    thread = threading.Thread(target=watch, args=(lake.refresher, lake.url, stop))
    thread.start()
    with session(database) as writer:
        assert until(lambda: lake.lake.latest_number == 1)
        writer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'test_app_pipe'")
        use(writer)
        assert until(lambda: lake.total("usage_days", "uses") == 1)
    stop.request()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
