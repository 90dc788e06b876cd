"""Dialogs that delete a workspace and bring one back: they say what goes, and what stays."""

import streamlit as st

from app import serving
from app.commands import workspaces
from app.commands.quotas import LONGEST_REASON
from app.commands.workspaces import Belongings, DeletedWorkspace
from app.records.customers import Home
from app.ui import words
from app.ui.done import Undo, attempt
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope

WHY = "The audit log keeps it."
TAKEN_BACK = "Taken back."


@st.dialog("Delete workspace", width="medium", icon=":material/delete:")
def ask_deletion(scope: Scope, one: Home) -> None:
    """Whoever deletes types its short name: a workspace is much."""
    still_here(scope.viewer)
    st.html(_going(one, workspaces.belongings_of(serving.engines().rw, scope.viewer, one.id)))
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
    typed = st.text_input("Its short name", placeholder=one.slug, max_chars=200)
    if not st.button("Delete it", type="primary", disabled=typed.strip() != one.slug):
        return

    def back(_: object) -> None:
        workspaces.restore_workspace(serving.engines().rw, scope.viewer, one.id, reason=TAKEN_BACK)

    attempt(
        lambda: workspaces.delete_workspace(
            serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
        ),
        f"{one.name} is deleted, with all that belongs to it.",
        undo=Undo(back, f"{one.name} is back."),
    )


@st.dialog("Bring back", icon=":material/restore_from_trash:")
def restore(scope: Scope, one: DeletedWorkspace) -> None:
    """It says what comes back."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.name} comes back with everything that went with it on {words.day(one.deleted_at)}. What was"
        " deleted in it before stays deleted.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
    if st.button("Bring it back", type="primary"):
        attempt(
            lambda: workspaces.restore_workspace(serving.engines().rw, scope.viewer, one.id, reason=reason),
            f"{one.name} is back.",
        )


def _going(one: Home, what: Belongings) -> Markup:
    rows = [f"{number:,} {name}" for name, number in what.rows.items()]
    goes = f"With {one.name} go {', '.join(rows)}." if rows else f"Nothing but {one.name} itself goes."
    stays = f" {words.counted(what.live_subscriptions, 'live subscription')} stay as they are: cancel them first." if (
        what.live_subscriptions) else ""  # fmt: skip
    told = (
        f"{goes} Nobody sees any of it from now on, here or in the products. Its events, invoices and calls of AI are"
    )
    return tag("div", tag("b", "What will happen"), f"{told} kept, and all of it can be brought back.{stays}",
        class_="sl sl-refused")  # fmt: skip
