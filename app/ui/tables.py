"""Tables: searched, sorted and turned page by page on the server; the first cell of a row leads to its detail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app.ui import words
from app.ui.asking import Asked, Refused, answered
from app.ui.behind import behind, downloads, slug
from app.ui.empty import empty_card, refusal_card
from app.ui.grid import Opened, Row, grid, shown_key
from app.ui.links import address, anchor
from app.ui.markup import Markup, joined, tag
from app.ui.people import still_here
from app.ui.rows import Columns, Rows, columns_of, listing, rows_of, text_of
from app.ui.scope import Scope

PAGE = 25
_FEW = 10
_USUAL = "As listed"
_EMPTY = ("There is nothing to list in this period.", "Choose another period, or fewer filters.")


def table(
    shown: Asked | Refused | Rows,
    *,
    name: str,
    title: str,
    why: str = "",
    opens: str | None = None,
    is_totalled: bool = True,
    columns: Columns | None = None,
    scope: Scope | None = None,
    empty: tuple[str, str] = _EMPTY,
) -> None:
    """An answer's rows with a totals row, worked out anew since rates don't add up; or rows of records.

    `opens` is the page of an answer's first dimension; of records, a `Column` says where its cells lead, in `scope`.
    """
    with st.container(border=True, key=f"card-{slug(title)}"):
        head = joined((tag("h2", title), tag("p", why, class_="why") if why else ""))
        if isinstance(shown, Refused):
            st.html(tag("section", head, refusal_card(shown), class_="sl sl-card"))
        elif isinstance(shown, Asked):
            st.html(tag("section", head, empty_card(*empty) if shown.is_empty else "", class_="sl sl-card"))
            if not shown.is_empty:
                _answer(shown, name, opens, is_totalled)
                behind(shown, title)
        else:
            rows = rows_of(shown)
            st.html(tag("section", head, "" if rows else empty_card(*empty), class_="sl sl-card"))
            if rows:
                _records(rows, name, columns, scope)


@st.fragment
def _answer(answer: Asked, name: str, opens: str | None, is_totalled: bool) -> None:
    """Only this much is drawn again when somebody searches, sorts or turns the page."""
    still_here(answer.scope.viewer)
    rows: Sequence[Row] = answer.rows()
    if len(rows) > _FEW:
        orders = {words.title(metric): metric.name for metric in answer.metrics}
        rows = _ordered(rows, name, orders, lambda row: _text(answer, row), words.spelled(answer.by[0].name).lower())
    number = len(rows)
    rows = _turned(rows, name)
    opened = _opener(answer, opens) if opens else None
    total = _total(answer) if is_totalled else None
    drawn = grid(answer, rows, total=total, together=_together(number, answer.keys_found), opened=opened)
    counted = words.counted(number, "row") + (f" of {answer.keys_found:,}" if answer.keys_found > number else "")
    _draw(drawn, counted, downloads(answer, name), name)


@st.fragment
def _records(rows: list[Row], name: str, columns: Columns | None, scope: Scope | None) -> None:
    if scope is not None:
        still_here(scope.viewer)
    shown = columns_of(rows, columns)
    if len(rows) > _FEW:
        # Whole records, as the values before a change, are neither more nor less than others.
        orders = {
            column.label: key
            for key, column in shown.items()
            if not any(isinstance(row.get(key), Mapping) for row in rows)
        }
        rows = _ordered(rows, name, orders, lambda row: text_of(row, shown), "any column")
    number = len(rows)
    _draw(listing(_turned(rows, name), shown, scope), words.counted(number, "row"), Markup(), name)


def _draw(drawn: Markup, counted: str, links: Markup, name: str) -> None:
    told = tag("span", counted, class_="sl-muted")
    foot = tag("p", told, Markup("&ensp;") if links else "", links, class_="sl-small", style="margin:.4rem 0 0")
    st.html(
        tag(
            "div",
            tag("div", drawn, class_="sl-scroll", tabindex=0, role="region", aria_label=f"Table {name}"),
            foot,
            class_="sl",
        )
    )


def _ordered(rows: Sequence[Row], name: str, orders: Mapping[str, str], text: Any, by: str) -> list[Row]:  # noqa: ANN401 - of a row
    """Those that contain the words, in the order that was chosen; what has no value comes last."""
    with st.container(horizontal=True, vertical_alignment="center"):
        sought = st.text_input(
            "Search",
            key=f"{name}-search",
            type="search",
            placeholder=f"Search by {by}",
            label_visibility="collapsed",
            width=240,
        )
        order = st.selectbox(
            "Sort by",
            [_USUAL, *orders],
            key=f"{name}-sort",
            label_visibility="collapsed",
            width=200,
            format_func=_sorting,
        )
        is_rising = st.toggle("Smallest first", key=f"{name}-rising")
    found = [row for row in rows if all(word in text(row) for word in (sought or "").lower().split())]
    if order not in orders:
        return found[::-1] if is_rising else found
    column = orders[order]
    there = [row for row in found if row.get(column) is not None]
    there.sort(key=lambda row: row[column], reverse=not is_rising)
    return there + [row for row in found if row.get(column) is None]


def _sorting(order: str) -> str:
    return order if order == _USUAL else f"Sort by {order}"


def _turned(rows: Sequence[Row], name: str) -> Sequence[Row]:
    """The page of the rows that is looked at."""
    pages = -(-len(rows) // PAGE)
    page = min(pages, st.pagination(pages, key=f"{name}-page")) if pages > 1 else 1
    return rows[(page - 1) * PAGE : page * PAGE]


def _text(answer: Asked, row: Row) -> str:
    return " ".join(shown_key(one, row) for one in answer.by).lower()


def _together(listed: int, found: int) -> str:
    """The totals row is of all, also of those that a search or a limit leaves out."""
    return "Together" if listed >= found else f"All {found:,} together"


def _total(answer: Asked) -> Row | None:
    """Of the version that the rows are of, though there may be a newer one by now."""
    version = answer.receipt.lake_version
    whole = answered(replace(answer.question, by=(), grain=None, order=None, limit=None, as_of=version), answer.scope)
    return next(iter(whole.rows()), None)


def _opener(answer: Asked, opens: str) -> Opened:
    key = answer.by[0]

    def link(row: Row, name: str) -> Markup:
        # Filters of listed values are named in addresses as people read them.
        chosen = words.value_of(key, row[key.name]) if key.values else row[key.name]
        return anchor(name, address(opens, answer.scope, **{key.name: chosen}))

    return link
