"""Having something checked now: a job is added, and whoever asked may leave."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission, Viewer
from app.commands.jobs import LONGEST_REASON, add_job, cancel_job
from app.jobs.health import COMPARE, USUAL_DAYS
from app.jobs.kinds import known_kinds
from app.records.data_health import under_way
from app.rollups import rollups
from app.ui import words
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from db.errors import SightlineError

_ALL = "All rollups"


def offer(scope: Scope, kind: str, label: str) -> None:
    """A button; while such a job waits or runs, that is said in its place."""
    if not scope.viewer.may(Permission.JOBS_MANAGE):
        return
    if kind in under_way(serving.engines().ro, scope.viewer):
        st.html(tag("p", f"A job {kind} is under way: load the page again in a while.", class_="sl sl-small sl-muted"))
    elif st.button(f"{label} …", key=f"offer-{kind}", icon=":material/play_arrow:"):
        _ask(scope, kind, {})


def compare_some(scope: Scope) -> None:
    """One rollup or all, over days that somebody chooses."""
    if not scope.viewer.may(Permission.JOBS_MANAGE):
        return
    today = datetime.now(scope.zone_here).date()
    with st.container(border=True, key="card-compare"):
        why = (
            "Postgres reads all that the rollup is made of: minutes on a large database. A job does it; you may leave."
        )
        st.html(tag("section", tag("h2", "Compare now"), tag("p", why, class_="why"), class_="sl sl-card"))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.selectbox("Rollup", [_ALL, *rollups()], key="rollup-to-compare", width=260)
            days = st.date_input(
                "Days", (today - timedelta(days=USUAL_DAYS), today - timedelta(days=1)), max_value=today,
                key="days-to-compare", width=260,
            )  # fmt: skip
            asking = st.button("Compare …", icon=":material/compare_arrows:")
    if asking:
        payload: dict[str, Any] = {} if name == _ALL else {"rollup": name}
        _ask(scope, COMPARE, payload | _period(days))


def _period(days: object) -> dict[str, str]:
    """Both ends belong to what was chosen; to the job, the second does not."""
    if not isinstance(days, tuple) or len(days) != 2:  # noqa: PLR2004 - a first and a last day
        return {}
    first, last = days
    if not isinstance(first, date) or not isinstance(last, date):
        return {}
    return {"since": str(first), "until": str(last + timedelta(days=1))}


@st.dialog("Have it checked", icon=":material/play_arrow:")
def _ask(scope: Scope, kind: str, payload: dict[str, Any]) -> None:
    still_here(scope.viewer)
    meaning = known_kinds().named(kind).meaning
    of = "; ".join(f"{words.spelled(name).lower()} {value}" for name, value in payload.items())
    st.html(tag("p", f"A job {kind} is added{f' ({of})' if of else ''}: {meaning} One waits or runs at a time.",
        class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
    if st.button("Add the job", type="primary"):
        attempt(lambda: _added(scope.viewer, kind, payload, reason), f"A job {kind} waits for a worker.", undo=Undo(
            lambda key: cancel_job(serving.engines().rw, scope.viewer, key, reason="Taken back."),
            "It is cancelled."))  # fmt: skip


def _added(viewer: Viewer, kind: str, payload: dict[str, Any], reason: str) -> UUID:
    key = add_job(serving.engines().rw, viewer, known_kinds(), kind, reason=reason, payload=payload)
    if key is None:
        raise SightlineError(f"A job {kind} waits or runs already.", fix="Load the page again in a while.")
    return key
