"""What a version says beside the one that it is read with, and the buttons that edit it while it is a draft."""

import streamlit as st

from app.records.plan_terms import side_by_side
from app.records.plans import PlanDetail
from app.ui.cards import LIVE, card
from app.ui.markup import Markup, tag
from app.ui.plan_forms import change_feature, change_limit, change_terms
from app.ui.plan_list import may_change
from app.ui.plan_words import field_name, field_told, standing
from app.ui.scope import Scope


def terms(found: PlanDetail, scope: Scope) -> None:
    """A row for everything that either says; what differs is marked."""
    if found.now.status == "draft" and may_change(scope):
        with st.container(horizontal=True):
            if st.button("Price and name …", icon=":material/edit:"):
                change_terms(scope, found)
            if st.button("A limit …", icon=":material/speed:"):
                change_limit(scope, found)
            if st.button("A feature …", icon=":material/toggle_on:"):
                change_feature(scope, found)
    beside = f"Beside {found.beside.titled}, {standing(found.beside)}. " if found.beside else ""
    card("What it says", _table(found), why=f"{beside}{LIVE}")


def _table(found: PlanDetail) -> Markup:
    here, there = side_by_side(found.terms, found.beside_terms or found.terms)
    unseen = (tag("span", told, class_="sl-unseen") for told in ("Term", "Compared"))
    heads: list[object] = [next(unseen), f"Version {found.now.version}"]
    heads += [f"Version {found.beside.version}", next(unseen)] if found.beside else []
    rows = [_row(name, here[name], there[name], is_compared=found.beside is not None) for name in here]
    head = tag("tr", *(tag("th", one, scope="col") for one in heads))
    drawn = tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table")
    return tag("div", drawn, class_="sl-scroll", tabindex=0, role="region", aria_label="What the plan says")


def _row(name: str, here: object, there: object, *, is_compared: bool) -> Markup:
    label, told = tag("th", field_name(name), scope="row"), tag("td", field_told(here))
    if not is_compared:
        return tag("tr", label, told)
    if here == there:
        return tag("tr", label, told, tag("td", field_told(there), class_="sl-muted"), tag("td", ""))
    mark = "new" if there is None else "gone" if here is None else "differs"
    return tag("tr", label, tag("td", tag("b", field_told(here))), tag("td", field_told(there)),
        tag("td", tag("span", mark, class_="sl-chip")))  # fmt: skip
