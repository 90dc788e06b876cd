"""What people do on a page: done, it is said once on the page drawn anew; refused, it is said where they are."""

from collections.abc import Callable

import streamlit as st

from app.ui.markup import Markup, tag
from db.errors import SightlineError

_SAID = "done-and-said"


def attempt(
    change: Callable[[], object], says: str, *, shown: Callable[[SightlineError], Markup] | None = None
) -> None:
    """Do it. A refusal may hold what somebody else wrote: it is shown as text."""
    try:
        change()
    except SightlineError as refusal:
        inner = shown(refusal) if shown else Markup()
        st.html(
            tag("div", tag("b", refusal.what), f"{refusal.why} {refusal.fix}".strip(), inner, class_="sl sl-refused",
                role="alert")
        )  # fmt: skip
        return
    st.session_state[_SAID] = says
    st.rerun()


def said() -> None:
    """What was done, once."""
    told: str | None = st.session_state.pop(_SAID, None)
    if told:
        st.html(tag("div", tag("b", told), class_="sl sl-empty", role="status"))
