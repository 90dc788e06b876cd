"""Of many who ask at once exactly so many are admitted as the limit allows, and who is killed takes nothing along."""

import time

import pytest

from tests.bench.quotas import WAYS, Arena, taker, targets_of
from tests.faults.quotas import crowd, kills, mixture


@pytest.mark.parametrize("remaining", [1, 10, 100])
def test_of_eight_processes_with_a_hundred_attempts_each_exactly_the_limit_is_admitted(database, remaining):
    """`make faults` does it with sixteen processes and two thousand attempts, at 1, 10 and 1,000 remaining."""
    assert crowd(database, remaining, processes=8, attempts=100) == (remaining, remaining, [])


def test_twenty_processes_killed_between_reserving_and_settling_lose_and_leak_nothing(database):
    """`make faults` kills two hundred."""
    assert kills(database, 20) == ((0, 0), [])


def test_who_reserves_settles_releases_and_sweeps_at_once_waits_and_never_deadlocks(database):
    done, wrong = mixture(database, processes=6, steps=60)
    assert done > 100
    assert wrong == []


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_taking_that_is_measured_takes_from_several_workspaces_and_keeps_the_sums(database, way):
    """`make bench` lets sixteen processes do it; what can't be measured any more is seen here."""
    arena = Arena(way, database, targets_of(database, 3))
    taken, arena.again = taker(
        database.server.url(database.name, "test_app_rw"), way, arena.targets, "one", (time.time(), time.time() + 0.3)
    )
    arena.taken.append(taken)
    result = arena.result(0.3)
    assert (result.keys, result.is_right, result.per_second > 0) == (3, True, True)
