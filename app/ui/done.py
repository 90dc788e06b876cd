"""What people do on a page: done, it is said and can be taken back; refused, it is said where they are."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.commands.stale import EditedMeanwhileError, Fields
from app.ui.both_versions import both_versions
from app.ui.links import page_here
from app.ui.markup import Markup, tag, with_code
from db.errors import SightlineError

Together = Callable[[EditedMeanwhileError, Fields], object]
_SAID, _OFFER = "done-and-said", "done-offer"
_UNDO_BUTTON, _TOGETHER_BUTTON = "done-undo", "done-together"
# So long what was done can be taken back where it was said.
_OFFERED_SECONDS = 120


@dataclass(frozen=True)
class Undo:
    """Takes a change back: given what the change answered, it is a command of its own, checked like any other."""

    change: Callable[[Any], object]
    says: str = "It is as it was before."


@dataclass(frozen=True)
class _Said:
    text: str
    page: str
    at: float
    answer: object
    undo: Undo | None

    @property
    def can_be_undone(self) -> bool:
        return self.undo is not None and self.page == page_here() and time.monotonic() - self.at < _OFFERED_SECONDS


@dataclass(frozen=True)
class _Offer:
    refusal: EditedMeanwhileError
    merged: Fields
    save: Together
    says: str
    undo: Undo | None


def attempt(
    change: Callable[[], object],
    says: str,
    *,
    undo: Undo | None = None,
    shown: Callable[[SightlineError], Markup] | None = None,
    together: Together | None = None,
) -> None:
    """Do it. A refusal may hold what somebody else wrote: it is shown as text.

    `together` is given a stale edit with what it and the other one are together, and saves that as an edit of what is
    there now; whoever gives it calls `save_together()` before.
    """
    st.session_state.pop(_OFFER, None)
    try:
        answer = change()
    except SightlineError as refusal:
        _refused(refusal, shown)
        if together and isinstance(refusal, EditedMeanwhileError) and refusal.merged and refusal.fits:
            st.session_state[_OFFER] = _Offer(refusal, refusal.merged.together, together, says, undo)
            st.button("Save both together", key=_TOGETHER_BUTTON, icon=":material/merge:")
        return
    st.session_state[_SAID] = _Said(says, page_here(), time.monotonic(), answer, undo)
    st.rerun()


def save_together() -> None:
    """At the top of what edits: where somebody chose to save both edits together, that is done."""
    offer: _Offer | None = st.session_state.get(_OFFER)
    if offer and st.session_state.get(_TOGETHER_BUTTON):
        attempt(lambda: offer.save(offer.refusal, offer.merged), offer.says, undo=offer.undo, together=offer.save)


def said() -> None:
    """What was done: once, or while it can be taken back."""
    told: _Said | None = st.session_state.pop(_SAID, None)
    if told is None:
        return
    if told.undo and told.can_be_undone:
        undo = told.undo
        if st.session_state.get(_UNDO_BUTTON):
            attempt(lambda: undo.change(told.answer), undo.says)
            return
        st.session_state[_SAID] = told
        with st.container(horizontal=True, vertical_alignment="center", key="done-said"):
            st.html(_done(told.text), width="stretch")
            st.button("Undo", key=_UNDO_BUTTON, icon=":material/undo:", help="Take this back.")
    elif told.page == page_here():
        st.html(_done(told.text))


def _done(text: str) -> Markup:
    return tag("div", tag("b", text), class_="sl sl-empty", role="status")


def _refused(refusal: SightlineError, shown: Callable[[SightlineError], Markup] | None) -> None:
    inner, told = Markup(), f"{refusal.why} {refusal.fix}".strip()
    if shown:
        inner = shown(refusal)
    elif isinstance(refusal, EditedMeanwhileError):
        inner = both_versions(refusal)
    if inner and isinstance(refusal, EditedMeanwhileError):
        told = refusal.fix
    st.html(tag("div", tag("b", with_code(refusal.what)), with_code(told), inner, class_="sl sl-refused", role="alert"))
