"""The people whom workspaces write to: how many they are, how they stand, and when they were last active."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.contacts import search
from app.ui.engaged import came, recencies
from app.ui.switches import shelves

HEADLINES = ("contacts", "list_growth", "contacts_added", "contacts_subscribed", "contacts_unsubscribed")
MOVES = ("contacts_added", "contacts_removed")

viewer = ui.person_here(Permission.AUDIENCE_READ)
scope = ui.top("Audience", viewer, own=("domain",))
once = scope.uncompared


def standing() -> None:
    recencies(scope)


def cohorts() -> None:
    came(scope)


def domains() -> None:
    figures = ("contacts", "contacts_added", "contacts_unsubscribed", "contacts_removed")
    answer = ui.ask(figures, once, by="domain", order="-contacts")
    ui.table(answer, name="audience-domains", title="Domains of their addresses", opens="audience")


def workspaces() -> None:
    figures = ("contacts", "list_growth", "contacts_subscribed", "contacts_unsubscribed")
    answer = ui.ask(figures, scope, by="workspace", order="-contacts")
    ui.table(answer, name="audience-workspaces", title="Lists of the workspaces")


def contacts() -> None:
    search(scope, show="Contacts")


ui.tiles(HEADLINES, scope)
size, moves = st.columns(2)
with size:
    ui.line(
        ui.ask("contacts", scope, grain=scope.grain),
        title="Size of the lists",
        why="At the end of each stretch of time.",
    )
with moves:
    ui.line(ui.ask(MOVES, once, grain=scope.grain), title="Who came and who went")
shelves(
    "show",
    {
        "Status": standing,
        "Cohorts": cohorts,
        "Domains": domains,
        "Workspaces": workspaces,
        "Contacts": contacts,
    },
)
