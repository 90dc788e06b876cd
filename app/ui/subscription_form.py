"""Dialogs of subscriptions: another plan, ending with the period, and going on."""

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import subscriptions
from app.commands.quotas import LONGEST_REASON
from app.records.customers import Offer, Subscribed, offers
from app.ui import words
from app.ui.customer_form import TAKEN_BACK, WHY
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope


def act_on_subscriptions(scope: Scope, live: Sequence[Subscribed]) -> None:
    """Of those that are live, the one that is chosen."""
    if not live:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {f"{words.spelled(one.product)}: {one.plan}": one for one in live}
        chosen = named.get(st.selectbox("Subscription", list(named), key="subscription", width=320) or "")
        if chosen is None:
            return
        if st.button("Change plan", icon=":material/swap_horiz:"):
            _change_plan(scope, chosen)
        if chosen.cancel_at_period_end:
            if st.button("Resume", icon=":material/play_arrow:"):
                _resume(scope, chosen)
        elif st.button("Cancel at the end of its period", icon=":material/event_busy:"):
            _cancel(scope, chosen)


@st.dialog("Change plan", width="medium", icon=":material/swap_horiz:")
def _change_plan(scope: Scope, one: Subscribed) -> None:
    """It says what changes when."""
    still_here(scope.viewer)
    there = offers(serving.engines().ro, scope.viewer, product=one.product, currency=one.currency)
    named = {_told(offer): offer for offer in there if offer.id != one.plan_id}
    st.html(tag("p", f"Now: {one.plan}, version {one.version}, {words.money(one.price, one.currency)}"
        f" {words.spelled(one.billing_cycle).lower()}. The limits of the other plan rule from this moment on, and what"
        " was used stays used; its price holds from the next invoice on.", class_="sl"))  # fmt: skip
    chosen = named.get(st.selectbox("Plan", list(named), key="other-plan") or "")
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
    if not st.button("Change it", type="primary", disabled=chosen is None) or chosen is None:
        return

    def give(plan: UUID, revision: int, why: str) -> UUID:
        return subscriptions.change_plan(
            serving.engines().rw, scope.viewer, one.workspace_id, one.id, plan, revision=revision, reason=why
        )

    attempt(
        lambda: give(chosen.id, one.revision, reason),
        f"{one.workspace} has {chosen.name} now.",
        undo=Undo(lambda before: give(before, one.revision + 1, TAKEN_BACK)),
    )


@st.dialog("Cancel at the end of its period", icon=":material/event_busy:")
def _cancel(scope: Scope, one: Subscribed) -> None:
    """It says until when it holds."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.plan} of {one.workspace} holds until {words.day(one.current_period_end)}, and is not"
        " renewed. Nothing is paid back, and its data stays.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
    if st.button("Cancel it", type="primary"):
        attempt(
            lambda: _end(scope, one, one.revision, reason),
            f"{one.plan} ends on {words.day(one.current_period_end)}.",
            undo=Undo(lambda _: _go_on(scope, one, one.revision + 1, TAKEN_BACK), "It is renewed again."),
        )


@st.dialog("Resume", icon=":material/play_arrow:")
def _resume(scope: Scope, one: Subscribed) -> None:
    """It says what is taken back."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.plan} of {one.workspace} is renewed on {words.day(one.current_period_end)}, for"
        f" {words.money(one.price, one.currency)}.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=WHY)
    if st.button("Resume it", type="primary"):
        attempt(
            lambda: _go_on(scope, one, one.revision, reason),
            f"{one.plan} is renewed.",
            undo=Undo(lambda _: _end(scope, one, one.revision + 1, TAKEN_BACK), "It ends with its period again."),
        )


def _end(scope: Scope, one: Subscribed, revision: int, reason: str) -> None:
    subscriptions.cancel_at_period_end(
        serving.engines().rw, scope.viewer, one.workspace_id, one.id, revision=revision, reason=reason
    )


def _go_on(scope: Scope, one: Subscribed, revision: int, reason: str) -> None:
    subscriptions.resume(serving.engines().rw, scope.viewer, one.workspace_id, one.id, revision=revision, reason=reason)


def _told(one: Offer) -> str:
    state = " (retired)" if one.status == "retired" else ""
    return f"{one.name}, version {one.version}: {words.money(one.price, one.currency)} {one.billing_period}{state}"
