"""Remarks on days: shown on every chart that covers them, written and taken back in a drawer."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import streamlit as st

from app import serving
from app.commands.annotations import LONGEST_TEXT, Remark, change_remark, delete_remark, remarks, write_remark
from app.ui import words
from app.ui.choices import workspaces_of
from app.ui.failure import say_refused
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Note, Scope
from db.errors import SightlineError
from db.tables.products import CHANNELS, PRODUCTS

_EVERYONE = "The whole team"
_ALL = "All products"
_EVERY = "All channels"


def notes_of(scope: Scope) -> tuple[Note, ...]:
    """What was noted on the page's days, as charts mark it."""
    found = remarks(serving.engines().ro, scope.viewer, scope.since, scope.until, scope.where)
    return tuple(Note(one.text, one.starts_on, one.ends_on, one.author) for one in found)


@st.dialog("Remarks on these days", position="right", icon=":material/edit_note:")
def open_remarks(scope: Scope) -> None:
    """Those of the period, and a form for another."""
    still_here(scope.viewer)
    _write(scope)
    for one in remarks(serving.engines().ro, scope.viewer, scope.since, scope.until, scope.where):
        _draw(scope, one)


def _write(scope: Scope) -> None:
    own = workspaces_of(scope.viewer)
    with st.form("remark", border=False):
        text = st.text_area("What happened?", max_chars=LONGEST_TEXT, height=90)
        first, last = st.columns(2)
        starts_on = first.date_input("First day", scope.until - timedelta(days=1), format="YYYY-MM-DD")
        ends_on = last.date_input("Last day", None, format="YYYY-MM-DD", help="Empty: the same day.")
        where = st.selectbox(
            "Who may read it", [_EVERYONE, *own], format_func=lambda one: one if one == _EVERYONE else f"Who sees {one}"
        )
        of_product, of_channel = st.columns(2)
        product = of_product.selectbox(
            "Product", [_ALL, *PRODUCTS], format_func=lambda one: one if one == _ALL else words.spelled(one)
        )
        channel = of_channel.selectbox(
            "Channel", [_EVERY, *CHANNELS], format_func=lambda one: one if one == _EVERY else words.spelled(one)
        )
        campaign = _campaign(scope)
        is_of_it = campaign is not None and st.checkbox(
            "Of this campaign alone",
            value=True,
            help="Whoever sees the campaign may read it, and it stands there alone.",
        )
        if not st.form_submit_button("Note it", type="primary"):
            return
    _try(
        lambda: write_remark(
            serving.engines().rw,
            scope.viewer,
            text=text,
            starts_on=starts_on or scope.since,
            ends_on=ends_on,
            workspace_slug=None if is_of_it else own.get(where),
            product=None if product == _ALL else product,
            channel=None if channel == _EVERY else channel,
            campaign_id=campaign if is_of_it else None,
        )
    )


def _campaign(scope: Scope) -> UUID | None:
    """The one that the page is about."""
    chosen = scope.where.get("campaign", ())
    return UUID(str(chosen[0])) if len(chosen) == 1 else None


def _draw(scope: Scope, one: Remark) -> None:
    days = words.day(one.starts_on) + (f" to {words.day(one.ends_on)}" if one.ends_on != one.starts_on else "")
    kinds = (words.spelled(kind) for kind in (one.product, one.channel) if kind)
    of = " · ".join(filter(None, (one.workspace, one.campaign, *kinds, one.author)))
    st.html(tag("div", tag("b", days), tag("div", one.text), tag("div", of, class_="sl-small sl-muted"), class_="sl"))
    if not one.is_own:
        return
    with st.expander("Change or delete"):
        text = st.text_area("What happened?", one.text, key=f"remark-{one.id}", max_chars=LONGEST_TEXT)
        first, last = st.columns(2)
        starts_on = first.date_input("First day", one.starts_on, key=f"first-{one.id}", format="YYYY-MM-DD")
        ends_on = last.date_input("Last day", one.ends_on, key=f"last-{one.id}", format="YYYY-MM-DD")
        with st.container(horizontal=True):
            if st.button("Save", key=f"save-{one.id}"):
                _try(lambda: _change(scope, one, text, starts_on or one.starts_on, ends_on))
            if st.button("Delete", key=f"delete-{one.id}"):
                _try(lambda: delete_remark(serving.engines().rw, scope.viewer, one.id, revision=one.revision))


def _change(scope: Scope, one: Remark, text: str, starts_on: date, ends_on: date | None) -> None:
    engine = serving.engines().rw
    change_remark(engine, scope.viewer, one.id, revision=one.revision, text=text, starts_on=starts_on, ends_on=ends_on)


def _try(change: Callable[[], object]) -> None:
    """Do it and draw the page again; a refusal is said where the person is."""
    try:
        change()
    except SightlineError as refusal:
        say_refused(refusal)
        return
    st.rerun()
