"""Invoices and credits: what was invoiced, paid, failed and is owed; credits sold, used, expired, refunded and owed."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.invoiced import failed_payments, listed_invoices, listed_notes, listed_payments, listed_unpaid
from app.ui.owed import credit_moves

HEADLINES = ("invoices", "invoiced", "invoiced_paid", "invoiced_unpaid", "credit_notes")
IN_CREDITS = ("credits_purchased", "credits_spent", "credits_expired", "credits_refunded", "credits_balance")
PER_CUSTOMER = ("credits_balance", "credits_purchased", "credits_spent", "credits_expired")
LISTS = {
    "Invoices": listed_invoices,
    "Payments": listed_payments,
    "Failures": failed_payments,
    "Unpaid": listed_unpaid,
    "Credit notes": listed_notes,
}
VIEWS = (*LISTS, "Credits", "Customers' credits")

viewer = ui.person_here(Permission.MONEY_READ)
scope = ui.top("Invoices and credits", viewer)
ui.tiles(HEADLINES, scope, title="Invoiced")
ui.tiles(IN_CREDITS, scope, title="Credits moved")
left, right = st.columns(2)
with left:
    ui.bars(ui.ask("invoiced", scope.uncompared, by="invoice_status", grain=scope.grain), title="Invoiced by status",
        why="By the day of issue and as invoices stand now; credit notes are taken off.")  # fmt: skip
with right:
    earned = ui.ask(("invoiced", "recognised_revenue"), scope.uncompared, grain=scope.grain)
    ui.line(earned, title="Invoiced and earned",
        why="What was invoiced, with tax, and what of it all was earned in these days, without.")  # fmt: skip

view = ui.one_of("show", VIEWS)

if view in LISTS:
    LISTS[view](scope, show=view)
elif view == "Credits":
    credit_moves(scope)
else:
    ui.table(
        ui.ask(PER_CUSTOMER, scope.uncompared, by="user", order="-credits_balance", limit=200),
        name="customers",
        title="Credits of customers",
        why="Those who are owed the most come first. A name opens the ledger.",
        opens="credit_ledger",
    )
