"""Who looks at the page: read from the database on every run, so that a role taken away is gone at the next click."""

from typing import Never

import streamlit as st
from sqlalchemy.exc import OperationalError
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

from app import serving
from app.access import Permission, Viewer
from app.identity.accounts import admins
from app.identity.cookies import session_cookie
from app.identity.returning import SIGN_IN
from app.identity.sessions import Person, end_session, person_of
from db.engine import is_lost

_HERE = ""


def person_here(permission: Permission) -> Viewer:
    """The viewer of this run, who may do this; anyone else is told whom to ask, and the page ends here."""
    viewer = signed_in().viewer(serving.engines().pipe)
    if not viewer.may(permission):
        refuse(viewer)
    return viewer


def still_here(viewer: Viewer) -> None:
    """For what runs again without its page: whoever lost something since, or is somebody else, gets the page anew."""
    context = get_script_run_ctx()
    if context is None or not context.fragment_ids_this_run:
        return
    now = signed_in().viewer(serving.engines().pipe)
    is_same = (now.member_id, now.roles) == (viewer.member_id, viewer.roles)
    if not is_same or not viewer.workspaces <= now.workspaces:
        st.rerun(scope="app")


def signed_in() -> Person:
    """Who is here; somebody whose session is over is sent to sign in, and back to this page."""
    try:
        person = person_of(serving.engines().rw, st.context.cookies.get(session_cookie()))
    except OperationalError as error:
        if not is_lost(error):
            raise
        # The gate has a page for this, which keeps trying and comes back.
        leave_for(_HERE)
    if person is None:
        # The gate asks to sign in, and comes back.
        leave_for(_HERE)
    return person


def refuse(viewer: Viewer) -> Never:
    """Say in a sentence who can give what is missing."""
    st.title("Not for your role")
    roles = ", ".join(sorted(viewer.roles)) or "none"
    whom = admins(serving.engines().rw)
    asked = f"Ask {' or '.join(whom)}" if whom else "Ask whoever runs Sightline"
    st.warning(
        f"You are here as {viewer.name}, and your role ({roles}) does not open this page.", icon=":material/lock:"
    )
    st.text(f"{asked} for the role that does.")
    st.stop()


def who_is_here(person: Person) -> None:
    """The foot of the navigation: under which name somebody is here, and the way out."""
    # Dialogs lie outside of what Streamlit marks as light or dark: look.css learns it from this name.
    with st.sidebar, st.container(key=f"in-{st.context.theme.type}"):
        st.text(person.name or person.email)
        if st.button("Sign out", icon=":material/logout:", type="tertiary"):
            end_session(serving.engines().rw, person, person.session_id)
            leave_for(f"{SIGN_IN}?out=1")


def leave_for(address: str) -> Never:
    """Send the browser to another address of this site, as Streamlit itself does to sign somebody in."""
    context = get_script_run_ctx()
    if context is not None:
        context.enqueue(going_to(address))
    st.stop()


def going_to(address: str) -> ForwardMsg:
    """The message on which Streamlit's client loads an address; an empty one is the page that it shows, anew."""
    message = ForwardMsg()
    message.auth_redirect.url = address
    return message
