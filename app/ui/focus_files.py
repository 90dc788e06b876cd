"""Downloads for FinOps tools: a month of AI cost in the form of FOCUS."""

from datetime import date, timedelta

import streamlit as st

from app.exports.address import Kind
from app.exports.focus import address
from app.money.focus import VERSION, Dataset
from app.ui.cards import LIVE, card
from app.ui.links import anchor
from app.ui.markup import Markup, tag
from app.ui.scope import Scope
from app.ui.views import note_broken

_MOST_MONTHS = 24
_TOLD = {
    Dataset.COST_AND_USAGE: (
        "Cost and Usage",
        "What every day, workspace, model and kind of token cost; corrections of closed months; credits, in credits.",
    ),
    Dataset.BILLING_PERIOD: ("Billing Period", "Whether the month is open or closed, for each who bills it."),
    Dataset.INVOICE_DETAIL: ("Invoice Detail", "The lines of the AI providers' bills."),
}


def focus_files(scope: Scope) -> None:
    """The datasets of one month."""
    months = [f"{month:%Y-%m}" for month in _months(scope.until - timedelta(days=1))]
    note_broken("month", months)
    month = st.selectbox("Month", months, key="month", bind="query-params", width=180) or months[0]
    rows = [_row(dataset, date.fromisoformat(f"{month}-01")) for dataset in Dataset]
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Dataset", "What it tells", "Download")))
    card(
        f"FOCUS {VERSION}",
        tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table"),
        why=f"A month of AI cost as FinOps tools read it. Days are UTC, as billing periods are. {LIVE}",
    )


def _row(dataset: Dataset, month: date) -> Markup:
    name, what = _TOLD[dataset]
    kinds = {Kind.CSV: "CSV", Kind.PARQUET: "Parquet"}
    links = [anchor(label, address(dataset, month, kind)) for kind, label in kinds.items()]
    return tag(
        "tr", tag("th", name, scope="row"), tag("td", what), tag("td", tag("span", *links, class_="sl-downloads"))
    )


def _months(last: date) -> list[date]:
    """The newest first."""
    found = [last.replace(day=1)]
    while len(found) < _MOST_MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
