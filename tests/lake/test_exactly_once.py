"""Whatever writers do and wherever a refresh dies, the lake ends up holding what Postgres holds, each row once."""

import pytest

from tests.faults.exactly_once import campaign


@pytest.mark.parametrize("seed", [1, 2])
def test_refreshes_killed_anywhere_lose_and_double_nothing(database, tmp_path, seed):
    """A short form of the campaign that kills two hundred."""
    assert campaign(database, tmp_path / "lake", kills=8, seed=seed) == {}
