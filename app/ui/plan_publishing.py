"""Publishing a plan, taking it back, retiring it: each dialog says what will happen, and to whom."""

from collections.abc import Callable

import streamlit as st

from app import serving
from app.commands import plan_publishing as publishing
from app.commands import plans
from app.commands.plan_publishing import Publication, today
from app.records.plans import PlanApprovalNow, PlanDetail, approvals
from app.ui import words
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.plan_words import price_told, standing
from app.ui.scope import Scope

_WHY = "The audit log keeps it."


def actions(found: PlanDetail, scope: Scope) -> None:
    """What can be done with a version as it stands."""
    for label, icon, act in _OFFERED[found.now.status]:
        if st.button(label, icon=icon, key=f"plan-{label}"):
            act(scope, found)


def waiting(found: PlanDetail, scope: Scope) -> None:
    """A publication that waits for somebody else, and the two answers to it."""
    for one in approvals(serving.engines().ro, scope.viewer, found.now.id):
        margin = "earns nothing and costs something" if one.margin_after is None else f"is {one.margin_after:,.1f} %"
        told = (
            f"{one.asked_name} asks to publish it from {words.day(one.publishes_on)}: “{one.reason}”. Its margin"
            f" {margin}, and the floor is {one.margin_floor.normalize():f} %."
        )
        stale = "" if one.is_of_this_revision else " The draft was changed since: this can be declined alone."
        st.html(tag("div", tag("b", "Waits for a second admin. "), told, stale, class_="sl sl-empty", role="status"))
        with st.container(horizontal=True):
            if one.is_of_this_revision and st.button("Approve …", icon=":material/check:", key=f"approve-{one.id}"):
                _approve(scope, one)
            if st.button("Decline …", icon=":material/close:", key=f"decline-{one.id}"):
                _decline(scope, one)


