"""Who somebody is to Sightline, where they are signed in, the tokens of their programs, and their password."""

import streamlit as st

from app import serving
from app.identity.accounts import change_password, has_password, workspace_names
from app.identity.devices import device_name
from app.identity.sessions import end_other_sessions, end_session, sessions_of
from app.ui.failure import say_refused
from app.ui.people import signed_in
from app.ui.token_list import token_list
from db.errors import SightlineError

person = signed_in()
engines = serving.engines()
viewer = person.viewer(engines.pipe)

st.title("Account")
st.text(f"{person.name or person.email} · {person.email}")
st.text(f"Roles: {', '.join(sorted(person.roles))}")
names = workspace_names(engines.ro, viewer)
st.text(f"Workspaces: {'all' if person.workspace_ids is None else ', '.join(names) or 'none'}")

st.header("Where you are signed in")
sessions = sessions_of(engines.rw, person)
for session in sessions:
    is_here = session.id == person.session_id
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xsmall"):
            st.markdown(f"**{device_name(session.user_agent)}**" + (" · this device" if is_here else ""))
            st.text(
                f"Signed in {session.created_at:%d %b %Y, %H:%M} UTC, last seen {session.last_seen_at:%d %b, %H:%M} UTC"
                f" from {session.ip_address or 'an unknown address'}; ends {session.expires_at:%d %b, %H:%M} UTC."
            )
        if not is_here and st.button("End", key=f"end-{session.id}", width="content"):
            end_session(engines.rw, person, session.id)
            st.rerun()
if len(sessions) > 1 and st.button("End all others", icon=":material/devices_off:"):
    end_other_sessions(engines.rw, person)
    st.rerun()

token_list(viewer)

st.header("Password")
if has_password(engines.rw, person):
    with st.form("password", clear_on_submit=True):
        current = st.text_input("Current password", type="password", autocomplete="current-password")
        new = st.text_input("New password", type="password", autocomplete="new-password", help="12 characters or more.")
        again = st.text_input("New password again", type="password", autocomplete="new-password")
        is_sent = st.form_submit_button("Change password", type="primary")
    if is_sent and new != again:
        st.error("The new password was typed in two ways. Type it again.")
    elif is_sent:
        try:
            change_password(engines.rw, person, current=current, new=new)
        except SightlineError as refusal:
            say_refused(refusal)
        else:
            st.success("The password is changed, and every other session has ended.")
else:
    st.text("You sign in through your organisation's provider; the password is changed there.")
