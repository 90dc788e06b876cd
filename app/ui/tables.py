"""Tables: searched, sorted and turned page by page on the server; the first cell of a row leads to its detail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app.exports.live import Listed
from app.ui import words
from app.ui.asking import Asked, Refused, answered
from app.ui.behind import behind, downloads, slug
from app.ui.empty import empty_card, refusal_card
from app.ui.grid import Row, grid, shown_key
from app.ui.live import behind_list, live_downloads, told_of
from app.ui.markup import Markup, joined, tag, with_code
from app.ui.opened import opener
from app.ui.people import still_here
from app.ui.rows import Columns, Rows, columns_of, label_of, listing, rows_of, text_of
from app.ui.scope import Scope
from app.ui.sifted import FEW, sifted, turned, value_of
from app.ui.worked_out import offer

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
    read: Listed[Any] | None = None,
    made_of: Sequence[Asked] = (),
) -> None:
    """An answer's rows with a totals row, worked out anew since rates don't add up; or rows of records.

    `opens` is the page of an answer's first dimension; of records, a `Column` says where its cells lead, in `scope`.
    Records that were read live come with their reading: it has a receipt, and downloads of the whole list; those that
    were worked out come with the answers that they are made of.
    """
    with st.container(border=True, key=f"card-{slug(title)}"):
        told = told_of(why, read, scope)
        head = joined((tag("h2", title), tag("p", with_code(told), class_="why") if told else ""))
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
                _records(rows, name, columns, scope, live_downloads(read.receipt, name) if read else Markup())
            if read and scope:
                behind_list(read, title, name, scope)
            elif rows and made_of:
                offer(
                    rows, {key: label_of(column) for key, column in columns_of(rows, columns).items()}, made_of, title
                )


@st.fragment
def _answer(answer: Asked, name: str, opens: str | None, is_totalled: bool) -> None:
    """Only this much is drawn again when somebody searches, sorts or turns the page."""
    still_here(answer.scope.viewer)
    rows: Sequence[Row] = answer.rows()
    if len(rows) > FEW:
        by = words.spelled(answer.by[0].name).lower()
        rows = sifted(rows, name, _orders(answer), lambda row: _text(answer, row), f"Search by {by}")
    number = len(rows)
    rows = turned(rows, name)
    opened = opener(answer, opens)
    total = _total(answer) if is_totalled else None
    drawn = grid(answer, rows, total=total, together=_together(number, answer.keys_found), opened=opened)
    counted = words.counted(number, "row") + (f" of {answer.keys_found:,}" if answer.keys_found > number else "")
    _draw(drawn, counted, downloads(answer, name), name)


@st.fragment
def _records(rows: list[Row], name: str, columns: Columns | None, scope: Scope | None, links: Markup) -> None:
    if scope is not None:
        still_here(scope.viewer)
    shown = columns_of(rows, columns)
    if len(rows) > FEW:
        # Whole records, as the values before a change, are neither more nor less than others.
        orders = {
            column.label: value_of(key)
            for key, column in shown.items()
            if not any(isinstance(row.get(key), Mapping) for row in rows)
        }
        rows = sifted(rows, name, orders, lambda row: text_of(row, shown), "Search in these rows")
    number = len(rows)
    _draw(listing(turned(rows, name), shown, scope), words.counted(number, "row"), links, name)


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


def _orders(answer: Asked) -> dict[str, Callable[[Row], Any]]:
    """By the figures, and by the names that stand before them."""
    figures = {words.title(metric): value_of(metric.name) for metric in answer.metrics}
    names = {words.spelled(one.name): lambda row, one=one: shown_key(one, row).lower() for one in answer.by}
    return figures | names


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
