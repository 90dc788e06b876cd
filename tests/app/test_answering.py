"""The desk of a process stands on the lake that its settings name, and is one for as long as they do."""

import pytest

from app.answering import the_desk
from app.lake.lake import NoLakeError
from app.settings import settings


@pytest.fixture
def living(monkeypatch, tmp_path):
    """Settings with another home, as a test or a program within a program has them."""

    def move(name):
        monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path / name))
        settings.cache_clear()

    yield move
    monkeypatch.undo()
    settings.cache_clear()


def test_who_moves_asks_the_lake_of_the_new_home(living):
    living("first")
    first = the_desk()
    assert the_desk() is first
    living("second")
    assert the_desk() is not first
    with pytest.raises(NoLakeError):
        the_desk().version()
