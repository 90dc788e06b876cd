"""One invoice: its sums, lines, payments and credit notes."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.one_invoice import corrected_by, invoice_here, lines, paying, told

viewer = ui.person_here(Permission.MONEY_READ)
found = invoice_here(viewer)
if found is None:
    ui.top("Invoice", viewer)
    ui.nothing_here("You see no invoice by this address.", fill="Open one from the list in Invoices and credits.")
    st.stop()

scope = ui.top(f"{found.number} of {found.workspace}", viewer)
told(found, scope)
lines(found, scope)
paying(found, scope)
corrected_by(found, scope)
