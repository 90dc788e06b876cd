"""One contact: how they stand, what was sent to them, and everything that happened."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.contacts import contact_here, facts, history, mailed

viewer = ui.person_here(Permission.AUDIENCE_READ)
found = contact_here(viewer)
if found is None:
    ui.top("Contact", viewer)
    ui.nothing_here("You see no contact by this address.", fill="Open one from the list of contacts in Audience.")
    st.stop()

scope = ui.top(found.email, viewer)
facts(found, scope)
mailed(found, scope)
if viewer.may(Permission.EMAIL_READ):
    history(found, scope)
