"""What admins do with a connection, each with a dialog that says what will happen."""

from collections.abc import Callable, Sequence
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission
from app.commands import integrations as commands
from app.commands.integrations import LONGEST_REASON
from app.records.integrations import Integration
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope

PLATFORMS = {"gohighlevel": "GoHighLevel", "simvoly": "Simvoly", "wordpress": "WordPress", "custom": "Own platform",
    "meta": "Meta"}  # fmt: skip
_TAKEN_BACK = "Taken back."
Change = Callable[..., int]


def decide(scope: Scope, rows: Sequence[Integration]) -> None:
    """One of the listed connections, and what can be done with it as it is."""
    if not rows or not scope.viewer.may(Permission.INTEGRATIONS_MANAGE):
        return
    by_key = {one.id: one for one in rows}
    with st.container(border=True, key="card-decide-integration"):
        st.html(tag("section", tag("h2", "What to do"), class_="sl sl-card"))
        key = st.selectbox(
            "Connection", list(by_key), index=None, format_func=lambda key: _label(by_key[key]),
            placeholder="Choose a connection", key="integration",
        )  # fmt: skip
        # Others come and go meanwhile: what was chosen stays so while it is listed.
        if key in by_key:
            _offer(scope, by_key[key])


def _offer(scope: Scope, one: Integration) -> None:
    with st.container(horizontal=True):
        if one.disabled_at is None:
            if st.button("Disable …", icon=":material/pause:"):
                _disable(scope, one)
        elif st.button("Enable …", icon=":material/play_arrow:"):
            _enable(scope, one)
        if one.reauthorization_asked_at is None:
            if st.button("Ask to authorise anew …", icon=":material/key:"):
                _ask(scope, one)
        elif st.button("Ask no longer …", icon=":material/key_off:"):
            _withdraw(scope, one)
        if st.button("Disconnect …", icon=":material/link_off:"):
            _disconnect(scope, one)


@st.dialog("Disable", icon=":material/pause:")
def _disable(scope: Scope, one: Integration) -> None:
    _confirm(scope, one, "Until somebody enables it, its product can't sync with it: the database refuses that."
        " It stays connected, and its token goes on ageing.", "Disable it", "is disabled.",
        commands.disable_integration, commands.enable_integration)  # fmt: skip


@st.dialog("Enable", icon=":material/play_arrow:")
def _enable(scope: Scope, one: Integration) -> None:
    _confirm(scope, one, "Its product may sync with it again.", "Enable it", "is enabled.",
        commands.enable_integration, commands.disable_integration)  # fmt: skip


@st.dialog("Ask to authorise anew", icon=":material/key:")
def _ask(scope: Scope, one: Integration) -> None:
    _confirm(scope, one, "It is marked: its product asks the customer to authorise it anew when they are next there."
        " Until then it goes on as it is.", "Mark it", "is marked to be authorised anew.",
        commands.ask_reauthorization, commands.withdraw_reauthorization)  # fmt: skip


@st.dialog("Ask no longer", icon=":material/key_off:")
def _withdraw(scope: Scope, one: Integration) -> None:
    _confirm(scope, one, "The mark is taken away: the customer is not asked.", "Take it away", "is marked no longer.",
        commands.withdraw_reauthorization, commands.ask_reauthorization)  # fmt: skip


@st.dialog("Disconnect", icon=":material/link_off:")
def _disconnect(scope: Scope, one: Integration) -> None:
    _confirm(scope, one, "Its secret is destroyed and can't be brought back: only the customer can connect it again."
        " The connection stays listed with its analyses and its history.", "Destroy the secret and disconnect it",
        "is disconnected, and its secret is gone.", commands.disconnect_integration, None)  # fmt: skip


def _confirm(  # noqa: PLR0917 - the words of one dialog, and its change
    scope: Scope, one: Integration, tells: str, button: str, done: str, change: Change, back: Change | None
) -> None:
    """What will happen stands before the button; what can be taken back is, by a command of its own."""
    still_here(scope.viewer)
    st.html(tag("p", tag("b", f"{_label(one)}. "), tells, class_="sl"))
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
    if st.button(button, type="primary"):
        attempt(
            lambda: _run(change, scope, one.id, one.revision, reason),
            f"{_label(one)} {done}",
            undo=Undo(lambda revision: _run(back, scope, one.id, revision, _TAKEN_BACK)) if back else None,
        )


def _run(change: Change, scope: Scope, key: UUID, revision: int, reason: str) -> int:
    return change(serving.engines().rw, scope.viewer, key, revision=revision, reason=reason)


def _label(one: Integration) -> str:
    account = f" ({one.account})" if one.account and one.account != one.workspace else ""
    return f"{PLATFORMS[one.platform]} of {one.workspace}{account}"
