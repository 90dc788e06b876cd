"""Exceptions from limits: those that hold, and dialogs that make, change and end one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission
from app.commands import quotas
from app.commands.quotas import LONGEST_REASON, Allowance
from app.commands.stale import EditedMeanwhileError, Fields
from app.metrics.metric import Unit
from app.records.quotas import Override
from app.ui import words
from app.ui.cards import LIVE
from app.ui.choices import workspaces_of
from app.ui.done import Undo, attempt, said, save_together
from app.ui.live import read
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.quota_bars import of_what
from app.ui.quota_limits import WHOLE, within
from app.ui.rows import Columns
from app.ui.scope import Scope
from app.ui.tables import table
from db.errors import SightlineError
from db.tables.products import METERS, PERIODS, PRODUCTS

_COLUMNS: Columns = {
    "workspace": "Workspace",
    "what": "Of what",
    "customer": "Of",
    "allowed": "Allows",
    "ends_at": "Until",
    "reason": "Why",
    "granted_by": "By",
    "starts_at": "Since",
}
_USUAL_DAYS = 30
TAKEN_BACK = "Taken back."
_WHY = "The audit log keeps it."


def exceptions(scope: Scope) -> None:
    """Those that are not over, the ones that end first before the others."""
    said()
    found = read("quota_overrides", scope, **within(scope))
    may = scope.viewer.may(Permission.QUOTAS_MANAGE)
    if may:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if st.button("New exception", icon=":material/add:"):
                _make(scope)
            _act(scope, found.rows)
    table(
        [_listed(one) for one in found.rows],
        name="exceptions",
        title="Exceptions",
        why=f"Each takes the place of a limit until its end. {LIVE}",
        columns=_COLUMNS,
        scope=scope,
        empty=("There is no exception.", "One allows a workspace, or a customer in it, more or less than the plan."),
        read=found,
    )


def _act(scope: Scope, found: Sequence[Override]) -> None:
    if not found:
        return
    named = {_named(one): one for one in found}
    chosen = named.get(st.selectbox("Exception", list(named), key="exception", width=420))
    if chosen and st.button("Change", icon=":material/edit:"):
        _change(scope, chosen)
    if chosen and st.button("End", icon=":material/event_busy:"):
        _end(scope, chosen)


@st.dialog("New exception", width="medium", icon=":material/add:")
def _make(scope: Scope) -> None:
    """Of whom it is an exception is chosen first."""
    still_here(scope.viewer)
    own = workspaces_of(scope.viewer)
    label = st.selectbox("Workspace", list(own), key="exception-workspace")
    slug = own.get(label or "", "")
    people = [one.email for one in read("credit_holders", scope, workspace=slug).rows] if slug else []
    with st.form("new-exception", border=False):
        who = st.selectbox("Of whom", [WHOLE, *people])
        left, right = st.columns(2)
        product = left.selectbox("Product", PRODUCTS, format_func=words.spelled)
        meter = right.selectbox("Meter", METERS, format_func=words.spelled)
        period = left.selectbox("Counted by", PERIODS, PERIODS.index("month"))
        given = _fields(Allowance(0, datetime.now(UTC) + timedelta(days=_USUAL_DAYS)), is_new=True)
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
        if not st.form_submit_button("Make it", type="primary"):
            return
    attempt(
        lambda: quotas.override_quota(
            serving.engines().rw, scope.viewer, _read(given), workspace_slug=slug, product=product, meter=meter,
            period=period, reason=reason, user_email=None if who == WHOLE else who,
        ),
        f"The exception for {label} holds.",
        undo=Undo(lambda key: _taken_back(scope, key), "The exception has ended; the plan's limit rules again."),
    )  # fmt: skip


@st.dialog("Change exception", width="medium", icon=":material/edit:")
def _change(scope: Scope, one: Override) -> None:
    """Saved only if nobody changed it since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    before = Allowance(one.amount, one.ends_at)
    st.html(tag("p", f"{_named(one)}. Now: {before}.", class_="sl"))
    with st.form("change-exception", border=False):
        given = _fields(before)
        reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(wanted: Allowance, revision: int, was: Allowance, why: str) -> tuple[Allowance, int]:
        quotas.change_override(
            serving.engines().rw, scope.viewer, one.id, wanted, revision=revision, reason=why, made_on=before
        )
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Allowance, int]:
        return save(Allowance(**merged), stale.revision, Allowance(**stale.now), reason)

    def take_back(done: tuple[Allowance, int]) -> None:
        was, revision = done
        save(was, revision, was, TAKEN_BACK)

    attempt(
        lambda: save(_read(given, before.ends_at), one.revision, before, reason),
        "The exception was changed.",
        undo=Undo(take_back),
        together=save_both,
    )


@st.dialog("End exception", icon=":material/event_busy:")
def _end(scope: Scope, one: Override) -> None:
    """It says what rules then."""
    still_here(scope.viewer)
    st.html(tag("p", f"{_named(one)}. From this moment on the plan's limit rules again. What was used stays used, and"
        " calls that run go on.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help=_WHY)
    if not st.button("End it", type="primary"):
        return

    def made_again(_: object) -> UUID:
        return quotas.override_quota(
            serving.engines().rw, scope.viewer, Allowance(one.amount, one.ends_at), workspace_slug=one.slug,
            product=one.product, meter=one.meter, period=one.period, reason=TAKEN_BACK, user_email=one.customer,
        )  # fmt: skip

    attempt(
        lambda: quotas.end_override(
            serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
        ),
        "The exception has ended.",
        undo=Undo(made_again, "The exception holds again."),
    )  # fmt: skip


def _taken_back(scope: Scope, key: UUID) -> None:
    quotas.end_override(serving.engines().rw, scope.viewer, key, revision=1, reason=TAKEN_BACK)


def _fields(now: Allowance, *, is_new: bool = False) -> tuple[str, bool, date]:
    left, right = st.columns(2)
    told = "" if is_new or now.amount is None else f"{now.amount}"
    amount = left.text_input("Allows", told, placeholder="1000", help="A whole number; zero allows nothing.")
    ends = right.date_input("Ends when this day begins (UTC)", now.ends_at.astimezone(UTC).date())
    is_unlimited = st.checkbox("Without a limit", now.amount is None)
    return amount, is_unlimited, ends


def _read(given: tuple[str, bool, date], kept: datetime | None = None) -> Allowance:
    """What was typed; an end whose day was not changed stays the moment that it is."""
    amount, is_unlimited, ends = given
    ends_at = datetime.combine(ends, time(), UTC)
    if kept is not None and kept.astimezone(UTC).date() == ends:
        ends_at = kept
    if is_unlimited:
        return Allowance(None, ends_at)
    return Allowance(whole_number(amount), ends_at)


def whole_number(given: str) -> int:
    """As people type it, with commas or without."""
    told = given.strip().replace(",", "")
    if not told.isdecimal() or not told.isascii():
        raise SightlineError(f"“{given.strip()}” is no whole number.", fix="Give one such as 500 or 12,000.")
    return int(told[:18])


def _named(one: Override) -> str:
    whose = f"{one.workspace}, {one.customer}" if one.customer else one.workspace
    return f"{whose}: {of_what(one.meter, one.period, one.product)}"


def _listed(one: Override) -> dict[str, Any]:
    return vars(one) | {
        "what": of_what(one.meter, one.period, one.product),
        "customer": one.customer or "everybody together",
        "allowed": "no limit" if one.amount is None else words.figure(one.amount, Unit.COUNT),
        "granted_by": one.granted_by or "the command line",
    }
