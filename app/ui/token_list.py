"""A person's tokens for programs: made with a name and an end, shown once, and revoked."""

import streamlit as st

from app import serving
from app.access import Viewer
from app.commands.tokens import LONGEST_NAME, Token, make_token, revoke_token, tokens
from app.ui.done import attempt, said
from app.ui.failure import say_refused
from app.ui.words import moment
from db.errors import SightlineError

_MADE = "token-made"
_DAYS = {"30 days": 30, "90 days": 90, "A year": 365}


def token_list(viewer: Viewer) -> None:
    """Those that open something, with a way to make one more."""
    st.header("Tokens for programs")
    said()
    st.text("A program calls the API with a token and may what you may at that moment. A new password ends no token.")
    for one in tokens(serving.engines().rw, viewer):
        _row(viewer, one)
    _just_made()
    if st.button("Make a token …", icon=":material/key:"):
        _make(viewer)


def _row(viewer: Viewer, one: Token) -> None:
    used = f"last used {moment(one.last_used_at)} UTC" if one.last_used_at else "never used"
    may = "only reads" if one.only_reads else "reads and changes"
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap="xsmall"):
            st.text(f"{one.name} · {one.begins_with}… · {may}")
            st.text(f"Made {moment(one.created_at)} UTC, {used}; ends {moment(one.expires_at)} UTC.")
        if st.button("Revoke", key=f"revoke-{one.id}", width="content", help="The next call with it is refused."):
            attempt(
                lambda: revoke_token(serving.engines().rw, viewer, one.id), f"The token {one.name} is revoked for good."
            )


def _just_made() -> None:
    """A token, this once: it is gone when the page is drawn again for anything else."""
    if token := st.session_state.pop(_MADE, None):
        st.text("This is the token. Copy it now: nobody can show it again.")
        st.code(token, language=None, wrap_lines=True)


@st.dialog("Make a token", icon=":material/key:")
def _make(viewer: Viewer) -> None:
    with st.form("token", border=False):
        name = st.text_input("What is it for?", max_chars=LONGEST_NAME, placeholder="Nightly export")
        days = st.selectbox("It ends after", list(_DAYS), index=1)
        only_reads = st.checkbox("It only reads: it asks questions and changes nothing.", value=True)
        is_sent = st.form_submit_button("Make it", type="primary")
    if is_sent:
        try:
            made = make_token(serving.engines().rw, viewer, name=name, days=_DAYS[days], only_reads=only_reads)
        except SightlineError as refusal:
            say_refused(refusal)
        else:
            st.session_state[_MADE] = made.token
            st.rerun()
