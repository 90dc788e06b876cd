"""A month of AI cost: what stands against closing it, closing and opening it, and what was corrected since."""

from datetime import UTC, date, datetime

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.closes import close_month, open_calls, reopen_month
from app.commands.reconciling import KeptBill
from app.metrics.metric import Unit
from app.records.months import MonthClose
from app.ui import words
from app.ui.bill_choice import BillChoice, provider_name
from app.ui.cards import card
from app.ui.done import attempt
from app.ui.live import read
from app.ui.markup import tag
from app.ui.month_correction import correct
from app.ui.people import still_here
from app.ui.rows import Column, Columns
from app.ui.tables import table

_WARNING = "month-warning"
_BILLS: Columns = {
    "provider": "Provider",
    "total": Column("Bill", Unit.MONEY, currency="USD"),
    "invoiced": Column("Invoice before tax", Unit.MONEY, currency="USD"),
    "status": "Status",
    "approved_by": "Approved by",
    "last_day": "Through",
}
_CORRECTIONS: Columns = {
    "made_on": "Made on",
    "kind": "Kind",
    "provider": "Provider",
    "model": "Model",
    "product": "Product",
    "corrections": Column("Rows", Unit.COUNT),
    "amount": Column("Amount", Unit.MONEY, currency="USD"),
    "reason": "Why",
    "made_by": "By",
}


def month_desk(choice: BillChoice) -> None:
    """The month as a whole, whichever provider is looked at."""
    month = choice.month
    close = read("month_close", choice.scope, month=month)
    closed = next(iter(close.rows), None)
    _warn()
    card(f"{month:%B %Y}", tag("p", _state(closed)), read=close, scope=choice.scope)
    if choice.scope.viewer.may(Permission.MONTHS_CLOSE):
        _button(choice, closed)
    _bills(choice)
    listed = read("corrections_of_month", choice.scope, month=month)
    table(
        [
            vars(one)
            | {
                "kind": words.spelled(one.kind),
                "provider": provider_name(one.provider),
                "product": words.spelled(one.product),
            }
            for one in listed.rows
        ],
        name="corrections",
        title="Corrections after the close",
        why="A closed month's calls stay as they are; what was found out later stands here.",
        columns=_CORRECTIONS,
        scope=choice.scope,
        empty=("The month was not corrected.", "Late usage and prices that are approved later would stand here."),
        read=listed,
    )


def _bills(choice: BillChoice) -> None:
    table(
        [
            vars(one) | {"provider": provider_name(one.provider), "status": words.spelled(one.status)}
            for one in choice.of_month
        ],
        name="month-bills",
        title="Bills of the month",
        why="Every provider's. Those that are approved close with the month.",
        columns=_BILLS,
        scope=choice.scope,
        empty=("No bill of it was read in.", "Choose a provider, and read its file in “The bill”."),
        read=choice.listed("provider_bills", choice.of_month),
    )


def _state(closed: MonthClose | None) -> str:
    if closed is None:
        return "Open: its calls are priced by today's book."
    by = f" by {closed.closed_by}" if closed.closed_by else ""
    unpriced = f", {words.counted(closed.unpriced, 'call')} without a price" if closed.unpriced else ""
    return (
        f"Closed {words.day(closed.closed_at.date())}{by} with {words.money(closed.cost, 'USD')} of"
        f" {words.counted(closed.calls, 'call')}{unpriced}. Nobody changes its calls any more."
    )


def _button(choice: BillChoice, closed: MonthClose | None) -> None:
    if closed is not None:
        with st.container(horizontal=True):
            if st.button("Correct the month …", icon=":material/edit_note:"):
                correct(choice)
            if st.button("Open the month again …", icon=":material/lock_open:"):
                _reopen(choice)
    elif _is_over(choice.month):
        if st.button("Close the month …", type="primary", icon=":material/lock:"):
            _close(choice, tuple(one for one in choice.of_month if one.status == "open"))
    else:
        st.html(tag("p", "A month is closed when it is over.", class_="sl sl-small sl-muted"))


@st.dialog("Close the month", icon=":material/lock:")
def _close(choice: BillChoice, waiting: tuple[KeptBill, ...]) -> None:
    still_here(choice.scope.viewer)
    _what_will_happen(
        f"The calls of {choice.month:%B %Y} and what they cost stay as they are, for every workspace: the database"
        " refuses whoever changes them. Prices that are approved later become corrections. Approved bills close too."
    )
    for warning in open_calls(serving.engines().ro, choice.scope.viewer, choice.month).warnings:
        st.html(tag("p", warning, class_="sl"))
    is_sure = True
    if waiting:
        names = " and ".join(provider_name(one.provider) for one in waiting)
        st.html(tag("p", f"Not approved yet: the bill of {names}.", class_="sl"))
        is_sure = st.checkbox("Close it without them.")
    despite = st.checkbox(
        "Close it despite calls without a price.", help="What they cost can then only be a correction."
    )
    if st.button("Close it", type="primary", disabled=not is_sure):
        attempt(
            lambda: close_month(serving.engines().rw, choice.scope.viewer, choice.month, despite_unpriced=despite),
            f"{choice.month:%B %Y} is closed.",
        )


@st.dialog("Open the month again", icon=":material/lock_open:")
def _reopen(choice: BillChoice) -> None:
    still_here(choice.scope.viewer)
    _what_will_happen(
        f"The calls of {choice.month:%B %Y} are rated by today's price book, corrections by price are taken back, and"
        " its bills are approved, not closed. Corrections by hand stay. The audit log keeps your name and the reason."
    )
    reason = st.text_input("Why?", max_chars=300)
    if st.button("Open it", type="primary"):
        attempt(lambda: _reopened(choice, reason), f"{choice.month:%B %Y} is open again.")


def _reopened(choice: BillChoice, reason: str) -> None:
    opened = reopen_month(serving.engines().rw, choice.scope.viewer, choice.month, reason=reason)
    if opened.warning:
        st.session_state[_WARNING] = opened.warning


def _warn() -> None:
    """What somebody has to look at before the month is closed again, once."""
    warning: str | None = st.session_state.pop(_WARNING, None)
    if warning:
        st.html(
            tag(
                "div", tag("b", "Look at this before it is closed again"), warning, class_="sl sl-refused", role="alert"
            )
        )


def _is_over(month: date) -> bool:
    now = datetime.now(UTC).date()
    return month < now.replace(day=1)


def _what_will_happen(told: str) -> None:
    st.html(tag("div", tag("b", "What will happen"), told, class_="sl sl-refused"))
