"""Below a chart stands when its points are: days by their date, hours by their time too, and no label over another."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.metrics.metric import Unit
from app.ui import plots
from app.ui.series import OverTime, Series

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grain", "labels"),
    [
        ("hour", ["31 Jan 00:00", "31 Jan 10:00", "31 Jan 20:00", "1 Feb 06:00", "1 Feb 16:00"]),
        ("day", ["31 Jan", "7 Feb", "14 Feb", "21 Feb", "28 Feb", "7 Mar", "14 Mar"]),
    ],
)
def test_forty_eight_hours_have_fewer_and_longer_labels_than_as_many_days(grain, labels):
    step = timedelta(hours=1) if grain == "hour" else timedelta(days=1)
    points = tuple(MIDNIGHT + number * step for number in range(48))
    jobs = Series("Jobs", Unit.COUNT, (1.0,) * 48)
    drawn = plots.lines(OverTime(grain, points, (jobs,), 47), label="Jobs", filled=False)
    below = drawn.partition('class="sl-x"')[2]
    assert re.findall(r"<span[^>]*>([^<]+)</span>", below) == labels
