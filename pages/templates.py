"""Templates and components: which are used, which do well, which are liked, and what others take."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui import shelf, template_use
from app.ui.links import anchor
from app.ui.markup import tag
from app.ui.switches import shelves

HEADLINES = ("emails_delivered", "open_rate", "click_rate", "clicks_per_open", "views", "clicks_per_view", "form_rate")
PARTS = ("views", "clicks", "clicks_per_view", "form_submits", "form_rate")

viewer = ui.person_here(Permission.TEMPLATES_READ)
scope = ui.top("Templates and components", viewer)
once = scope.uncompared


def in_use() -> None:
    answer = ui.ask(template_use.SUMS, once, by="campaign")
    rows = template_use.by_template(answer, viewer)
    template_use.best(answer, rows, scope)
    template_use.used(answer, rows, scope)


def components() -> None:
    kinds, course = st.columns(2)
    with kinds:
        ui.bars(ui.ask("clicks_per_view", scope, by="component_type"), title="Clicks per view of each kind")
    with course:
        ui.line(ui.ask("clicks_per_view", scope, grain=scope.grain), title="Clicks per view over time")
    answer = ui.ask(PARTS, once, by=("component", "component_type"), order="-views")
    ui.table(answer, name="components", title="Components of web campaigns", why="What happened on each of them.")


def liked() -> None:
    shelf.liked(scope)


def library() -> None:
    shelf.library(scope, show="All templates")


def market() -> None:
    shelf.market(scope, show="Saved components")


if viewer.may(Permission.TEMPLATES_MANAGE):
    st.html(tag("p", anchor("Edit templates", ui.link("template_desk", scope)), class_="sl sl-small"))
ui.tiles((*HEADLINES, "average_rating"), scope, title="What was made with them")
shelves(
    "show",
    {
        "In use": in_use,
        "Components": components,
        "Ratings and downloads": liked,
        "All templates": library,
        "Saved components": market,
    },
)
