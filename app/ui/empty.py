"""What stands where nothing can be shown: an empty state, or a refusal with what can be asked instead."""

import streamlit as st

from app.ui.asking import Refused
from app.ui.markup import Markup, tag, with_code

NOTHING_HAPPENED = ("Nothing happened in this period.", "Choose another period, or fewer filters.")


def nothing_here(what: str, *, fill: str) -> None:
    """Empty is not an error: say what would fill it."""
    st.html(tag("div", empty_card(what, fill), class_="sl"))


def empty_card(what: str, fill: str) -> Markup:
    return tag("div", tag("b", what), with_code(fill), class_="sl-empty")


def refusal_card(refused: Refused) -> Markup:
    """Why it can't be told, and the nearest question that can."""
    reason = refused.reason
    told = with_code(f"{reason.why} {reason.fix}".strip())
    return tag("div", tag("b", with_code(reason.what)), told, class_="sl-refused", role="note")
