"""One version of a plan: what it says beside the live one, what it would do, who has it, and what became of it."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.one_plan import history, plan_here, told
from app.ui.plan_subscribers import subscribers
from app.ui.plan_terms import terms
from app.ui.simulation import simulation

VIEWS = ("Terms", SIMULATE := "Simulate", SUBSCRIBERS := "Subscribers", HISTORY := "History")

viewer = ui.person_here(Permission.PLANS_READ)
found = plan_here(viewer)
if found is None:
    ui.top("Plan", viewer, offers=())
    ui.nothing_here("There is no plan by this address.", fill="Open one from the list in Plans.")
    st.stop()

scope = ui.top(found.now.titled, viewer, offers=())
told(found, scope)
view = ui.one_of("show", VIEWS)

if view == SIMULATE:
    simulation(scope, found.now.id, found.now.status)
elif view == SUBSCRIBERS:
    subscribers(found, scope)
elif view == HISTORY:
    history(found, scope)
else:
    terms(found, scope)
