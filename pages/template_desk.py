"""Edit templates: found, changed one by one or together; shelves, the component library, and what was deleted."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui import template_ai
from app.ui.done import said
from app.ui.links import anchor
from app.ui.markup import tag
from app.ui.template_components import component_list
from app.ui.template_list import deleted_list, template_list
from app.ui.template_shelves import shelf_list

VIEWS = ("Templates", SHELVES := "Shelves", COMPONENTS := "Components", DELETED := "Deleted")

viewer = ui.person_here(Permission.TEMPLATES_MANAGE)
scope = ui.top("Edit templates", viewer, offers=("period", "product", "workspace", "channel"))
said()
with st.container(horizontal=True, vertical_alignment="center"):
    view = ui.one_of("show", VIEWS)
    if st.button("Draft with AI", icon=":material/auto_awesome:"):
        template_ai.draft(scope)
    st.html(tag("span", anchor("How templates do", ui.link("templates", scope)), class_="sl sl-small"))

if view == SHELVES:
    shelf_list(scope)
elif view == COMPONENTS:
    component_list(scope)
elif view == DELETED:
    deleted_list(scope)
else:
    template_list(scope)
