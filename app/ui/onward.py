"""Turning the pages of a list by key: the place stands in the address."""

import streamlit as st

from app.records.reading import Place, UnreadablePlaceError
from app.ui.links import address, anchor
from app.ui.markup import Markup, tag
from app.ui.scope import Scope


def place(name: str) -> Place | None:
    """The place that the address names; one that can't be is said, and the list begins at its beginning."""
    given = st.query_params.get(name)
    if given is None:
        return None
    try:
        return Place.read(given)
    except UnreadablePlaceError as broken:
        st.html(tag("div", tag("b", broken.what), broken.fix, class_="sl sl-refused", role="alert"))
        return None


def onward(page: str, scope: Scope, name: str, following: Place | None, **kept: object) -> None:
    """Links to the newest rows and to older ones, where there are such."""
    links = []
    if st.query_params.get(name):
        links.append(anchor("Newest", address(page, scope, **kept)))
    if following:
        links.append(anchor("Older", address(page, scope, **kept, **{name: following})))
    if links:
        st.html(tag("nav", *_apart(links), class_="sl sl-small", aria_label="Pages of the list"))


def _apart(links: list[Markup]) -> list[Markup]:
    return [part for link in links for part in (link, Markup("&ensp;"))]
