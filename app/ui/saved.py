"""Saved views: the page with its filters under a name, for oneself or the team; one may open by itself."""

from collections.abc import Sequence

import streamlit as st

from app import serving
from app.commands.views import LONGEST_NAME, View, delete_view, save_view, views
from app.ui.choices import workspaces_of
from app.ui.failure import say_refused
from app.ui.links import address, anchor
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from app.ui.sifted import is_page_of_table
from db.errors import SightlineError

_OPENED = "opened-with-default"
# A view shows the newest rows of its lists, and the newest figures.
_PASSING = ("after", "as_of")


def open_default(page: str, scope: Scope) -> None:
    """Once a session, where the address chooses nothing itself, the viewer's default view becomes the address."""
    opened: set[str] = st.session_state.setdefault(_OPENED, set())
    if page in opened:
        return
    opened.add(page)
    default = None if st.query_params else next((one for one in _listed(page, scope) if one.is_default), None)
    if default is not None:
        chosen: dict[str, list[str]] = {}
        for name, value in default.query:
            chosen.setdefault(name, []).append(value)
        st.query_params.from_dict(chosen)
        st.rerun()


def offer_views(scope: Scope) -> None:
    """Where nothing else of a page is kept or shared, a button of their own."""
    if st.button("Saved views", key="top-views", icon=":material/bookmark:"):
        open_views(scope.page, scope)


@st.dialog("Saved views", position="right", icon=":material/bookmark:")
def open_views(page: str, scope: Scope) -> None:
    """One's own, the team's, and a form to keep this one."""
    still_here(scope.viewer)
    listed = _listed(page, scope)
    _list("Mine", [one for one in listed if one.is_own], page, scope)
    _list("The team's", [one for one in listed if not one.is_own], page, scope)
    with st.form("view", border=False):
        name = st.text_input("Keep what is chosen now as", max_chars=LONGEST_NAME, placeholder="A name")
        is_shared = st.checkbox("Show it to the team")
        is_default = st.checkbox("Open this page with it")
        if not st.form_submit_button("Save", type="primary"):
            return
    try:
        save_view(
            serving.engines().rw,
            scope.viewer,
            page=page,
            name=name,
            query=chosen_here(scope),
            is_shared=is_shared,
            is_default=is_default,
        )
    except SightlineError as refusal:
        say_refused(refusal)
        return
    st.rerun()


def chosen_here(scope: Scope) -> list[tuple[str, str]]:
    """The filters, and whatever else of the page stands in the address."""
    filters = [(name, value) for name, value in scope.query if name not in _PASSING]
    named = {*_PASSING, *(name for name, _ in filters)}
    others = [
        (name, value)
        for name in st.query_params
        if name not in named and not is_page_of_table(name)
        for value in st.query_params.get_all(name)
    ]
    return [*filters, *others]


def _listed(page: str, scope: Scope) -> list[View]:
    return views(serving.engines().ro, scope.viewer, page, workspaces_of(scope.viewer).keys())


def _list(title: str, listed: Sequence[View], page: str, scope: Scope) -> None:
    if not listed:
        return
    st.html(tag("h3", title, class_="sl", style="font-size:1rem;margin:0;padding:0"))
    for one in listed:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            told = ", ".join(
                filter(
                    None,
                    (
                        "opens by itself" if one.is_default else "",
                        "for the team" if one.is_shared else "",
                        "" if one.is_own else one.author,
                    ),
                )
            )
            link = anchor(one.name, address(page, scope.chosen(one.query)))
            st.html(tag("div", link, " ", tag("span", told, class_="sl-small sl-muted"), class_="sl"))
            if one.is_own and st.button("Forget", key=f"forget-{one.id}", type="tertiary"):
                delete_view(serving.engines().rw, scope.viewer, one.id)
                st.rerun()
