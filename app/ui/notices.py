"""Notices above what a page shows: about its address, and about what is amiss."""

from collections.abc import Sequence

import streamlit as st

from app.ui.markup import tag, with_code


def say_broken(broken: Sequence[str]) -> None:
    """What an address asked for that isn't there, or isn't theirs: both are told alike."""
    told = ", ".join(dict.fromkeys(broken))
    what = tag("b", "A part of the address could not be used.")
    shown = f"Not known here: {told}. What the page shows usually is shown instead."
    st.html(tag("div", what, shown, class_="sl sl-refused", role="alert"))


def warn(what: str, told: str) -> None:
    """What whoever opens the page should know before they read on."""
    st.html(tag("div", tag("b", what), with_code(told), class_="sl sl-refused", role="alert"))
