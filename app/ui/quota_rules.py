"""What calls hold right now, and the limits of services by the day."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.company import sees_whole_company
from app.commands.quota_rules import give_up, set_service_limits
from app.commands.quotas import LONGEST_REASON
from app.commands.stale import EditedMeanwhileError, Fields
from app.metrics.metric import Unit
from app.records.quotas import Holding, ServiceLimit
from app.ui import words
from app.ui.cards import LIVE
from app.ui.done import Undo, attempt, said, save_together
from app.ui.live import read
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.quota_exceptions import TAKEN_BACK, whole_number
from app.ui.quota_limits import within
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from db.tables.products import METERS

_HELD: Columns = {
    "created_at": "Since",
    "workspace": "Workspace",
    "product": "Product",
    "meter": "Meter",
    "customer": "Counted for",
    "amount": Column("Holds", Unit.COUNT),
    "expires_at": "Expires",
    "key": "Call",
}
_SERVICES: Columns = {"meter": "Meter", "amount": Column("A customer a day", Unit.COUNT), "changed_at": "Changed"}
_FEWEST = 2


def holds(scope: Scope) -> None:
    """Those that expire first before the others."""
    said()
    found = read("quota_holds", scope, **within(scope))
    if found.rows and scope.viewer.may(Permission.QUOTAS_MANAGE):
        _choose(scope, found.rows)
    table(
        [
            vars(one)
            | {
                "product": words.spelled(one.product),
                "meter": words.spelled(one.meter),
                "customer": one.customer or "everybody together",
            }
            for one in found.rows
        ],
        name="held",
        title="Held now",
        why="What calls that run have reserved. It is settled when they end, and given back when it expires. " + LIVE,
        columns=_HELD,
        scope=scope,
        empty=("No call holds anything.", "While a product generates, what it may use stands here."),
        read=found,
    )


def _choose(scope: Scope, found: Sequence[Holding]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = {f"{one.workspace}: {words.spelled(one.meter)}, {one.key}": one for one in found}
        chosen = named.get(st.selectbox("Call", list(named), key="held-call", width=420))
        if chosen and st.button("Give up", icon=":material/link_off:", help="Free what a lost call still holds."):
            _give_up(scope, chosen)


@st.dialog("Give up what a call holds", icon=":material/link_off:")
def _give_up(scope: Scope, one: Holding) -> None:
    still_here(scope.viewer)
    st.html(tag("p", f"What the call {one.key} of {one.workspace} holds is free for others from this moment on, in"
        " every limit at once, with its credits. Should the call still end, what it used is counted as of a late one,"
        " also above the limit. This can't be taken back. Money that budgets hold for it is freed when its time is"
        " over.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
    if st.button("Give it up", type="primary"):
        attempt(
            lambda: give_up(serving.engines().rw, scope.viewer, one.workspace_id, one.id, reason=reason),
            "What the call held is free.",
        )


def service_limits(scope: Scope) -> None:
    """They hold for each customer alone, in every workspace."""
    said()
    found = read("service_limits", scope)
    may = scope.viewer.may(Permission.QUOTAS_MANAGE) and sees_whole_company(serving.engines().ro, scope.viewer)
    if may and st.button("Change service limits", icon=":material/edit:"):
        _change(scope, found.rows)
    table(
        [vars(one) | {"meter": words.spelled(one.meter)} for one in found.rows],
        name="services",
        title="Service limits",
        why="So much a customer may use on one day, whatever the plan allows; a dash means that there is no such limit."
        f" An exception for the customer, by the day, takes its place. {LIVE}",
        columns=_SERVICES,
        scope=scope,
        read=found,
    )


@st.dialog("Change service limits", width="medium", icon=":material/edit:")
def _change(scope: Scope, found: Sequence[ServiceLimit]) -> None:
    """Saved only if nobody changed them since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    before = {one.meter: one.amount for one in found if one.amount is not None}
    st.html(tag("p", "They hold from the next call on, for every customer of every workspace. Empty: not limited by the"
        " day.", class_="sl"))  # fmt: skip
    with st.form("service-limits", border=False):
        columns = st.columns(_FEWEST)
        given = {
            meter: columns[number % _FEWEST].text_input(words.spelled(meter), str(before.get(meter, "")))
            for number, meter in enumerate(METERS)
        }
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(wanted: Fields, revision: int, was: Fields, why: str) -> tuple[Fields, int]:
        set_service_limits(serving.engines().rw, scope.viewer, _given(wanted), revision=revision, reason=why,
            made_on=before)  # fmt: skip
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Fields, int]:
        return save(merged, stale.revision, stale.now, reason)

    def take_back(done: tuple[Fields, int]) -> None:
        was, revision = done
        save(was, revision, was, TAKEN_BACK)

    attempt(
        lambda: save(_read(given), found[0].revision, before, reason),
        "The limits of services were changed.",
        undo=Undo(take_back),
        together=save_both,
    )


def _read(given: Mapping[str, str]) -> dict[str, int]:
    return {meter: whole_number(told) for meter, told in given.items() if told.strip()}


def _given(wanted: Fields) -> dict[str, int]:
    return {meter: amount for meter, amount in wanted.items() if amount is not None}
