"""Of many who ask at once exactly so many are admitted as the limit allows, and who is killed takes nothing along."""

import pytest

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
