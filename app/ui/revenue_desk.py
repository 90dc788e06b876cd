"""The revenue side: Stripe's invoices beside ours. The comparison is shown and kept nowhere."""

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.stripe_invoices import RevenueReport, compare_invoices
from app.metrics.metric import Unit
from app.ui import words
from app.ui.bill_choice import BillChoice
from app.ui.markup import tag
from app.ui.rows import Column, Columns
from app.ui.tables import table
from app.ui.unread import say_unread
from db.errors import SightlineError

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
    """A file of Stripe's is read, compared and forgotten."""
    if not choice.scope.viewer.may(Permission.MONEY_READ):
        return
    with st.container(border=True, key="card-stripes-invoices"):
        why = "Invoices as Stripe's interface lists them, all pages in one file; nothing of ours is changed by it."
        st.html(
            tag("section", tag("h2", "Stripe's invoices beside ours"), tag("p", why, class_="why"), class_="sl sl-card")
        )
        file = st.file_uploader("Stripe's invoices", type=["json"])
    if file is None:
        return
    try:
        report = compare_invoices(serving.engines().ro, choice.scope.viewer, file.getvalue(), file.name)
    except SightlineError as refusal:
        say_unread(refusal, file.name)
    else:
        _show(choice, report)


def _show(choice: BillChoice, report: RevenueReport) -> None:
    told = f"{words.counted(report.invoices, 'invoice')} were read, {report.same:,} of them say the same as ours."
    table(
        [vars(one) for one in report.differences],
        name="invoices",
        title="Invoices that differ",
        why=told,
        columns=_COLUMNS,
        scope=choice.scope,
        empty=("Stripe and our books say the same.", told),
    )
