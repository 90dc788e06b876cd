"""One invoice: what it says, its lines, its payments, and the credit notes that correct it."""

from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.metrics.metric import Unit
from app.records import invoices as books
from app.records.invoices import InvoiceDetail
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.invoiced import PAYMENTS, invoice_rows, payment_rows
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table

_MOST_PAYMENTS = 100


def invoice_here(viewer: Viewer) -> InvoiceDetail | None:
    """The invoice that the address names, if the viewer sees it."""
    try:
        key = UUID(st.query_params.get("invoice", ""))
    except ValueError:
        return None
    return books.invoice(serving.engines().ro, viewer, key)


def told(found: InvoiceDetail, scope: Scope) -> None:
    """How it stands, its sums, and whom it concerns; as the database has it a moment later."""
    page = read("invoice", scope, invoice=found.id)
    found = next(iter(page.rows), found)
    dates = {"issued": found.issued_at, "due": found.due_at, "paid": found.paid_at, "void since": found.voided_at}
    chips = [words.spelled(found.kind), words.spelled(found.status), found.workspace]
    chips += [f"{name} {words.day(at)}" for name, at in dates.items() if at]
    if found.days_overdue is not None:
        chips.append(f"{words.counted(found.days_overdue, 'day')} overdue")
    facts: dict[str, object] = {
        "Subtotal": words.money(found.subtotal, found.currency),
        "Discount": words.money(-found.discount, found.currency),
        "Tax": words.money(found.tax, found.currency),
        "Total": words.money(found.total, found.currency),
        "Paid": words.money(found.amount_paid, found.currency),
        "Period": f"{words.day(found.period_start)} to {words.day(found.period_end)}",
        "Sent by": " ".join(part for part in (words.spelled(found.provider or ""), found.provider_invoice_id) if part),
        "Corrects": _corrected(found, scope),
    }
    listed = [part for name, value in facts.items() if value for part in (tag("dt", name), tag("dd", value))]
    drawn = tag("div", *(tag("span", one, class_="sl-chip") for one in chips), class_="sl-chips")
    sums = tag("div", tag("dl", *listed, class_="facts sl-small"), class_="sl-receipt")
    card("What it says", drawn, sums, why=LIVE, read=page, scope=scope)


def lines(found: InvoiceDetail, scope: Scope) -> None:
    """What is charged for; net is what is earned over the period."""
    page = read("invoice_lines", scope, invoice=found.id)
    table(
        [vars(one) | {name: words.spelled(getattr(one, name)) for name in ("kind", "product")} for one in page.rows],
        name="lines",
        title="Lines",
        why=f"Net, without tax, is earned day by day over each line's period. {LIVE}",
        columns={
            "description": "What",
            "product": "Product",
            "quantity": Column("Quantity", Unit.COUNT),
            "amount": Column("Amount", Unit.MONEY, currency=found.currency),
            "discount": Column("Discount", Unit.MONEY, currency=found.currency),
            "net": Column("Net", Unit.MONEY, currency=found.currency),
            "tax": Column("Tax", Unit.MONEY, currency=found.currency),
            "period_start": "From",
            "period_end": "To",
        },
        scope=scope,
        empty=("It has no lines.", "Lines come with the invoice."),
        read=page,
    )


def paying(found: InvoiceDetail, scope: Scope) -> None:
    """Every attempt to collect it, or to give it back."""
    page = read("payments", scope, invoice=found.id, limit=_MOST_PAYMENTS)
    table(
        payment_rows(page.rows),
        name="invoice-payments",
        title="Payments",
        why=f"The newest first. {LIVE}",
        columns={name: column for name, column in PAYMENTS.items() if name not in {"workspace", "of"}},
        scope=scope,
        empty=("Nobody tried to pay it yet.", "Payments and failed attempts stand here."),
        read=page,
    )


def corrected_by(found: InvoiceDetail, scope: Scope) -> None:
    """Credit notes, where there are any."""
    notes = read("invoice_notes", scope, invoice=found.id)
    if notes.rows:
        table(
            invoice_rows(notes.rows),
            name="invoice-notes",
            title="Credit notes",
            columns={
                "number": Column("Number", opens="invoice", key="id"),
                "status": "Status",
                "issued_at": "Issued",
                "total": Column("Given back", Unit.MONEY, currency=found.currency),
            },
            scope=scope,
            read=notes,
        )


def _corrected(found: InvoiceDetail, scope: Scope) -> Markup | None:
    if found.corrects_invoice_id is None:
        return None
    leads = address("invoice", scope, invoice=found.corrects_invoice_id)
    return anchor(found.corrects or "another invoice", leads)
