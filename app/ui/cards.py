"""Cards without an answer behind them: what is read live, or worked out from several answers."""

from typing import Any

import streamlit as st

from app.exports.live import Listed
from app.ui.behind import slug
from app.ui.live import behind_list, told_of
from app.ui.markup import joined, tag, with_code
from app.ui.scope import Scope

LIVE = "Read from the database a moment ago."


def card(
    title: str, *inner: object, why: str = "", read: Listed[Any] | None = None, scope: Scope | None = None
) -> None:
    """A bordered part of a page under its own heading; what was read live for it has a receipt, and downloads."""
    told = told_of(why, read, scope)
    head = joined((tag("h2", title), tag("p", with_code(told), class_="why") if told else ""))
    with st.container(border=True, key=f"card-{slug(title)}"):
        st.html(tag("section", head, *inner, class_="sl sl-card"))
        if read and scope:
            behind_list(read, title, slug(title), scope)
