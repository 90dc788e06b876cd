"""Web campaigns: from views to conversions, what they were worth, where visitors came from, and which touches count."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.attributed import attributed
from app.ui.steps import funnel

HEADLINES = (
    "views",
    "clicks_per_view",
    "form_submits",
    "form_rate",
    "conversions",
    "conversion_rate",
    "conversion_value",
    "value_per_conversion",
)
STEPS = ("views", "clicks", "conversions")
PER_PAGE = ("views", "clicks", "form_submits", "conversions", "conversion_rate", "conversion_value")
PER_COMPONENT = ("views", "clicks", "clicks_per_view", "form_submits", "form_rate")
PER_SOURCE = ("views", "clicks", "conversions", "conversion_rate", "conversion_value")
VIEWS = ("Landing pages", "Components", "Sources", "Countries", "Attribution")

viewer = ui.person_here(Permission.WEB_READ)
scope = ui.top("Web", viewer, own=("source", "medium", "country"))
ui.tiles(HEADLINES, scope)
course = ui.ask(HEADLINES, scope.uncompared, grain=scope.grain)
left, right = st.columns([2, 3])
with left:
    funnel(ui.ask(STEPS, scope.uncompared), title="Funnel", why="Events, not people.")
    ui.bars(ui.ask("conversions", scope, by="conversion_type"), title="What visitors did")
with right:
    ui.bars(course, metrics=("conversion_value",), title="Revenue", why="What conversions were worth.")

view = ui.one_of("show", VIEWS)
here = scope.chosen((*scope.query, ("show", view)))

if view == "Components":
    by_type = ui.ask(("clicks_per_view", "views"), here.uncompared, by="component_type", order="-views")
    ui.bars(by_type, title="Clicks per view of each kind of component")
    parts = ui.ask(PER_COMPONENT, here.uncompared, by=("component", "component_type"), order="-views")
    ui.table(parts, name="components", title="Components", why="(none) is what happened on no component.")
elif view == "Sources":
    ui.bars(
        ui.ask(("conversions",), here, by="source", order="-conversions"), title="Conversions by source", opens="web"
    )
    ui.table(
        ui.ask(PER_SOURCE, here.uncompared, by=("source", "medium"), order="-views"),
        name="sources",
        title="Sources and mediums",
        why="As the visit and the conversion were reported; which touch earned it is under Attribution.",
        opens="web",
    )
elif view == "Countries":
    countries = ui.ask(("views", "clicks", "clicks_per_view", "form_submits"), here, by="country", order="-views")
    ui.bars(countries, title="Views by country", metrics=("views",), opens="web")
    ui.table(countries, name="countries", title="Countries", why="Conversions do not tell a country.", opens="web")
elif view == "Attribution":
    attributed(scope)
else:
    pages = ui.ask(PER_PAGE, scope.uncompared, by="campaign", order="-views")
    ui.table(pages, name="landing-pages", title="Landing pages", opens="campaign")
