"""What proposals would change: month by month and model by model, open months apart from closed ones."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from app.commands.prices import MonthEffect
from app.ui import words
from app.ui.empty import nothing_here
from app.ui.markup import Markup, joined, tag

_HEADS = (
    "Month",
    "Model",
    "Calls that change",
    "Newly priced",
    "No longer priced",
    "Now, USD",
    "Then, USD",
    "Change, USD",
)


_WORDS = 2


def effect_of(changes: Sequence[MonthEffect]) -> None:
    """Sums first, then each month and model."""
    if not changes:
        nothing_here("No call would cost anything else than it does.", fill="Later calls are priced by it.")
        return
    opened = [one for one in changes if not one.is_closed]
    closed = [one for one in changes if one.is_closed]
    parts = [_part("Open months are rated anew", opened), _part("Closed months get corrections", closed)]
    lost = sum(one.newly_unpriced for one in changes)
    warning = (
        tag("div", tag("b", f"{words.counted(lost, 'call')} would lose their price."), _WHY_LOST, class_="sl-refused")
        if lost
        else ""
    )
    st.html(tag("div", warning, *parts, class_="sl"))


_WHY_LOST = "The prices cover a part of what these calls used. Choose the model's other prices as well."


def _part(title: str, changes: Sequence[MonthEffect]) -> Markup:
    if not changes:
        return Markup()
    total = sum((one.difference for one in changes), Decimal(0))
    months = len({one.month for one in changes})
    head = tag("h3", f"{title}: {_signed(total)} USD in {words.counted(months, 'month')}", style=_HEAD)
    rows = [_row(one) for one in changes]
    sums = (
        sum(one.calls for one in changes),
        sum(one.newly_priced for one in changes),
        sum(one.newly_unpriced for one in changes),
        sum((one.cost_before for one in changes), Decimal(0)),
        sum((one.cost_after for one in changes), Decimal(0)),
    )
    foot = tag("tr", tag("th", "Together", scope="row"), tag("td", ""), *_figures(*sums))
    table = tag(
        "table",
        tag("thead", tag("tr", *(_heading(place, name) for place, name in enumerate(_HEADS)))),
        tag("tbody", *rows),
        tag("tfoot", foot),
        class_="sl-table",
    )
    return joined((head, tag("div", table, class_="sl-scroll", tabindex=0, role="region", aria_label=title)))


_HEAD = "font-size:1rem;margin:.8rem 0 .2rem;padding:0"


def _heading(place: int, name: str) -> Markup:
    return tag("th", name, scope="col", class_="number" if place >= _WORDS else None)


def _row(one: MonthEffect) -> Markup:
    figures = _figures(one.calls, one.newly_priced, one.newly_unpriced, one.cost_before, one.cost_after)
    return tag("tr", tag("td", words.bucket("month", one.month)), tag("td", f"{one.provider}/{one.model}"), *figures)


def _figures(calls: int, priced: int, unpriced: int, before: Decimal, after: Decimal) -> list[Markup]:
    told = (
        words.count(calls),
        words.count(priced),
        words.count(unpriced),
        words.money(before, ""),
        words.money(after, ""),
        _signed(after - before),
    )
    return [tag("td", one, class_="number") for one in told]


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{words.money(amount, '')}"
