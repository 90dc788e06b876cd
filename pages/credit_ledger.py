"""One customer's credits: what they came from and went to, movement by movement."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.credit_ledger import accounts, customer_here, movements

viewer = ui.person_here(Permission.MONEY_READ)
found = customer_here(viewer)
if not found:
    ui.top("Credit ledger", viewer)
    ui.nothing_here(
        "You see no credits of anybody by this address.", fill="Open one from the customers' credits in Invoices."
    )
    st.stop()

scope = ui.top(f"Credits of {found[0].user}", viewer)
accounts(found, scope)
movements(found, scope)
