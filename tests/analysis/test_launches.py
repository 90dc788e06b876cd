"""Campaigns laid over each other by days since their launch."""

from datetime import date

import pandas as pd

from app.analysis.launches import since_launch

LAUNCHES = {"a": date(2026, 1, 10), "b": date(2026, 2, 20)}
THROUGH = date(2026, 2, 21)


def rows(*found):
    return pd.DataFrame(found, columns=["campaign", "day", "opens"])


def line(frame, campaign):
    mine = frame[frame["campaign"] == campaign]
    return list(zip(mine["day_number"], mine["opens"], mine["so_far"], strict=True))


def test_campaigns_of_different_months_begin_at_the_same_day():
    frame = since_launch(
        rows(("a", date(2026, 1, 10), 5), ("a", date(2026, 1, 12), 2), ("b", date(2026, 2, 20), 7)),
        LAUNCHES,
        date(2026, 2, 21),
        value="opens",
    )
    assert line(frame, "a")[:4] == [(0, 5, 5), (1, 0, 5), (2, 2, 7), (3, 0, 7)]
    # Its second day is in the data, and brought nothing; its third has not come.
    assert line(frame, "b") == [(0, 7, 7), (1, 0, 7)]


def test_what_came_before_the_launch_keeps_its_negative_day_and_is_not_added_up():
    frame = since_launch(
        rows(("b", date(2026, 2, 18), 1), ("b", date(2026, 2, 21), 2)), LAUNCHES, THROUGH, value="opens"
    )
    assert line(frame, "b") == [(-2, 1, 0), (-1, 0, 0), (0, 0, 0), (1, 2, 2)]


def test_a_campaign_that_was_never_launched_is_left_out():
    frame = since_launch(rows(("c", date(2026, 2, 18), 1)), LAUNCHES, THROUGH, value="opens")
    assert frame.empty
    assert list(frame.columns) == ["campaign", "day_number", "opens", "so_far"]


def test_several_rows_of_a_day_are_added():
    frame = since_launch(rows(*[("b", date(2026, 2, 20), 1)] * 3), LAUNCHES, THROUGH, value="opens")
    assert line(frame, "b") == [(0, 3, 3), (1, 0, 3)]
