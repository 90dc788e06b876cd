"""Dialogs about the people of a workspace: invite, change, remove, hand over, and their accounts."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import customers
from app.commands.customers import GIVEN_ROLES
from app.commands.quotas import LONGEST_REASON
from app.records.customers import Home, Person
from app.ui import words
from app.ui.customer_form import TAKEN_BACK, WHY
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope


def act_on_people(scope: Scope, home: Home, people: Sequence[Person]) -> None:
    """Somebody new, or what can be done about the one that is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Invite somebody", icon=":material/person_add:"):
            _invite(scope, home)
        named = {one.email: one for one in people}
        chosen = named.get(st.selectbox("Person", list(named), key="customer-person", width=320) or "")
        if chosen is None:
            return
        offered = _offered(chosen)
        what = st.menu_button("Edit", list(offered), key=f"person-{chosen.user_id}",
            help=f"What can be done about {chosen.email}.")  # fmt: skip
    if what is not None and what in offered:
        offered[what](scope, home, chosen)


def _offered(one: Person) -> Mapping[str, Callable[[Scope, Home, Person], None]]:
    """An owner is neither changed nor removed: the workspace is handed over first."""
    of_members = {"Change role": _change_role, "Hand over to": _hand_over, "Remove": _remove}
    account = {"Deactivate account": _deactivate} if one.is_active else {"Reactivate account": _reactivate}
    return {
        **({} if one.is_owner or one.member_id is None else of_members),
        **account,
        "End sessions": _end_sessions,
    }


@st.dialog("Invite somebody", icon=":material/person_add:")
def _invite(scope: Scope, home: Home) -> None:
    """By address; who is a customer already stays the same person."""
    still_here(scope.viewer)
    with st.form("invite", border=False):
        email = st.text_input("E-mail address", max_chars=320)
        role = st.selectbox("Role", GIVEN_ROLES, GIVEN_ROLES.index("editor"), format_func=words.spelled)
        reason = _why()
        if not st.form_submit_button("Invite", type="primary"):
            return
    attempt(
        lambda: customers.invite(
            serving.engines().rw, scope.viewer, home.id, email=email, role=role, reason=reason
        ),
        f"{email.strip()} is in {home.name}.",
        undo=Undo(lambda member: _removed(scope, home, member, TAKEN_BACK), "The invitation was taken back."),
    )  # fmt: skip


@st.dialog("Change role", icon=":material/edit:")
def _change_role(scope: Scope, home: Home, one: Person) -> None:
    """Saved only if the role is still the one that was shown."""
    still_here(scope.viewer)
    others = [role for role in GIVEN_ROLES if role != one.role]
    role = st.selectbox(f"{one.email} is {one.role}, and becomes", others, format_func=words.spelled)
    reason = _why()
    if not st.button("Save", type="primary"):
        return

    def give(wanted: str, was: str, why: str) -> None:
        if one.member_id:
            customers.change_role(
                serving.engines().rw, scope.viewer, home.id, one.member_id, wanted, was=was, reason=why
            )

    attempt(
        lambda: give(role, one.role, reason),
        f"{one.email} is {role} now.",
        undo=Undo(lambda _: give(one.role, role, TAKEN_BACK)),
    )


@st.dialog("Remove", icon=":material/person_remove:")
def _remove(scope: Scope, home: Home, one: Person) -> None:
    """It says what stays."""
    still_here(scope.viewer)
    _say(f"{one.email} does not see {home.name} any more. What the person made there stays; the account stays open.")
    reason = _why()
    member = one.member_id
    if not st.button("Remove", type="primary") or member is None:
        return

    def back(_: object) -> UUID:
        return customers.invite(
            serving.engines().rw, scope.viewer, home.id, email=one.email, role=one.role, reason=TAKEN_BACK
        )

    attempt(
        lambda: _removed(scope, home, member, reason),
        f"{one.email} is not in {home.name} any more.",
        undo=Undo(back, f"{one.email} is in {home.name} again."),
    )


@st.dialog("Hand over", icon=":material/key:")
def _hand_over(scope: Scope, home: Home, one: Person) -> None:
    """It says what becomes of who owns it."""
    still_here(scope.viewer)
    stays = f" {home.owner} stays in it as an admin." if home.owner else ""
    _say(f"{one.email} owns {home.name} from now on: its invoices, and whoever is in it.{stays}")
    reason = _why()
    member = one.member_id
    if not st.button("Hand it over", type="primary") or member is None:
        return

    def give(to: UUID, revision: int, why: str) -> UUID | None:
        return customers.hand_over(serving.engines().rw, scope.viewer, home.id, to, revision=revision, reason=why)

    def back(before: UUID | None) -> None:
        if before:
            give(before, home.revision + 1, TAKEN_BACK)

    attempt(
        lambda: give(member, home.revision, reason),
        f"{one.email} owns {home.name} now.",
        undo=Undo(back) if home.owner_id else None,
    )


@st.dialog("Deactivate account", icon=":material/person_off:")
def _deactivate(scope: Scope, home: Home, one: Person) -> None:
    """It says how many sessions end."""
    still_here(scope.viewer)
    sessions = customers.open_sessions(serving.engines().rw, scope.viewer, one.user_id)
    _say(f"{one.email} is let into no workspace and no product any more; {words.counted(sessions, 'session')} of theirs"
        f" end at once. Everything of {home.name} stays.")  # fmt: skip
    reason = _why()
    if st.button("Deactivate", type="primary"):
        attempt(
            lambda: customers.deactivate(serving.engines().rw, scope.viewer, one.user_id, reason=reason),
            f"The account of {one.email} is deactivated.",
            undo=Undo(
                lambda _: customers.reactivate(serving.engines().rw, scope.viewer, one.user_id, reason=TAKEN_BACK),
                f"The account of {one.email} is open again.",
            ),
        )


@st.dialog("Reactivate account", icon=":material/person:")
def _reactivate(scope: Scope, home: Home, one: Person) -> None:
    still_here(scope.viewer)
    _say(f"{one.email} is let in again, into {home.name} and every other workspace of theirs.")
    reason = _why()
    if st.button("Reactivate", type="primary"):
        attempt(
            lambda: customers.reactivate(serving.engines().rw, scope.viewer, one.user_id, reason=reason),
            f"The account of {one.email} is open again.",
            undo=Undo(
                lambda _: customers.deactivate(serving.engines().rw, scope.viewer, one.user_id, reason=TAKEN_BACK),
                f"The account of {one.email} is deactivated.",
            ),
        )


@st.dialog("End sessions", icon=":material/logout:")
def _end_sessions(scope: Scope, home: Home, one: Person) -> None:
    still_here(scope.viewer)
    sessions = customers.open_sessions(serving.engines().rw, scope.viewer, one.user_id)
    _say(f"{one.email} of {home.name} is signed out of {words.counted(sessions, 'session')}, in every product, and may"
        " sign in again. This can't be taken back.")  # fmt: skip
    reason = _why()
    if st.button("End them", type="primary"):
        attempt(
            lambda: customers.end_sessions(serving.engines().rw, scope.viewer, one.user_id, reason=reason),
            f"{one.email} is signed out everywhere.",
        )


def _removed(scope: Scope, home: Home, member: UUID, reason: str) -> None:
    customers.remove(serving.engines().rw, scope.viewer, home.id, member, reason=reason)


def _say(what: str) -> None:
    st.html(tag("p", what, class_="sl"))


def _why() -> str:
    return st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
