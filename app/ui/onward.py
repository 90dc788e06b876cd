"""Turning the pages of a list by key: the place stands in the address."""

import hashlib

import streamlit as st

from app.records.reading import Place, UnreadablePlaceError
from app.ui.failure import say_refused
from app.ui.links import address, anchor
from app.ui.markup import Markup, tag
from app.ui.scope import Scope

_AFTER = "after"
_BETWEEN = "_"


def place(scope: Scope, *listed: object) -> Place | None:
    """The place that the address names in the list that `listed` tells apart, by its name and its own filters.

    A place in another list, or under other filters, is none; one that can't be is said. Both begin at the beginning.
    """
    given = st.query_params.get(_AFTER)
    if given is None:
        return None
    mark, _, there = given.rpartition(_BETWEEN)
    try:
        found = Place.read(there)
    except UnreadablePlaceError as broken:
        say_refused(broken)
        return None
    return found if mark == _mark(scope, listed) else None


def onward(page: str, scope: Scope, following: Place | None, *listed: object, **kept: object) -> None:
    """Links to the newest rows and to older ones of the same list, where there are such."""
    links = []
    if st.query_params.get(_AFTER):
        links.append(anchor("Newest", address(page, scope, **kept)))
    if following:
        older = f"{_mark(scope, listed)}{_BETWEEN}{following}"
        links.append(anchor("Older", address(page, scope, **kept, **{_AFTER: older})))
    if links:
        st.html(tag("nav", *_apart(links), class_="sl sl-small", aria_label="Pages of the list"))


def _mark(scope: Scope, listed: tuple[object, ...]) -> str:
    chosen = (listed, scope.since, scope.until, sorted(scope.where.items()))
    return hashlib.sha256(repr(chosen).encode()).hexdigest()[:8]


def _apart(links: list[Markup]) -> list[Markup]:
    return [part for link in links for part in (link, Markup("&ensp;"))]
