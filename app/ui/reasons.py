"""What changed and why: a change split by the members of a dimension, whose parts add up to it."""

from collections.abc import Sequence
from fractions import Fraction

import streamlit as st

from app.analysis.answers import explained, figures_behind
from app.analysis.effects import Effects
from app.metrics.dimensions import Dimension
from app.metrics.glossary import metric
from app.metrics.metric import Metric, Ratio
from app.ui import words
from app.ui.asking import Asked, Refused, ask, seen_by
from app.ui.behind import behind, slug
from app.ui.drawings import drawn_once
from app.ui.empty import empty_card, refusal_card
from app.ui.grid import Opened, Row, changed, mood, shown_key
from app.ui.markup import Markup, joined, tag
from app.ui.opened import leading, opener
from app.ui.scope import Scope

_SHOWN = 4
# About as high as what comes in its place: nothing below moves far.
_HEIGHT = 240
_UNCOMPARED = ("There is nothing to compare with.", "Choose a comparison at the top, and a period with a complete day.")
_WHY = (
    "Each change is split among those that made it, and the parts add up to it. Of a rate, mix is what came of being a "
    "larger or smaller part of the whole, and rate what came of doing better or worse."
)


def reasons(names: Sequence[str], scope: Scope, *, by: str, title: str, opens: str, most: int = 4) -> None:
    """The metrics that changed most, relative to what they were, each with the members that made it change.

    `opens` is the page that members lead to.
    """
    seen = seen_by(names, scope)
    with st.container(border=True, key=f"card-{slug(title)}"):
        head = joined((tag("h2", title), tag("p", _WHY, class_="why")))
        if scope.compare is None or not seen:
            st.html(tag("section", head, empty_card(*_UNCOMPARED), class_="sl sl-card"))
            return
        with st.skeleton(height=_HEIGHT):
            answer = ask(tuple(dict.fromkeys(part for name in seen for part in figures_behind(name))), scope, by=by)
        if isinstance(answer, Refused):
            st.html(tag("section", head, refusal_card(answer), class_="sl sl-card"))
            return
        drawn = drawn_once(
            answer,
            ("reasons", seen, by, most, leading(answer, opens)),
            lambda: _drawn(seen, answer, by, most, opener(answer, opens)),
        )
        st.html(tag("section", head, drawn, class_="sl sl-card"))
        behind(answer, title)


def _drawn(names: Sequence[str], answer: Asked, by: str, most: int, opened: Opened | None) -> Markup:
    found = [(name, explained(answer, name, by=by, shown=_SHOWN)) for name in names]
    told = sorted((one for one in found if one[1].change), key=lambda one: -_size(one[1]))
    if not told:
        return empty_card("Nothing changed.", "Choose a longer period.")
    return tag(
        "div", *(_told(metric(name), effects, answer, opened) for name, effects in told[:most]), class_="sl-reasons"
    )


def _size(effects: Effects[str | None]) -> float:
    """Relative to what it was; what came from nothing is the largest."""
    if not effects.before:
        return float("inf")
    return float(abs((effects.change or 0) / effects.before))


def _told(one: Metric, effects: Effects[str | None], answer: Asked, opened: Opened | None) -> Markup:
    named = answer.by[0]
    members = {row[named.name]: row for row in answer.rows()}
    before, after = (words.figure(_plain(value), one.unit) for value in (effects.before, effects.after))
    ratio = isinstance(one, Ratio)
    relative = None if not effects.before else float((effects.change or 0) / effects.before)
    head = tag(
        "p",
        tag("b", words.title(one)),
        f" went from {before} to {after} ",
        changed(one, float(effects.change or 0) if one.unit == "percent" else relative),
        class_="head",
    )
    largest = max((abs(part.total) for part in effects.members), default=Fraction(0)) or Fraction(1)
    rows = [
        cell
        for part in effects.members
        if part.total
        for cell in _part(
            one, _name(named, members[part.member], opened), part.mix if ratio else None, part.rate, largest
        )
    ]
    if effects.others is not None:
        others = tag("span", words.counted(effects.others.members, "other"), class_="name")
        rows += _part(one, others, None, effects.others.total, largest)
    return tag("div", head, tag("div", *rows, class_="sl-rows"))


def _name(named: Dimension, row: Row, opened: Opened | None) -> Markup:
    name = shown_key(named, row)
    return tag("span", opened(row, name) if opened and row[named.name] is not None else name, title=name, class_="name")


def _part(one: Metric, name: Markup, mix: Fraction | None, rate: Fraction, largest: Fraction) -> tuple[Markup, ...]:
    """Bars grow from the middle: to the right what raised the figure, to the left what lowered it."""
    total = rate + (mix or 0)
    width = min(50.0, float(abs(total) / largest) * 50)
    left = 50.0 if total > 0 else 50 - width
    split = f"mix {_signed(one, mix)}, rate {_signed(one, rate)}" if mix is not None else ""
    bar = tag("i", style=f"left:{left:.1f}%;width:{width:.1f}%")
    return (
        name,
        tag("span", bar, tag("u", style="left:50%"), class_=f"bar {mood(one, float(total))}", title=split or None),
        tag("span", _signed(one, total), tag("span", split, class_="split") if split else "", class_="figure"),
    )


def _signed(one: Metric, value: Fraction) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    if one.unit == "percent":
        return f"{sign}{words.change(float(value), one.unit)}"
    return sign + words.figure(abs(_plain(value) or 0), one.unit)


def _plain(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
