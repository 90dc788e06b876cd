"""Headline figures: value, change with its good direction, course over the period, and where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app.metrics.glossary import metric
from app.metrics.metric import Metric, Unit
from app.ui import plots, words
from app.ui.asking import Asked, Refused, answered, ask, asked_for, seen_by
from app.ui.behind import behind, slug
from app.ui.drawings import drawn_once
from app.ui.grid import mood
from app.ui.markup import Markup, tag, with_code, without_code
from app.ui.scope import Scope
from app.ui.series import over_time

# More don't fit beside the menu on a laptop.
_MOST_ACROSS = 5
_COMPARED = {"previous": "the period before", "year": "a year ago"}


def tiles(metrics: Sequence[str], scope: Scope, *, title: str = "Headline figures", **where: Any) -> None:  # noqa: ANN401 - a dimension's value
    """One tile a metric that the viewer may see. All come from one question where one can answer them all."""
    names = tuple(metric(name).name for name in seen_by(metrics, scope))
    narrowed = scope.narrowed(**where) if where else scope
    if not names:
        return
    together = ask(names, narrowed)
    with st.container(key=f"tiles-{slug(title)}"):
        if isinstance(together, Asked):
            _draw(_together(names, together, narrowed))
            behind(together, title)
        else:
            alone = _apart(names, narrowed)
            _draw([_tile_alone(metric(name), answer, narrowed) for name, answer in alone.items()])
            _behind_each(alone, title)


def _draw(drawn: Sequence[Markup]) -> None:
    st.html(tag("div", tag("div", *drawn, class_="sl-tiles", style=f"--n:{_across(len(drawn))}"), class_="sl"))


def _across(count: int) -> int:
    """So many side by side that rows are equally long."""
    rows = -(-count // _MOST_ACROSS)
    return -(-count // rows)


def _together(names: Sequence[str], answer: Asked, scope: Scope) -> list[Markup]:
    course = _course(names, scope)
    return [_tile(metric(name), answer, course) for name in names]


def _apart(names: Sequence[str], scope: Scope) -> dict[str, Asked | Refused]:
    """No rollup answers all: each is asked alone."""
    return {name: ask(name, scope) for name in names}


def _tile_alone(one: Metric, answer: Asked | Refused, scope: Scope) -> Markup:
    """One without an answer says why."""
    return _refused(one, answer) if isinstance(answer, Refused) else _tile(one, answer, _course((one.name,), scope))


def _behind_each(answers: Mapping[str, Asked | Refused], title: str) -> None:
    """Each answer has a receipt of its own, named by its tile."""
    with st.container(horizontal=True):
        for name, answer in answers.items():
            if isinstance(answer, Asked):
                told = words.title(metric(name))
                behind(answer, f"{title}: {told}", f"Receipt of {told}")


def _course(names: Sequence[str], scope: Scope) -> Asked | None:
    found = answered(replace(asked_for(names, scope, grain=scope.grain), compare=None), scope)
    return found if isinstance(found, Asked) else None


def _tile(one: Metric, answer: Asked, course: Asked | None) -> Markup:
    value, currency = answer.value(one.name), answer.receipt.currency
    is_money = one.unit is Unit.MONEY
    told = words.short(value, one.unit)
    unit = tag("small", f" {currency}") if is_money and currency and value is not None else ""
    partial = (
        tag("small", " so far", title="A day of the period is still running.") if answer.receipt.running_day else ""
    )
    return tag(
        "div",
        tag("div", words.title(one), class_="label"),
        tag("div", told, unit, partial, class_="value"),
        tag("div", _delta(one, answer), class_="delta"),
        _spark(one, course),
        class_="sl-tile",
        title=one.meaning,
        data_metric=one.name,
        data_value="" if value is None else str(value),
    )


def _delta(one: Metric, answer: Asked) -> Markup:
    compare = answer.scope.compare
    if compare is None:
        return Markup("&nbsp;")
    value = answer.value(f"{one.name}_change") if f"{one.name}_change" in answer.table.column_names else None
    before = answer.value(f"{one.name}_before") if f"{one.name}_before" in answer.table.column_names else None
    against = f"against {words.figure(before, one.unit, answer.receipt.currency)} {_COMPARED[compare]}"
    if value is None:
        return tag("span", "nothing to compare with" if before in {None, 0} else "", class_="sl-muted", title=against)
    arrow = "▲" if value > 0 else "▼" if value < 0 else "="
    return tag(
        "span",
        tag("span", f"{arrow} {words.change(value, one.unit)}", class_=mood(one, value)),
        tag("span", " more" if value > 0 else " less" if value < 0 else " as before", class_="sl-muted"),
        title=against,
    )


def _spark(one: Metric, course: Asked | None) -> Markup:
    if course is None or course.is_empty:
        return Markup()

    def draw() -> Markup:
        shown = over_time(course, [one])
        return plots.sparkline(shown.series[0].values, plots.described(shown, words.title(one)))

    return drawn_once(course, ("spark", one.name), draw)


def _refused(one: Metric, refused: Refused) -> Markup:
    reason = refused.reason
    return tag(
        "div",
        tag("div", words.title(one), class_="label"),
        tag("div", with_code(reason.what), class_="value sl-muted"),
        class_="sl-tile is-refused",
        title=without_code(f"{reason.why} {reason.fix}").strip(),
        data_metric=one.name,
    )
