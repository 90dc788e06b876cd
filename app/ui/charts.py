"""The one place where charts are drawn: a card with a title, the chart, its remarks, and what lies behind it."""

from collections.abc import Callable, Hashable, Sequence

import streamlit as st

from app.metrics.metric import Metric, Unit
from app.ui import plots
from app.ui.asking import Asked, Refused
from app.ui.behind import behind, slug
from app.ui.drawings import drawn_once
from app.ui.empty import NOTHING_HAPPENED, empty_card, refusal_card
from app.ui.field import Limit
from app.ui.markup import Markup, joined, tag, with_code
from app.ui.opened import leading, opener
from app.ui.ranks import heat_map, ranked
from app.ui.series import OverTime, over_time

Drawing = Callable[[Asked], Markup]


def chart(
    answer: Asked | Refused, drawing: Drawing, *, title: str, why: str = "", how: tuple[Hashable, ...] = ()
) -> None:
    """Whatever is drawn, it comes with its receipt, its table and its downloads; a refusal says why nothing is.

    `how` names all that decides the drawing besides the answer and its remarks; with it, the same is drawn once.
    """
    with st.container(border=True, key=f"card-{slug(title)}", height="stretch"):
        head = joined((tag("h2", title), tag("p", with_code(why), class_="why") if why else ""))
        if isinstance(answer, Refused):
            st.html(tag("section", head, refusal_card(answer), class_="sl sl-card"))
            return
        inside = (
            empty_card(*NOTHING_HAPPENED) if answer.is_empty else _drawn(answer, drawing, (title, *how) if how else ())
        )
        st.html(tag("section", head, inside, class_="sl sl-card"))
        behind(answer, title)


def _drawn(answer: Asked, drawing: Drawing, how: tuple[Hashable, ...]) -> Markup:
    return drawn_once(answer, how, lambda: drawing(answer)) if how else drawing(answer)


def line(
    answer: Asked | Refused,
    *,
    title: str,
    why: str = "",
    metrics: Sequence[str] | None = None,
    limits: Sequence[Limit] = (),
) -> None:
    """Values over time: a line for each metric, or for each value of what the answer is split by."""

    def draw(asked: Asked) -> Markup:
        return joined(
            _framed(
                shown,
                asked,
                plots.lines(
                    shown,
                    label=plots.described(shown, title),
                    filled=_is_lone(shown),
                    notes=asked.scope.notes,
                    limits=limits,
                ),
                is_last,
            )
            for shown, is_last in _panels(asked, metrics)
        )

    chart(answer, draw, title=title, why=why, how=("line", _named(metrics), tuple(limits)))


def area(answer: Asked | Refused, *, title: str, why: str = "", metrics: Sequence[str] | None = None) -> None:
    """Parts of a whole over time, one above the other."""
    _stacked(answer, title, why, metrics, columns=False)


def bars(
    answer: Asked | Refused,
    *,
    title: str,
    why: str = "",
    metrics: Sequence[str] | None = None,
    opens: str | None = None,
) -> None:
    """Columns over time; or a ranking, where the answer is split by something else than time.

    `opens` is the page that the names of a ranking lead to.
    """
    if isinstance(answer, Refused) or any(one.is_bucket for one in answer.by):
        _stacked(answer, title, why, metrics, columns=True)
    else:
        chart(
            answer,
            lambda asked: ranked(asked, _chosen(asked, metrics), opener(asked, opens)),
            title=title,
            why=why,
            how=("ranked", _named(metrics), leading(answer, opens)),
        )


def heat(answer: Asked | Refused, *, x: str, y: str, value: str, title: str, why: str = "") -> None:
    """A table of colours: the darker, the larger. Cells tell their figure."""
    chart(answer, lambda asked: heat_map(asked, x, y, value), title=title, why=why, how=("heat", x, y, value))


def _stacked(answer: Asked | Refused, title: str, why: str, metrics: Sequence[str] | None, *, columns: bool) -> None:
    def draw(asked: Asked) -> Markup:
        return joined(
            _framed(
                shown,
                asked,
                plots.stacked(shown, label=plots.described(shown, title), columns=columns, notes=asked.scope.notes),
                is_last,
            )
            for shown, is_last in _panels(asked, metrics)
        )

    chart(answer, draw, title=title, why=why, how=("stacked", columns, _named(metrics)))


def _named(metrics: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if metrics is None else tuple(metrics)


def _framed(shown: OverTime, asked: Asked, drawn: Markup, is_last: bool) -> Markup:
    unit = shown.series[0].unit
    currency = asked.receipt.currency if unit is Unit.MONEY else None
    told = tag("div", currency, class_="sl-small sl-muted") if currency else ""
    return joined((plots.legend(shown), told, drawn, plots.noted(asked.scope.notes) if is_last else ""))


def _panels(asked: Asked, names: Sequence[str] | None) -> list[tuple[OverTime, bool]]:
    """Metrics of one unit share a panel: two scales in one are read wrongly."""
    units: dict[Unit, list[Metric]] = {}
    for metric in _chosen(asked, names):
        units.setdefault(metric.unit, []).append(metric)
    panels = [over_time(asked, metrics) for metrics in units.values()]
    return [(panel, place == len(panels) - 1) for place, panel in enumerate(panels)]


def _chosen(asked: Asked, names: Sequence[str] | None) -> list[Metric]:
    if names is None:
        return list(asked.metrics)
    return [one for one in asked.metrics if one.name in names or set(one.aliases) & set(names)]


def _is_lone(shown: OverTime) -> bool:
    return len([series for series in shown.series if not series.is_before]) == 1


__all__ = ["Limit", "area", "bars", "chart", "heat", "line"]
