"""One template: what it is, how its campaigns do, and what it once was."""

import streamlit as st

from app import serving, ui
from app.access import Permission
from app.records.templates import template
from app.ui import shelf, template_use
from app.ui.links import anchor
from app.ui.markup import tag

viewer = ui.person_here(Permission.TEMPLATES_READ)
key = shelf.template_key()
found = template(serving.engines().ro, viewer, key) if key else None
if found is None:
    ui.top("Template", viewer)
    ui.nothing_here("You see no template by this address.", fill="Open one from the list of templates.")
    st.stop()

scope = ui.top(found.name, viewer, default_days=365)
shelf.facts(found, scope)
if viewer.may(Permission.TEMPLATES_MANAGE):
    st.html(tag("p", anchor("Edit it", ui.link("edit_template", scope, edit_template=found.id)), class_="sl sl-small"))
campaigns = template_use.campaigns_of(viewer, found.id)
if campaigns:
    one = scope.narrowed(campaign=campaigns)
    ui.tiles(("emails_delivered", "open_rate", "click_rate", "unsubscribe_rate"), one, title="Its campaigns together")
    figures = ("emails_delivered", "open_rate", "click_rate", "unsubscribe_rate")
    ui.table(
        ui.ask(figures, one.uncompared, by="campaign", order="-emails_delivered"),
        name="template-campaigns",
        title="Campaigns that used it",
        why=template_use.used_live(scope),
        opens="campaign",
    )
else:
    ui.nothing_here(
        "No campaign that you see used it.", fill="E-mail campaigns name the template that they are made of."
    )
shelf.versions(found.id, scope)
