"""What ad platforms changed afterwards: figures of each day, as an earlier version of the lake told them and as now."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app.analysis.restated import Restated, restated
from app.answering import the_desk
from app.lake.lake import the_lake
from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.ui import words
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.charts import bars, chart
from app.ui.empty import nothing_here
from app.ui.freshness import freshness
from app.ui.markup import Markup
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import note_broken

_FIGURES = ("impressions", "ad_clicks", "spend", "ad_conversions", "ad_revenue")
_MOST_VERSIONS = 60
_HEIGHT = 320
_TITLE = "Changed since then"
_COLUMNS = {"day": "Day", "figure": "Figure", "then": "Then", "now": "Now", "by": "Changed by"}


def restatements(scope: Scope) -> None:
    """How often figures were changed; and, against an earlier version, which and by how much."""
    bars(
        ask("restatements", scope.uncompared, grain=scope.grain),
        title="Restatements",
        why="How often figures of a day were changed later. Meta restates the last 28 days.",
    )
    earlier = _earlier(scope)
    if not earlier:
        nothing_here(
            "There is no earlier version to compare with.",
            fill="Every refresh that brings something new makes one; links pinned as of a version keep it.",
        )
        return
    note_broken("against", list(earlier))
    label = st.selectbox("Compare with", list(earlier), key="against", bind="query-params", width=380)
    _against(scope, earlier.get(label) or next(iter(earlier.values())))


def _earlier(scope: Scope) -> dict[str, int]:
    """Versions before the one that is shown, the oldest first, by when they were loaded; without a lake, none."""
    shown = freshness(scope.as_of).version
    if shown is None:
        return {}
    numbers = [number for number in the_lake().numbers() if number < shown][-_MOST_VERSIONS:]
    return {f"Version {number}, loaded {_loaded(number, scope)}": number for number in numbers}


def _loaded(number: int, scope: Scope) -> str:
    return words.moment(the_desk().version(number).loaded_at.astimezone(ZoneInfo(scope.zone)))


def _against(scope: Scope, number: int) -> None:
    then_version = the_desk().version(number)
    through = then_version.data_through.astimezone(ZoneInfo(scope.zone)).date()
    # A day that was still running then has grown since: that is no restatement.
    days = scope.uncompared.over(scope.since, max(scope.since + timedelta(days=1), min(scope.until, through)))
    with st.skeleton(height=_HEIGHT):
        now = ask(_FIGURES, days, grain="day")
        # An old version may have to be opened first.
        then = ask(_FIGURES, replace(days, as_of=number), grain="day")
    if not isinstance(now, Asked) or not isinstance(then, Asked):
        refused = now if isinstance(now, Refused) else then
        chart(refused, lambda _: Markup(), title=_TITLE)
        return
    found = restated(then.rows(), now.rows(), _FIGURES)
    table(
        [_row(one, scope.currency) for one in found],
        name="restated",
        title=_TITLE,
        why=f"Days that were over in version {number}, up to {words.day(days.until - timedelta(days=1))}.",
        columns=_COLUMNS,
        scope=scope,
        empty=("No figure of these days was changed since then.", "Choose an older version, or a longer period."),
        made_of=[then, now],
    )
    with st.container(horizontal=True):
        behind(then, "Figures then", "Receipt of then")
        behind(now, "Figures now", "Receipt of now")


def _row(one: Restated, currency: str) -> dict[str, object]:
    named = metric(one.figure)

    of = f", {currency}" if named.unit is Unit.MONEY else ""
    return {"day": one.day, "figure": words.title(named) + of, "then": one.then, "now": one.now, "by": one.by}
