"""One workspace: its subscriptions, its people and their accounts."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.done import said
from app.ui.one_customer import customer_here, ending, people, subscribed, told

OFFERS = ("period", "product", "channel")

viewer = ui.person_here(Permission.CUSTOMERS_READ)
found = customer_here(viewer)
if found is None:
    ui.top("Workspace", viewer, offers=OFFERS)
    said()
    ui.nothing_here("You see no workspace by this address.", fill="Open one from the list in Workspaces and people.")
    st.stop()

scope = ui.top(found.name, viewer, offers=OFFERS)
said()
told(found, scope)
subscribed(found, scope)
people(found, scope)
ending(found, scope)
