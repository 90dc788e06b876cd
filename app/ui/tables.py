"""Tables: searched, sorted and turned page by page on the server; the first cell of a row leads to its detail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app.ui import words
from app.ui.asking import Asked, Refused, answered
from app.ui.behind import behind, downloads, slug
from app.ui.empty import empty_card, refusal_card
from app.ui.grid import Row, grid, shown_key
from app.ui.links import address, anchor
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

PAGE = 25
_FEW = 10
_EMPTY = ("There is nothing to list in this period.", "Choose another period, or fewer filters.")


def table(
    answer: Asked | Refused,
    *,
    name: str,
    title: str,
    why: str = "",
    opens: str | None = None,
    is_totalled: bool = True,
) -> None:
    """An answer's rows, with a totals row that is worked out anew: rates don't add up."""
    with st.container(border=True, key=f"card-{slug(title)}"):
        head = joined((tag("h2", title), tag("p", why, class_="why") if why else ""))
        if isinstance(answer, Refused) or answer.is_empty:
            inside = refusal_card(answer) if isinstance(answer, Refused) else empty_card(*_EMPTY)
            st.html(tag("section", head, inside, class_="sl sl-card"))
            return
        st.html(tag("section", head, class_="sl sl-card"))
        _body(answer, name, opens, is_totalled)
        behind(answer, title)


@st.fragment
def _body(answer: Asked, name: str, opens: str | None, is_totalled: bool) -> None:
    """Only this much is drawn again when somebody searches, sorts or turns the page."""
    rows = answer.rows()
    if len(rows) > _FEW:
        rows = _chosen(answer, rows, name)
    pages = max(1, -(-len(rows) // PAGE))
    page = 1
    if pages > 1:
        page = min(pages, st.pagination(pages, key=f"{name}-page"))
    total = _total(answer) if is_totalled else None
    scope = answer.scope
    drawn = grid(
        answer,
        rows[(page - 1) * PAGE : page * PAGE],
        total=total,
        opened=_opener(answer, opens, scope) if opens else None,
    )
    counted = words.counted(len(rows), "row") + (
        f" of {words.count(answer.keys_found)}" if answer.keys_found > len(rows) else ""
    )
    foot = tag(
        "p",
        tag("span", counted, class_="sl-muted"),
        Markup("&ensp;"),
        downloads(answer, name),
        class_="sl-small",
        style="margin:.4rem 0 0",
    )
    st.html(tag("div", tag("div", drawn, class_="sl-scroll", tabindex=0), foot, class_="sl"))


def _chosen(answer: Asked, rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Those that contain the words, in the order that was chosen."""
    orders = {words.title(metric): metric.name for metric in answer.metrics}
    with st.container(horizontal=True, vertical_alignment="center"):
        told = words.spelled(answer.by[0].name).lower()
        sought = st.text_input(
            "Search",
            key=f"{name}-search",
            type="search",
            placeholder=f"Search by {told}",
            label_visibility="collapsed",
            width=260,
        )
        usual = "As listed"
        by = st.selectbox(
            "Sort by",
            [usual, *orders],
            key=f"{name}-sort",
            label_visibility="collapsed",
            width=220,
            format_func=lambda one: one if one == usual else f"Sort by {one}",
        )
        is_rising = st.toggle("Smallest first", key=f"{name}-rising")
    if sought:
        rows = [row for row in rows if all(word in _text(answer, row) for word in sought.lower().split())]
    if by in orders:
        column = orders[by]
        there = [row for row in rows if row[column] is not None]
        there.sort(key=lambda row: row[column], reverse=not is_rising)
        return there + [row for row in rows if row[column] is None]
    return rows[::-1] if is_rising else rows


def _text(answer: Asked, row: Mapping[str, Any]) -> str:
    return " ".join(shown_key(one, row) for one in answer.by).lower()


def _total(answer: Asked) -> Row | None:
    whole = answered(replace(answer.question, by=(), grain=None, order=None, limit=None), answer.scope)
    rows: Sequence[Row] = whole.rows()
    return rows[0] if rows else None


def _opener(answer: Asked, opens: str | None, scope: Scope) -> Any:  # noqa: ANN401 - a function of a row
    key = answer.by[0].name

    def link(row: Row, name: str) -> Markup:
        return anchor(name, address(opens or "", scope, **{key: row[key]}))

    return link
