"""Sharing what is seen: the address reproduces the page, and a pinned one shows the same figures for good."""

import streamlit as st

from app import serving
from app.commands.pins import pin_version
from app.ui.failure import say_refused
from app.ui.freshness import Freshness
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.saved import chosen_here
from app.ui.scope import Scope
from db.errors import SightlineError


@st.dialog("Share this page", position="right", icon=":material/share:")
def open_share(scope: Scope, fresh: Freshness) -> None:
    """What an address shows later, and the choice to keep it as it is."""
    still_here(scope.viewer)
    if fresh.is_pinned:
        st.html(
            tag(
                "p", f"This address is pinned to version {fresh.version}: it shows the same figures later.", class_="sl"
            )
        )
        if st.button("Show the newest figures"):
            del st.query_params["as_of"]
            st.rerun()
        return
    told = (
        "The address in your browser shows this page with its filters to whoever may see it, with the newest figures."
    )
    st.html(tag("p", told, class_="sl"))
    if fresh.version is not None and st.button(f"Pin it to version {fresh.version}", type="primary"):
        try:
            pin_version(
                serving.engines().rw, scope.viewer, page=scope.page, version=fresh.version, query=chosen_here(scope)
            )
        except SightlineError as refusal:
            say_refused(refusal)
            return
        st.query_params["as_of"] = str(fresh.version)
        st.rerun()
