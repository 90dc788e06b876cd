"""The budgets of a page: a card each, with what can be done about it."""

from collections.abc import Sequence

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.records.budgets import BudgetNow
from app.ui.budget_bars import drawn
from app.ui.budget_form import ask_deletion, ask_pause, change, make, resume
from app.ui.done import said
from app.ui.empty import nothing_here
from app.ui.live import behind_list, read
from app.ui.markup import joined, tag
from app.ui.scope import Scope

_CHANGE, _PAUSE, _RESUME, _DELETE = "Change", "Pause", "Resume", "Delete"
_TITLE = "Budgets"


def budget_list(scope: Scope) -> None:
    """Those nearest to their amount first; each counts in its own period, whatever is chosen above."""
    said()
    listed = read("budgets", scope)
    may = scope.viewer.may(Permission.BUDGETS_MANAGE)
    with st.container(border=True, key="card-budgets"):
        why = "Each in its own period and zone, whatever is chosen above. Solid: spent; paler: held and expected."
        st.html(tag("section", tag("h2", _TITLE), tag("p", why, class_="why"), class_="sl sl-card"))
        if may and st.button("New budget", icon=":material/add:"):
            make(scope, sees_all=sees_whole_company(serving.engines().ro, scope.viewer))
        if not listed.rows:
            nothing_here("There is no budget that you see.", fill="Make one: it alerts, and it can refuse calls.")
        _cards(listed.rows, scope, may=may)
        behind_list(listed, _TITLE, "budgets", scope)


def _cards(rows: Sequence[BudgetNow], scope: Scope, *, may: bool) -> None:
    sees_all = may and sees_whole_company(serving.engines().ro, scope.viewer)
    for one in rows:
        left, right = st.columns([0.86, 0.14], vertical_alignment="center")
        paused = tag("span", " paused", class_="sl-small sl-muted") if not one.is_active else ""
        head = tag("h3", one.name, paused, style="font-size:.95rem;font-weight:600;margin:0;padding:0")
        left.html(tag("div", joined((head, drawn(one))), class_="sl sl-budget", style="padding-top:.5rem"))
        if may and (one.workspace_id is not None or sees_all):
            with right:
                _act(one, scope)


def _act(one: BudgetNow, scope: Scope) -> None:
    offered = (_CHANGE, _PAUSE if one.is_active else _RESUME, _DELETE)
    chosen = st.menu_button("Edit", offered, key=f"budget-{one.id}", help=f"Change, pause or delete {one.name}.")
    if chosen == _CHANGE:
        change(scope, one)
    elif chosen == _PAUSE:
        ask_pause(scope, one)
    elif chosen == _RESUME:
        resume(scope, one)
    elif chosen == _DELETE:
        ask_deletion(scope, one)
