"""Emergency stops: those that hold stand at the top of the page; starting and ending one says first what it does."""

from collections.abc import Sequence

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.commands.stops import LONGEST_REASON, end_stop, start_stop
from app.records.stops import StopRecord, stops
from app.ui import words
from app.ui.done import attempt, said
from app.ui.live import read
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from db.tables.products import AI_PROVIDERS, PRODUCTS

_SCOPES = {"all": "Everything", "provider": "A provider", "product": "A product"}
_VALUES = {"provider": AI_PROVIDERS, "product": PRODUCTS}


def stops_that_hold(scope: Scope) -> None:
    """Whatever view is open, who looks at budgets sees what is stopped."""
    for one in stops(serving.engines().ro, scope.viewer):
        if one.ended_at is None:
            what = tag("b", f"AI is stopped: {_of(one)}")
            by = f"Since {words.moment(one.created_at)} UTC by {one.started_by or 'the command line'}."
            told = f"{by} {one.reason} {words.counted(one.refused, 'call')} refused so far."
            st.html(tag("div", what, told, class_="sl sl-refused", role="alert"))


def stop_list(scope: Scope) -> None:
    """Who stopped what, when, why and until when."""
    said()
    found = read("stops", scope)
    holding = [one for one in found.rows if one.ended_at is None]
    if scope.viewer.may(Permission.AI_STOP) and sees_whole_company(serving.engines().ro, scope.viewer):
        _buttons(scope, holding)
    table(
        [
            vars(one)
            | {
                "of": _of(one).capitalize() if one.scope == "all" else _of(one),
                "by": one.started_by or "the command line",
            }
            for one in found.rows
        ],
        name="stops",
        title="Emergency stops",
        why="Who asks before a call is refused while a stop holds: the stop is known at once, to everyone.",
        columns={
            "of": "What",
            "created_at": "Since",
            "by": "By",
            "reason": "Why",
            "ended_at": "Ended",
            "ended_by": "Ended by",
            "end_reason": "Why it ended",
            "refused": Column("Refused calls"),
        },
        scope=scope,
        empty=("AI was never stopped.", "A stop refuses every new call of a provider, of a product, or all of them."),
        read=found,
    )


def _buttons(scope: Scope, holding: Sequence[StopRecord]) -> None:
    with st.container(horizontal=True):
        if st.button("Stop AI …", icon=":material/emergency_home:"):
            _start(scope)
        for one in holding:
            if st.button(f"End the stop of {_of(one)} …", key=f"end-{one.id}", icon=":material/play_arrow:"):
                _end(scope, one)


@st.dialog("Stop AI", width="medium", icon=":material/emergency_home:")
def _start(scope: Scope) -> None:
    """What will happen stands before the button that makes it happen."""
    still_here(scope.viewer)
    of = st.selectbox("What", list(_SCOPES), format_func=lambda one: _SCOPES[one], key="stop-scope")
    value = st.selectbox(_SCOPES[of], _VALUES[of], format_func=words.spelled, key=f"stop-{of}") if of != "all" else None
    what = f"every new AI call of {words.spelled(value)}" if value else "every new AI call of every product"
    st.html(tag("div", tag("b", "What will happen"), f"From this moment on {what} is refused, for every customer, until"
        " somebody ends the stop. Calls that run go on. Everyone who gets alerts is told, with your name and the"
        " reason.", class_="sl sl-refused"))  # fmt: skip
    reason = st.text_area("Why?", max_chars=LONGEST_REASON, height=80)
    is_sure = st.checkbox("I know that customers can't use AI meanwhile.")
    if st.button("Stop it now", type="primary", disabled=not is_sure):
        attempt(
            lambda: start_stop(serving.engines().rw, scope.viewer, scope=of, value=value, reason=reason),
            f"AI is stopped: {words.spelled(value) if value else 'everything'}.",
        )


@st.dialog("End the stop", icon=":material/play_arrow:")
def _end(scope: Scope, one: StopRecord) -> None:
    still_here(scope.viewer)
    st.html(tag("p", f"New AI calls ({_of(one)}) are let through again from now on, as far as budgets and quotas"
        " allow.", class_="sl"))  # fmt: skip
    reason = st.text_area("Why?", max_chars=LONGEST_REASON, height=80)
    if st.button("End it now", type="primary"):
        attempt(lambda: end_stop(serving.engines().rw, scope.viewer, one.id, reason=reason), "The stop has ended.")


def _of(one: StopRecord) -> str:
    return words.spelled(one.scope_value) if one.scope_value else "everything"
