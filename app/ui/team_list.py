"""The people who use Sightline: who they are, what they may do, and what can be done about it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import serving
from app.commands.team import Member, members
from app.metrics.metric import Unit
from app.ui import words
from app.ui.done import said
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.team_form import add, ask_deactivation, ask_new_password, ask_sign_out, change, reactivate

_CHANGE, _DEACTIVATE, _REACTIVATE, _SIGN_OUT, _PASSWORD = (
    "Change", "Deactivate", "Reactivate", "End sessions", "New password",
)  # fmt: skip
_COLUMNS: Columns = {
    "email": "Person",
    "name": "Name",
    "roles": "Roles",
    "workspaces": "Workspaces",
    "is_active": "Active",
    "signs_in": "Signs in with",
    "last_login_at": "Last sign-in",
    "sessions": Column("Sessions", Unit.COUNT),
}


def team_list(scope: Scope) -> None:
    """Everyone; an admin of some workspaces sees those who are limited to the same."""
    said()
    everyone = members(serving.engines().rw, scope.viewer)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Add a person", icon=":material/person_add:"):
            add(scope)
        _act(scope, everyone)
    table(
        [_listed(one) for one in everyone],
        name="team",
        title="The team",
        why="What is changed here holds at the person's next click. Read from the database a moment ago.",
        columns=_COLUMNS,
        scope=scope,
        empty=("Nobody is in your team yet.", "Add somebody who is limited to your workspaces."),
    )


def _act(scope: Scope, everyone: Sequence[Member]) -> None:
    named = {one.email: one for one in everyone}
    chosen = named.get(st.selectbox("Person", list(named), key="team-person", width=320) or "")
    if chosen is None:
        return
    offered = (_CHANGE, _DEACTIVATE if chosen.is_active else _REACTIVATE, _SIGN_OUT, _PASSWORD)
    what = st.menu_button("Edit", offered, key=f"team-{chosen.id}", help=f"What can be done about {chosen.email}.")
    if what == _CHANGE:
        change(scope, chosen)
    elif what == _DEACTIVATE:
        ask_deactivation(scope, chosen)
    elif what == _REACTIVATE:
        reactivate(scope, chosen)
    elif what == _SIGN_OUT:
        ask_sign_out(scope, chosen)
    elif what == _PASSWORD:
        ask_new_password(scope, chosen)


def _listed(one: Member) -> dict[str, Any]:
    return vars(one) | {
        "roles": ", ".join(words.spelled(role) for role in one.roles),
        "workspaces": "all" if one.workspaces is None else ", ".join(one.workspaces),
        "signs_in": "password" if one.has_password else "provider",
    }
