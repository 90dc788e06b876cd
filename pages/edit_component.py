"""Edit a component: how it looks, what it once said, and where it is offered."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui import one_component
from app.ui.done import said

VIEWS = ("Preview", VERSIONS := "Versions")

viewer = ui.person_here(Permission.TEMPLATES_MANAGE)
found = one_component.component_here(viewer)
if found is None:
    ui.top("Edit a component", viewer, offers=())
    said()
    ui.nothing_here("You see no component by this address.", fill="Open one from the component library.")
    st.stop()

scope = ui.top(found.name, viewer, offers=())
said()
one_component.facts(found, scope)
one_component.actions(found, scope)
view = ui.one_of("show", VIEWS)

if view == VERSIONS:
    one_component.history(found, scope)
else:
    one_component.preview(found)
