"""Receipts as people read them, and figures made anew from Postgres beside the ones shown."""

from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy.exc import OperationalError

from app.answering import BusyRecomputingError, Recomputed, recomputed
from app.metrics.receipt import Receipt
from app.ui import words
from app.ui.asking import Asked
from app.ui.grid import unit_of
from app.ui.markup import Markup, tag

_MOST_DIFFERENCES = 20


def draw_receipt(answer: Asked) -> None:
    """Definitions and facts, the text that ran, and a button that asks Postgres the same."""
    receipt = answer.receipt
    st.html(tag("div", _definitions(receipt), _facts(receipt), _caveats(receipt), class_="sl sl-receipt"))
    if st.button("Recompute live from Postgres", icon=":material/refresh:", key=f"recompute-{receipt.id}"):
        _draw_recomputed(answer)
    with st.expander("SQL and parameters"):
        st.code(receipt.sql, language="sql", wrap_lines=True)
        parameters = "\n".join(f"${name} = {_parameter(value)}" for name, value in receipt.parameters.items())
        st.code(parameters, language=None, wrap_lines=True)


def _definitions(receipt: Receipt) -> Markup:
    told = [
        tag("dt", words.spelled(one.name))
        + tag("dd", one.meaning, tag("div", f"= {one.formula} ({one.additivity})", class_="sl-small sl-muted"))
        for one in receipt.definitions
    ]
    return tag("dl", *(Markup(one) for one in told))


def _facts(receipt: Receipt) -> Markup:
    zone = ZoneInfo(receipt.zone)
    facts = [
        ("Receipt", receipt.id),
        (
            "Period",
            f"{words.day(receipt.period[0])} up to, without, {words.day(receipt.period[1])}; days in {receipt.zone}",
        ),
        ("Data through", f"{words.moment(receipt.data_through.astimezone(zone))} ({receipt.zone})"),
        ("Loaded at", f"{words.moment(receipt.loaded_at.astimezone(zone))} ({receipt.zone})"),
        ("Lake version", words.count(receipt.lake_version)),
        ("Rollups", ", ".join(f"{one.name} at version {one.version}" for one in receipt.rollups)),
        ("Rows read", words.count(receipt.rows_read)),
        ("Currency", receipt.currency),
        *receipt.made_by,
        ("Took", f"{receipt.elapsed_ms:.1f} ms"),
    ]
    listed = [Markup(tag("dt", name) + tag("dd", value)) for name, value in facts if value is not None]
    return tag("dl", *listed, class_="facts")


def _caveats(receipt: Receipt) -> Markup:
    return tag("ul", *(tag("li", caveat) for caveat in receipt.caveats)) if receipt.caveats else Markup()


def _draw_recomputed(answer: Asked) -> None:
    with st.spinner("Asking Postgres …"):
        try:
            made = recomputed(answer, answer.scope.viewer)
        except BusyRecomputingError as refusal:
            st.warning(str(refusal))
            return
        except OperationalError as error:
            st.warning(
                f"Postgres did not answer in time ({type(error.orig).__name__}). Choose a shorter period and try again."
            )
            return
    _draw_difference(answer, made)


def _draw_difference(answer: Asked, made: Recomputed) -> None:
    if not made.differences:
        compared = words.counted(len(made.rows), "row")
        st.success(
            f"Difference 0: {compared} compared with Postgres now ({made.seconds:.1f} s).", icon=":material/check:"
        )
        return
    st.warning(
        f"{words.counted(len(made.differences), 'figure')} differ: something changed since the figures were loaded."
    )
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Row", "Figure", "Shown", "Now", "Difference")))
    rows = []
    for key, column, shown, now in made.differences[:_MOST_DIFFERENCES]:
        unit = unit_of(answer, column)
        difference = None if shown is None or now is None or isinstance(now, str) else now - type(now)(shown)
        told = (words.figure(value, unit) for value in (shown, now, difference))
        rows.append(
            tag(
                "tr",
                tag("td", key or "all"),
                tag("td", words.spelled(column)),
                *(tag("td", one, class_="number") for one in told),
            )
        )
    st.html(
        tag(
            "div",
            tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table"),
            class_="sl sl-scroll",
            tabindex=0,
        )
    )


def _parameter(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
