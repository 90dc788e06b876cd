"""The short form of the campaign against readers."""

from tests.faults.readers import READERS, amiss, campaign


def test_eight_readers_see_whole_versions_only_and_never_an_older_one(database, tmp_path):
    seen, failures = campaign(database, tmp_path / "lake", refreshes=36)
    assert amiss(seen, failures) == []
    # Nobody was merely waiting: every one of them saw versions come.
    assert len(seen) == READERS
    assert all(len({number for number, _ in versions}) > 2 for versions in seen)


def test_what_readers_should_not_meet_is_told():
    fine = [(1, {11}), (2, {12})]
    assert amiss([fine, fine], []) == []
    assert amiss([[*fine, (1, {12})]], []) == ["a version after a newer one"]
    assert amiss([[(1, {11, 12}), (2, {12})]], []) == ["version 1 said [11, 12]"]
    assert amiss([[(1, {11})]], [ValueError("gone")]) == ["an error: ValueError('gone')", "11 of 12 in the end"]