@st.dialog("Publish", width="medium", icon=":material/publish:")
def _publish(scope: Scope, found: PlanDetail) -> None:
    """Below the margin floor this asks for somebody else's approval in place of publishing."""
    still_here(scope.viewer)
    now, engine = found.now, serving.engines().rw
    margin = publishing.margin_of(engine, scope.viewer, now.id)
    if margin is None or margin.is_old:
        told = (
            "It was not simulated as it is now. Simulate it first: each edit makes it another draft."
            if margin is None
            else f"It was simulated on {words.day(margin.found_at.date())}, which is too long ago. Simulate it again."
        )
        st.html(tag("p", told, class_="sl"))
        return
    day = st.date_input("From", today(), min_value=today(), max_value=today() + publishing.FURTHEST, help="In UTC.")
    st.html(tag("p", _what_happens(found), class_="sl"))
    if margin.is_below:
        found_margin = "it earns nothing" if margin.after is None else f"{margin.after:,.1f} % of revenue"
        told = (
            f"Its margin would be below the floor of {margin.floor.normalize():f} %: {found_margin}. An admin who is"
            " somebody else must approve it, and then it is published."
        )
        st.html(tag("p", tag("b", told), class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help=_WHY)
    if st.button("Ask for approval" if margin.is_below else "Publish it", type="primary"):
        attempt(
            lambda: publishing.publish(
                engine, scope.viewer, now.id, revision=now.revision, publishes_on=day, reason=reason
            ),
            "It waits for a second admin."
            if margin.is_below
            else f"{now.titled} is live."
            if day <= today()
            else f"{now.titled} goes live on {words.day(day)}.",
            undo=Undo(lambda done: _take_back(scope, done), "It is a draft again."),
        )


def _take_back(scope: Scope, done: Publication) -> None:
    engine, viewer = serving.engines().rw, scope.viewer
    if done.approval is not None:
        publishing.decline(engine, viewer, done.approval, reason="Taken back.")
        return
    publishing.unpublish(engine, viewer, done.plan, revision=done.revision, reason="Taken back.")


@st.dialog("Approve", icon=":material/check:")
def _approve(scope: Scope, one: PlanApprovalNow) -> None:
    still_here(scope.viewer)
    told = (
        f"{one.plan} goes live on {words.day(max(one.publishes_on, today()))} although its margin is below the floor."
    )
    st.html(tag("p", told, " Who asked for it can't approve it.", class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help=_WHY)
    if st.button("Approve it", type="primary"):
        attempt(
            lambda: publishing.approve(serving.engines().rw, scope.viewer, one.id, reason=reason),
            f"{one.plan} was approved.",
            undo=Undo(lambda done: _take_back(scope, done), "It is a draft again."),
        )


@st.dialog("Decline", icon=":material/close:")
def _decline(scope: Scope, one: PlanApprovalNow) -> None:
    still_here(scope.viewer)
    st.html(tag("p", f"{one.plan} stays a draft; {one.asked_name} may change it and ask again.", class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help=_WHY)
    if st.button("Decline it", type="primary"):
        attempt(
            lambda: publishing.decline(serving.engines().rw, scope.viewer, one.id, reason=reason),
            f"{one.plan} stays a draft.",
        )


@st.dialog("Retire", icon=":material/archive:")
def _retire(scope: Scope, found: PlanDetail) -> None:
    told = (
        f"From now on nobody can subscribe to {found.now.titled}, and nothing is sold in its place."
        f" {words.counted(found.now.subscribers, 'subscriber')} that you see keep it."
    )
    _ask(scope, found, told, "Retire it", publishing.retire, f"{found.now.titled} is sold no more.",
        Undo(lambda revision: publishing.reinstate(serving.engines().rw, scope.viewer, found.now.id, revision=revision),
            "It is sold again."))  # fmt: skip


@st.dialog("Sell again", icon=":material/unarchive:")
def _reinstate(scope: Scope, found: PlanDetail) -> None:
    told = f"Customers can subscribe to {found.now.titled} again, at {price_told(found.now)}."
    _ask(scope, found, told, "Sell it again", publishing.reinstate, f"{found.now.titled} is sold again.",
        Undo(lambda revision: publishing.retire(serving.engines().rw, scope.viewer, found.now.id, revision=revision,
            reason="Taken back."), "It is retired as before."))  # fmt: skip


@st.dialog("Take back to a draft", icon=":material/undo:")
def _unpublish(scope: Scope, found: PlanDetail) -> None:
    back = f" {found.beside.titled} is sold again." if found.now.status == "published" and found.beside else ""
    told = (
        f"{found.now.titled} is a draft again, and nobody can subscribe to it.{back} To publish it, simulate it anew."
    )
    _ask(scope, found, told, "Take it back", publishing.unpublish, f"{found.now.titled} is a draft again.")


@st.dialog("Discard", icon=":material/delete:")
def _discard(scope: Scope, found: PlanDetail) -> None:
    told = f"{found.now.titled} goes off the list with all that it says. It can be brought back."
    _ask(scope, found, told, "Discard it", plans.discard_draft, f"{found.now.titled} was discarded.",
        Undo(lambda revision: plans.restore_draft(serving.engines().rw, scope.viewer, found.now.id, revision=revision),
            "The draft is back."))  # fmt: skip


def _restore(scope: Scope, found: PlanDetail) -> None:
    """Nothing to confirm: a draft touches nobody."""
    attempt(
        lambda: plans.restore_draft(serving.engines().rw, scope.viewer, found.now.id, revision=found.now.revision),
        "The draft is back.",
    )


def _ask(  # noqa: PLR0917 - what a confirmation says and does
    scope: Scope, found: PlanDetail, told: str, button: str, do: Callable[..., int], says: str, undo: Undo | None = None
) -> None:
    still_here(scope.viewer)
    st.html(tag("p", told, class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help=_WHY)
    if st.button(button, type="primary"):
        attempt(
            lambda: do(serving.engines().rw, scope.viewer, found.now.id, revision=found.now.revision, reason=reason),
            says,
            undo=undo,
        )


def _what_happens(found: PlanDetail) -> str:
    sold = f"On that day {found.now.titled} is sold for {price_told(found.now)}"
    if found.beside is None or found.beside.status != "published":
        return f"{sold}. Nothing is sold in its place by now."
    kept = words.counted(found.beside.subscribers, "subscriber")
    return (
        f"{sold} in place of {found.beside.titled} ({price_told(found.beside)}, {standing(found.beside)}), which is"
        f" retired. Its {kept} that you see keep it until they are moved."
    )


_Act = Callable[[Scope, PlanDetail], None]
_DISCARD: tuple[str, str, _Act] = ("Discard …", ":material/delete:", _discard)
_OFFERED: dict[str, tuple[tuple[str, str, _Act], ...]] = {
    "draft": (("Publish …", ":material/publish:", _publish), _DISCARD),
    "scheduled": (("Take it back …", ":material/undo:", _unpublish),),
    "published": (("Retire …", ":material/archive:", _retire), ("Take it back …", ":material/undo:", _unpublish)),
    "retired": (("Sell it again …", ":material/unarchive:", _reinstate),),
    "discarded": (("Bring it back", ":material/restore_from_trash:", _restore),),
}
