"""The same figures to play with: ECharts over time, Plotly for the rest. Loaded when somebody opens it."""

from typing import Any

import streamlit as st

from app.metrics.metric import Unit
from app.ui import words
from app.ui.asking import Asked
from app.ui.ranks import name_of
from app.ui.series import OverTime, over_time

_HEIGHT = 420
_MOST_BARS = 40


def explore(answer: Asked, title: str) -> None:
    """Zoom, switch lines off, read values."""
    if any(one.is_bucket for one in answer.by):
        shown = over_time(answer, [answer.metrics[0]] if _is_split(answer) else list(answer.metrics))
        st.echarts_chart(_option(shown), height=_HEIGHT, alt=f"{title}, by {shown.grain}; the table holds its figures.")
    elif answer.by:
        _bars(answer)
    else:
        _funnel(answer)


def _is_split(answer: Asked) -> bool:
    return any(not one.is_bucket and one.name != "hour" for one in answer.by)


def _option(shown: OverTime) -> dict[str, Any]:
    """One axis for each unit, at most two."""
    units = list(dict.fromkeys(series.unit for series in shown.series))[:2]
    return {
        "tooltip": {"trigger": "axis"},
        "legend": {"type": "scroll", "top": 0},
        "grid": {"left": 8, "right": 8, "top": 40, "bottom": 60, "containLabel": True},
        "xAxis": {"type": "category", "data": [words.bucket(shown.grain, point) for point in shown.points]},
        "yAxis": [{"type": "value", "name": unit.value if unit is not Unit.COUNT else ""} for unit in units],
        "dataZoom": [{"type": "inside"}, {"type": "slider", "height": 20, "bottom": 10}],
        "series": [
            {
                "name": series.name,
                "type": "line",
                "showSymbol": False,
                "yAxisIndex": units.index(series.unit),
                "lineStyle": {"type": "dashed" if series.is_before else "solid"},
                "data": [_shown(value, series.unit) for value in series.values],
            }
            for series in shown.series
            if series.unit in units
        ],
    }


def _shown(value: float | None, unit: Unit) -> float | None:
    return value if value is None or unit is not Unit.PERCENT else round(value * 100, 4)


def _bars(answer: Asked) -> None:
    from plotly import graph_objects as go  # noqa: PLC0415 - half a second, which only who opens this waits for

    metric = answer.metrics[0]
    rows = [row for row in answer.rows() if row[metric.name] is not None][:_MOST_BARS]
    names = words.told_apart({tuple(row[one.name] for one in answer.by): name_of(row, answer.by) for row in rows})
    figure = go.Figure(
        go.Bar(
            x=[float(row[metric.name]) for row in rows],
            y=[_plain(name) for name in names.values()],
            orientation="h",
            text=[words.figure(row[metric.name], metric.unit, answer.receipt.currency) for row in rows],
        )
    )
    figure.update_yaxes(autorange="reversed")
    st.plotly_chart(figure, height=max(_HEIGHT, 26 * len(rows)), key=f"explore-{answer.receipt.id}")


def _funnel(answer: Asked) -> None:
    from plotly import graph_objects as go  # noqa: PLC0415 - as above

    counted = [
        (words.title(one), float(answer.value(one.name) or 0)) for one in answer.metrics if one.unit is not Unit.PERCENT
    ]
    figure = go.Figure(go.Funnel(y=[name for name, _ in counted], x=[value for _, value in counted]))
    st.plotly_chart(figure, height=_HEIGHT, key=f"explore-{answer.receipt.id}")


def _plain(name: str) -> str:
    """Plotly reads a few tags of HTML in texts: what customers wrote is shown as it is."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
