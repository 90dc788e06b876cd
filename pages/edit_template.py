"""Edit a template: what it says and how that looks, what is to be mended, what it once said, and how it does."""

import streamlit as st

from app import serving, ui
from app.access import Permission
from app.records.template_texts import text_of
from app.ui import template_head, template_history, template_view
from app.ui.done import said

VIEWS = ("Preview", VERSIONS := "Versions", USE := "Use")
OFFERS = ("period", "compare")

viewer = ui.person_here(Permission.TEMPLATES_MANAGE)
key = template_head.key_here()
found = text_of(serving.engines().ro, viewer, key) if key else None
if found is None:
    ui.top("Edit a template", viewer, offers=OFFERS)
    said()
    ui.nothing_here("You see no template by this address.", fill="Open one from the list of templates.")
    st.stop()

scope = ui.top(found.name, viewer, offers=OFFERS, default_days=365)
said()
template_head.facts(found, scope)
template_head.actions(found, scope)
view = ui.one_of("show", VIEWS)

if view == VERSIONS:
    template_history.history(found, scope)
elif view == USE:
    template_head.use(found, scope)
else:
    template_view.preview_and_checks(found)
