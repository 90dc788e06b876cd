"""Dialogs that add people to the team and change what they may do. Commands look at everything again."""

from uuid import UUID

import streamlit as st

from app import serving
from app.access import Role
from app.commands import team, team_rights
from app.commands.company import sees_whole_company
from app.commands.quotas import LONGEST_REASON
from app.commands.stale import EditedMeanwhileError, Fields
from app.commands.team import Member
from app.commands.team_rights import LONGEST_NAME, Rights
from app.ui import words
from app.ui.choices import workspaces_of
from app.ui.done import Undo, attempt, save_together
from app.ui.failure import say_refused
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from db.errors import SightlineError

TAKEN_BACK = "Taken back."
_WHY = "The audit log keeps it."
_ROLES = tuple(Role)


@st.dialog("Add a person", width="medium", icon=":material/person_add:")
def add(scope: Scope) -> None:
    """With a first password, or for a provider alone."""
    still_here(scope.viewer)
    with st.form("add-person", border=False):
        email = st.text_input("E-mail address", max_chars=320)
        wanted = _fields(scope, Rights(None, (Role.VIEWER,), None))
        password = st.text_input("First password", type="password", autocomplete="new-password",
            help="Twelve characters at least. Empty: only an identity provider lets this person in.")  # fmt: skip
        if not st.form_submit_button("Add", type="primary"):
            return

    def added() -> UUID:
        return team.add_member(
            serving.engines().rw, scope.viewer, email=email.strip(), password=password or None,
            roles=[Role(role) for role in wanted.roles], name=wanted.name, workspace_slugs=wanted.workspaces or (),
        )  # fmt: skip

    def take_back(key: UUID) -> None:
        team_rights.deactivate_member(serving.engines().rw, scope.viewer, key, revision=1, reason=TAKEN_BACK)

    attempt(added, f"{email.strip()} is in the team.", undo=Undo(take_back, "The person is deactivated."))


@st.dialog("Change a person", width="medium", icon=":material/edit:")
def change(scope: Scope, one: Member) -> None:
    """Saved only if nobody changed it since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    before = Rights(one.name, one.roles, one.workspaces)
    with st.form("change-person", border=False):
        wanted = _fields(scope, before)
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(rights: Rights, revision: int, was: Rights, why: str) -> tuple[Rights, int]:
        team_rights.change_member(
            serving.engines().rw, scope.viewer, one.id, rights, revision=revision, reason=why, made_on=before
        )
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Rights, int]:
        return save(Rights(**merged), stale.revision, Rights(**stale.now), reason)

    def take_back(done: tuple[Rights, int]) -> None:
        was, revision = done
        save(was, revision, was, TAKEN_BACK)

    attempt(
        lambda: save(wanted, one.revision, before, reason),
        f"{one.email} was changed.",
        undo=Undo(take_back),
        together=save_both,
    )


@st.dialog("Deactivate", icon=":material/person_off:")
def ask_deactivation(scope: Scope, one: Member) -> None:
    """It says what happens."""
    still_here(scope.viewer)
    sessions = words.counted(one.sessions, "session")
    st.html(tag("p", f"{one.email} is not let in any more, and is out of {sessions} at the next click. Everything that"
        " the person did stays, under their name.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
    if not st.button("Deactivate", type="primary"):
        return

    def back(_: object) -> None:
        _reactivated(scope, one, one.revision + 1, TAKEN_BACK)

    attempt(
        lambda: team_rights.deactivate_member(
            serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
        ),
        f"{one.email} is deactivated.",
        undo=Undo(back, f"{one.email} is let in again."),
    )


@st.dialog("Reactivate", icon=":material/person:")
def reactivate(scope: Scope, one: Member) -> None:
    """It says as what."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.email} is let in again, as {', '.join(one.roles)}.", class_="sl"))
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
    if not st.button("Reactivate", type="primary"):
        return

    def out_again(_: object) -> None:
        team_rights.deactivate_member(
            serving.engines().rw, scope.viewer, one.id, revision=one.revision + 1, reason=TAKEN_BACK
        )

    attempt(
        lambda: _reactivated(scope, one, one.revision, reason),
        f"{one.email} is let in again.",
        undo=Undo(out_again, f"{one.email} is deactivated."),
    )


@st.dialog("End sessions", icon=":material/logout:")
def ask_sign_out(scope: Scope, one: Member) -> None:
    """It says how many, and that the person may come back."""
    still_here(scope.viewer)
    sessions = words.counted(one.sessions, "session")
    st.html(tag("p", f"{one.email} is signed out of {sessions}, and may sign in again. This can't be taken back.",
        class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
    if st.button("End them", type="primary"):
        attempt(
            lambda: team_rights.end_sessions(serving.engines().rw, scope.viewer, one.id, reason=reason),
            f"{one.email} is signed out everywhere.",
        )


@st.dialog("New password", icon=":material/key:")
def ask_new_password(scope: Scope, one: Member) -> None:
    """It is shown once, to be handed over; nobody can look it up."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.email} gets a new password, which is shown here once. The old one holds no more, and every"
        " session of the person is over. This can't be taken back.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
    if not st.button("Make a new password", type="primary"):
        return
    try:
        fresh = team_rights.reset_password(
            serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
        )
    except SightlineError as refusal:
        say_refused(refusal)
        return
    st.html(tag("div", tag("b", "The new password"), "Hand it over in a safe way. It is not shown again.",
        class_="sl sl-empty", role="status"))  # fmt: skip
    st.code(fresh, language=None, wrap_lines=True)


def _reactivated(scope: Scope, one: Member, revision: int, reason: str) -> None:
    team_rights.reactivate_member(serving.engines().rw, scope.viewer, one.id, revision=revision, reason=reason)


def _fields(scope: Scope, now: Rights) -> Rights:
    name = st.text_input("Name", now.name or "", max_chars=LONGEST_NAME)
    roles = st.multiselect("Roles", _ROLES, list(now.roles), format_func=words.spelled)
    own = workspaces_of(scope.viewer)
    labels = {slug: label for label, slug in own.items()}
    everywhere = sees_whole_company(serving.engines().ro, scope.viewer)
    chosen = st.multiselect(
        "Workspaces",
        sorted({*own.values(), *(now.workspaces or ())}, key=lambda slug: labels.get(slug, slug)),
        list(now.workspaces or ()),
        format_func=lambda slug: labels.get(slug, slug),
        placeholder="All of them" if everywhere else "Choose some of yours",
    )
    return Rights(name, tuple(str(role) for role in roles), tuple(chosen) or None)
