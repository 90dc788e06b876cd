"""A pinned address shows the same figures for good: what is drawn of its version never changes."""

from dataclasses import replace
from datetime import date

import pytest

from app.metrics.glossary import metric
from app.ui import asking as pages
from app.ui import plots
from app.ui.asking import ask
from app.ui.grid import grid
from app.ui.scope import Scope
from app.ui.series import over_time
from app.ui.tables import _total
from tests.metrics.conftest import asking, desks, lake  # noqa: F401 - fixtures
from tests.metrics.small_lake import sent, viewer

DAY = date(2026, 1, 1)
NEWEST = Scope(viewer(1, 2), DAY, date(2026, 1, 8), None, {}, "day", None, "UTC", "USD")
PINNED = replace(NEWEST, as_of=1)


def chart(scope):
    shown = over_time(ask("emails_delivered", scope, grain="day"), [metric("emails_delivered")])
    return plots.lines(shown, label=plots.described(shown, "Delivered"), filled=True)


def table(scope):
    answer = ask(("emails_delivered", "open_rate"), scope, by="campaign")
    return grid(answer, answer.rows(), total=_total(answer))


@pytest.mark.parametrize("drawn", [chart, table])
def test_what_comes_later_changes_the_newest_figures_and_no_pinned_ones(asking, lake, monkeypatch, drawn):  # noqa: F811 - fixtures
    lake.add("email_days", sent(DAY, 1, delivered=2), sent(DAY, 2, delivered=3))
    desk = asking().desk
    monkeypatch.setattr(pages, "the_desk", lambda: desk)
    then = drawn(PINNED)
    lake.add("email_days", sent(date(2026, 1, 2), 1, delivered=100))
    lake.publish()
    monkeypatch.setattr("app.metrics.desk._LOOK_AGAIN_SECONDS", 0)
    assert drawn(PINNED) == then
    assert drawn(NEWEST) != then
