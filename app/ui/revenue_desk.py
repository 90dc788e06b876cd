"""The revenue side: Stripe's invoices beside ours. The comparison is shown, and kept no longer than the visit."""

from collections.abc import Callable

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.stripe_invoices import RevenueReport, compare_invoices, compare_month
from app.exports.given import given
from app.exports.live import Reading, reading
from app.metrics.metric import Unit
from app.ui import words
from app.ui.bill_choice import BillChoice
from app.ui.markup import tag
from app.ui.rows import Column, Columns
from app.ui.tables import table
from app.ui.unread import say_unread
from db.errors import SightlineError

# Nobody keeps what Stripe told: the comparison has a receipt, and can't be read again as lists can.
_LIST = "stripes_invoices"
_COLUMNS: Columns = {
    "key": "Invoice",
    "number": "Number",
    "what": "What differs",
    "ours": "Ours",
    "theirs": "Stripe's",
    "currency": "Currency",
    "difference": Column("Difference", Unit.MONEY),
}


def revenue_desk(choice: BillChoice) -> None:
    """What Stripe lists, or a file of it, is read, compared and forgotten."""
    if not choice.scope.viewer.may(Permission.MONEY_READ):
        return
    with st.container(border=True, key="card-stripes-invoices"):
        why = "From a file of all pages that Stripe lists, or from Stripe itself; nothing of ours is changed by it."
        st.html(
            tag("section", tag("h2", "Stripe's invoices beside ours"), tag("p", why, class_="why"), class_="sl sl-card")
        )
        file = st.file_uploader("Stripe's invoices", type=["json"])
        is_asked = st.button(
            f"Ask Stripe for {choice.month:%B %Y}",
            icon=":material/cloud_download:",
            help="With the key that the settings name. Invoices that Stripe made in the month, in UTC.",
        )
    viewer, kept = choice.scope.viewer, f"stripes-invoices-{choice.month}"
    try:
        if is_asked:
            with st.spinner("Asking …"):
                made = _compared(lambda: compare_month(serving.engines().ro, viewer, choice.month))
                st.session_state[kept] = viewer, made
        # Whose rights became others asks anew.
        whose, report = st.session_state.get(kept, (viewer, None))
        report = report if whose == viewer else None
        if file is not None and not is_asked:
            content, name = file.getvalue(), file.name
            report = _compared(lambda: compare_invoices(serving.engines().ro, viewer, content, name))
    except SightlineError as refusal:
        say_unread(refusal, "" if is_asked or file is None else file.name)
        return
    if report is not None:
        _show(choice, *report)


def _compared(compare: Callable[[], RevenueReport]) -> tuple[RevenueReport, Reading]:
    with reading() as told:
        return compare(), told


def _show(choice: BillChoice, report: RevenueReport, read: Reading) -> None:
    told = f"{words.counted(report.invoices, 'invoice')} were read, {report.same:,} of them say the same as ours."
    table(
        [vars(one) for one in report.differences],
        name="invoices",
        title="Invoices that differ",
        why=told,
        columns=_COLUMNS,
        scope=choice.scope,
        empty=("Stripe and our books say the same.", told),
        read=read.listed(_LIST, given(), report.differences),
    )
