"""Campaigns beside each other from the day of their launch on."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from app.analysis.launches import since_launch
from app.metrics.metric import Metric
from app.ui import plots, words
from app.ui.asking import Asked, Refused
from app.ui.charts import chart
from app.ui.markup import Markup, joined
from app.ui.series import OverTime, Series

DAYS = "day since launch"


def aligned(
    answer: Asked | Refused, launches: Mapping[str, date], *, through: date, is_summed: bool, title: str, why: str = ""
) -> None:
    """One line a campaign; the answer is of one metric, by campaign and day. Day 0 is the day of the launch."""

    def draw(asked: Asked) -> Markup:
        shown = _shown(asked, asked.metrics[0], launches, through, is_summed=is_summed)
        return joined((plots.legend(shown), plots.lines(shown, label=_described(shown, title), filled=False)))

    chart(answer, draw, title=title, why=why)


def _shown(answer: Asked, metric: Metric, launches: Mapping[str, date], through: date, *, is_summed: bool) -> OverTime:
    names = words.told_apart({row["campaign"]: row["campaign_name"] for row in answer.rows()})
    daily = pd.DataFrame(
        [(row["campaign"], row["day"], float(row[metric.name] or 0)) for row in answer.rows()],
        columns=["campaign", "day", metric.name],
    )
    frame = since_launch(daily, launches, through, value=metric.name)
    frame = frame[frame["day_number"] >= 0]
    column = "so_far" if is_summed else metric.name
    # Nobody looks at the years after: lines end with the last day on which anything happened, and one more.
    last = int(frame.loc[frame[metric.name] > 0, "day_number"].max()) + 1 if (frame[metric.name] > 0).any() else 0
    points = tuple(range(last + 1))
    series = tuple(
        Series(
            names[key],
            metric.unit,
            tuple(lines.reindex(points).astype(object).where(lines.reindex(points).notna(), None)),
        )
        for key, lines in (
            (key, rows.set_index("day_number")[column]) for key, rows in frame.groupby("campaign", sort=False)
        )
    )
    return OverTime(DAYS, points, series, None)


def _described(shown: OverTime, title: str) -> str:
    told = [f"{title}, by day since launch."]
    for series in shown.series:
        there = [value for value in series.values if value is not None]
        if there:
            told.append(f"{series.name}: {words.figure(there[-1], series.unit)} on day {len(there) - 1}.")
    return " ".join(told)
