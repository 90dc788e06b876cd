"""A small lake and a desk in front of it, for each test of metrics."""

from collections.abc import Callable, Iterator

import pytest

from app.metrics.desk import Desk
from tests.metrics.small_lake import Asking, SmallLake, two_workspaces, viewer


@pytest.fixture
def lake(tmp_path) -> SmallLake:
    return two_workspaces(tmp_path)


@pytest.fixture
def desks() -> Iterator[Callable[..., Desk]]:
    """Makes desks, and closes them when the test is over."""
    made: list[Desk] = []

    def make(lake: SmallLake, currency: str = "USD", **more: int) -> Desk:
        made.append(Desk(lake, currency=currency, **more))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def asking(lake, desks) -> Callable[..., Asking]:
    """Publishes what lies in the lake, and asks as somebody who sees both workspaces."""

    def publish(currency: str = "USD", **more) -> Asking:
        lake.publish(**more)
        return Asking(lake, desks(lake, currency), viewer(1, 2))

    return publish
