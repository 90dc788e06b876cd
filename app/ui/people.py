"""Who looks at the page."""

import streamlit as st

from app import serving
from app.access import NotPermittedError, Permission, Viewer, operator


def person_here(permission: Permission) -> Viewer:
    """The viewer of this run. The app answers on this machine alone, so whoever is here is its operator."""
    viewer = operator(serving.engines().pipe, "The person at this machine")
    try:
        viewer.require(permission)
    except NotPermittedError as refusal:
        st.error(str(refusal))
        st.stop()
    return viewer
