"""Cards without an answer behind them: what is read live, or worked out from several answers."""

import streamlit as st

from app.ui.behind import slug
from app.ui.markup import joined, tag

LIVE = "Read from the database a moment ago."


def card(title: str, *inner: object, why: str = "") -> None:
    """A bordered part of a page under its own heading."""
    head = joined((tag("h2", title), tag("p", why, class_="why") if why else ""))
    with st.container(border=True, key=f"card-{slug(title)}"):
        st.html(tag("section", head, *inner, class_="sl sl-card"))
