"""Invoices, credit notes and payments as lists: found by words, narrowed by status, a page at a time."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.metrics.metric import Unit
from app.records.invoices import Invoice
from app.records.payments import Payment
from app.ui import words
from app.ui.cards import LIVE
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.views import note_broken
from db.tables.billing import INVOICE_STATUSES, PAYMENT_STATUSES

_ANY = "Any"
_OWING = ("open", "uncollectible")
_LATE = {0: "Not due yet", 1: "1 to 30 days", 31: "31 to 60 days", 61: "61 to 90 days", 91: "More than 90 days"}
_NUMBER = Column("Number", opens="invoice", key="id")
_INVOICES: Columns = {
    "number": _NUMBER,
    "workspace": "Customer",
    "what": "Kind",
    "status": "Status",
    "issued_at": "Issued",
    "due_at": "Due",
    "total": Column("Total", Unit.MONEY),
    "amount_paid": Column("Paid", Unit.MONEY),
    "currency": "Currency",
    "paid_at": "Paid on",
}
_UNPAID: Columns = {
    "number": _NUMBER,
    "workspace": "Customer",
    "status": "Status",
    "issued_at": "Issued",
    "due_at": "Due",
    "days_overdue": Column("Days overdue", Unit.COUNT),
    "unpaid": Column("Unpaid", Unit.MONEY),
    "currency": "Currency",
}
_NOTES: Columns = {
    "number": _NUMBER,
    "workspace": "Customer",
    "corrects": Column("Corrects", opens="invoice", key="corrects_invoice_id"),
    "status": "Status",
    "issued_at": "Issued",
    "total": Column("Given back", Unit.MONEY),
    "currency": "Currency",
}
_BY_AGE: Columns = {
    "late": "Overdue",
    "currency": "Currency",
    "invoices": Column("Invoices", Unit.COUNT),
    "customers": Column("Customers", Unit.COUNT),
    "unpaid": Column("Unpaid", Unit.MONEY),
    "written_off": Column("Given up", Unit.MONEY),
}
_BY_REASON: Columns = {
    "failure_reason": "Reason",
    "currency": "Currency",
    "payments": Column("Payments", Unit.COUNT),
    "customers": Column("Customers", Unit.COUNT),
    "amount": Column("Amount", Unit.MONEY),
    "recovered": Column("Made good", Unit.COUNT),
}
PAYMENTS: Columns = {
    "created_at": "When",
    "workspace": "Customer",
    "status": "Status",
    "amount": Column("Amount", Unit.MONEY),
    "currency": "Currency",
    "of": Column("For", opens="invoice", key="invoice_id"),
    "failure_reason": "Reason",
    "provider": "Taken by",
    "user": "Person",
}
_ALL_PAID = ("Nothing is unpaid.", "Invoices that are issued and not paid stand here.")
_NONE_FAILED = ("No payment failed in these days.", "Choose another period.")


def listed_invoices(scope: Scope, *, show: str) -> None:
    """Whatever was issued in the period, drafts of it too."""
    status, sought = _chosen("status", INVOICE_STATUSES, "Number or customer")
    here = ("invoices", status, sought)
    page = read("invoices", scope, **_in_period(scope), status=_value(status), words=sought,
        after=place(scope, *here), limit=PAGE)  # fmt: skip
    table(
        invoice_rows(page.rows),
        name="invoices",
        title="Invoices",
        why=f"Issued in these days, the newest first; drafts stand on the day on which they were made. {LIVE}",
        columns=_INVOICES,
        scope=scope,
        empty=("No invoice is like this in these days.", "Choose another period or status, or type fewer words."),
        read=page,
    )
    onward(scope.page, scope, page.next, *here, show=show, status=_other(status), words=sought or None)


def listed_unpaid(scope: Scope, *, show: str) -> None:
    """Everything that customers owe now, whatever period is chosen."""
    owed = read("unpaid", scope, workspace=scope.where.get("workspace"))
    table(
        [vars(one) | {"late": _LATE[one.overdue_from]} for one in owed.rows],
        name="unpaid-by-age",
        title="Unpaid by how long it is overdue",
        why=f"As it stands now, whatever period is chosen. {LIVE}",
        columns=_BY_AGE,
        scope=scope,
        empty=_ALL_PAID,
        read=owed,
    )
    page = read("invoices", scope, workspace=scope.where.get("workspace"), kind="invoice", status=_OWING,
        after=place(scope, "unpaid"), limit=PAGE)  # fmt: skip
    table(
        invoice_rows(page.rows),
        name="unpaid",
        title="Unpaid invoices",
        why=f"Of all time, the newest first. {LIVE}",
        columns=_UNPAID,
        scope=scope,
        empty=_ALL_PAID,
        read=page,
    )
    onward(scope.page, scope, page.next, "unpaid", show=show)


def listed_notes(scope: Scope, *, show: str) -> None:
    """Credit notes of the period, and what they correct."""
    page = read("invoices", scope, **_in_period(scope), kind="credit_note", after=place(scope, "notes"), limit=PAGE)
    table(
        invoice_rows(page.rows),
        name="notes",
        title="Credit notes",
        why=f"Issued in these days, the newest first. {LIVE}",
        columns=_NOTES,
        scope=scope,
        empty=("No credit note was issued in these days.", "Choose another period."),
        read=page,
    )
    onward(scope.page, scope, page.next, "notes", show=show)


def listed_payments(scope: Scope, *, show: str) -> None:
    """What was paid, failed or was given back in the period."""
    status, sought = _chosen("payment", PAYMENT_STATUSES, "Customer, invoice or reason")
    here = ("payments", status, sought)
    page = read("payments", scope, **_in_period(scope), status=_value(status), words=sought,
        after=place(scope, *here), limit=PAGE)  # fmt: skip
    table(
        payment_rows(page.rows),
        name="payments",
        title="Payments",
        why=f"Tried in these days, the newest first. {LIVE}",
        columns=PAYMENTS,
        scope=scope,
        empty=("No payment is like this in these days.", "Choose another period or status, or type fewer words."),
        read=page,
    )
    onward(scope.page, scope, page.next, *here, show=show, payment=_other(status), words=sought or None)


def failed_payments(scope: Scope, *, show: str) -> None:
    """Why payments failed, and each that did."""
    reasons = read("payment_failures", scope, **_in_period(scope))
    table(
        [vars(one) for one in reasons.rows],
        name="failures",
        title="Failed payments by reason",
        why=f"Tried in these days; made good are those whose invoice is paid by now. {LIVE}",
        columns=_BY_REASON,
        scope=scope,
        empty=_NONE_FAILED,
        read=reasons,
    )
    page = read("payments", scope, **_in_period(scope), status="failed", after=place(scope, "failed"), limit=PAGE)
    table(
        payment_rows(page.rows),
        name="failed",
        title="Failed payments",
        why=f"The newest first. {LIVE}",
        columns={name: column for name, column in PAYMENTS.items() if name != "status"},
        scope=scope,
        empty=_NONE_FAILED,
        read=page,
    )
    onward(scope.page, scope, page.next, "failed", show=show)


def invoice_rows(listed: Sequence[Invoice]) -> list[dict[str, Any]]:
    """As tables show them."""
    return [vars(one) | {"what": words.spelled(one.kind), "status": words.spelled(one.status)} for one in listed]


def payment_rows(listed: Sequence[Payment]) -> list[dict[str, Any]]:
    """As tables show them: what each was for is an invoice, or credits."""
    spelled = ("status", "provider")
    return [
        vars(one)
        | {name: words.spelled(getattr(one, name)) for name in spelled}
        | {"of": one.invoice or (f"{one.credits_purchased:,} credits" if one.credits_purchased else None)}
        for one in listed
    ]


def _in_period(scope: Scope) -> dict[str, Any]:
    return {"workspace": scope.where.get("workspace"), "since": scope.since, "until": scope.until}


def _chosen(key: str, values: Sequence[str], placeholder: str) -> tuple[str, str]:
    """A status and words, both in the address."""
    options = [_ANY, *(words.spelled(one) for one in values)]
    note_broken(key, options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            "Search", key="words", bind="query-params", placeholder=placeholder, max_chars=200, width=320
        )
        status = st.selectbox("Status", options, key=key, bind="query-params", width=180)
    return status or _ANY, typed or ""


def _value(status: str) -> str | None:
    return None if status == _ANY else status.lower()


def _other(status: str) -> str | None:
    return None if status == _ANY else status
