"""Alerts by what was done about them, and what can be done."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.alerts import acknowledge_alert, snooze_alert
from app.commands.company import sees_whole_company
from app.metrics.metric import Unit
from app.money.budgets import AlertKind
from app.records.alerts import Alert, AlertHistory, AlertState
from app.telling.channels import open_channels
from app.ui import words
from app.ui.done import attempt, said
from app.ui.live import read
from app.ui.markup import tag
from app.ui.onward import onward, place
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

KINDS = {
    AlertKind.THRESHOLD: "Threshold",
    AlertKind.FORECAST: "Forecast",
    AlertKind.BLOCKED: "Calls refused",
    AlertKind.EMERGENCY_STOP: "Emergency stop",
    AlertKind.UNPRICED: "Without a price",
    AlertKind.ANOMALY: "Unusual cost",
    AlertKind.EVALUATION_FAILED: "Not checked",
}
_STATES = {"Open": AlertState.OPEN, "Put off": AlertState.SNOOZED, "Done": AlertState.DONE}
_SNOOZES = {"an hour": 1, "until tomorrow, 24 hours": 24, "a week": 24 * 7}
_ROWS = 25
_EMPTY = {
    AlertState.OPEN: ("No alert is open.", "One opens when a budget reaches a threshold, or a call has no price."),
    AlertState.SNOOZED: ("No alert is put off.", "Open ones can be put off for up to a month."),
    AlertState.DONE: ("No alert is done.", "Those that somebody acknowledged, and those that ended, are kept here."),
}


def alert_list(scope: Scope) -> None:
    """Which ones is in the address."""
    said()
    shown = one_of("alerts", list(_STATES), label="Alerts")
    state = _STATES[shown]
    found = read("alert_history", scope, after=place(scope, "alerts", shown), limit=_ROWS, state=state)
    rows: Sequence[AlertHistory] = found.rows
    table(
        [_row(one) for one in rows],
        name="alerts",
        title=f"{shown} alerts",
        why=_told_where(),
        columns=_columns(state),
        scope=scope,
        empty=_EMPTY[state],
        read=found,
    )
    onward(scope.page, scope, found.next, "alerts", shown, show="Alerts", alerts=shown)
    actionable = [one for one in rows if one.kind != AlertKind.EMERGENCY_STOP]
    if actionable and state is not AlertState.DONE and scope.viewer.may(Permission.BUDGETS_MANAGE):
        _decide(scope, actionable, state)


def brief(one: Alert) -> dict[str, Any]:
    """An alert in a few words, as other pages list it."""
    return {
        "when": one.created_at,
        "what": KINDS[AlertKind(one.kind)],
        "of": one.budget or one.workspace or one.about or None,
        "threshold": one.threshold,
        "says": one.reason or (f"{one.threshold} % of the budget are spent." if one.threshold else None),
    }


def _decide(scope: Scope, rows: Sequence[AlertHistory], state: AlertState) -> None:
    """One at a time or several; what is the company's is for who sees all of it."""
    sees_all = sees_whole_company(serving.engines().ro, scope.viewer)
    named = {one.id: one for one in rows if one.workspace_id is not None or sees_all}
    with st.container(border=True, key="card-decide"):
        st.html(tag("section", tag("h2", "What to do"), class_="sl sl-card"))
        chosen = st.multiselect(
            "Alerts", list(named), format_func=lambda key: _label(named[key]), placeholder="Choose alerts",
            key=f"alerts-{state}",
        )  # fmt: skip
        # Others come and go meanwhile: what was chosen stays so while it is listed.
        chosen = [key for key in chosen if key in named]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            number = words.counted(len(chosen), "alert")
            acknowledging = st.button("Acknowledge", type="primary", disabled=not chosen)
            hours = _SNOOZES[st.selectbox("Put off for", list(_SNOOZES), index=1, width=240) or "a week"]
            snoozing = st.button("Put off", disabled=not chosen)
    if acknowledging:
        _each(chosen, lambda key: acknowledge_alert(serving.engines().rw, scope.viewer, key), f"{number} acknowledged.")
    elif snoozing:
        until = datetime.now(UTC) + timedelta(hours=hours)
        told = words.moment(until.astimezone(ZoneInfo(scope.zone)))
        _each(
            chosen,
            lambda key: snooze_alert(serving.engines().rw, scope.viewer, key, until=until),
            f"{number} put off until {told}.",
        )


def _each(chosen: Sequence[UUID], act: Callable[[UUID], None], says: str) -> None:
    def all_of_them() -> None:
        for key in chosen:
            act(key)

    attempt(all_of_them, says)


def _row(one: AlertHistory) -> dict[str, Any]:
    return {
        **brief(one),
        "spent": one.spent,
        "until": one.snoozed_until,
        "done": one.acknowledged_at or one.ended_at,
        "by": one.acknowledged_by or ("it ended" if one.ended_at else None),
        "told": one.told,
    }


def _columns(state: AlertState) -> dict[str, str | Column]:
    shown: dict[str, str | Column] = {"when": "Since", "what": "Alert", "of": "Of", "says": "What it says"}
    if state is AlertState.SNOOZED:
        shown["until"] = "Put off until"
    if state is AlertState.DONE:
        shown |= {"done": "Done", "by": "By"}
    return {**shown, "spent": Column("Spent", Unit.MONEY, currency="USD"), "told": "Told"}


def _label(one: AlertHistory) -> str:
    of = one.budget or one.workspace or one.about
    threshold = f" {one.threshold} %" if one.kind == AlertKind.THRESHOLD and one.threshold else ""
    return f"{KINDS[AlertKind(one.kind)]}{threshold}: {of} · {one.created_at:%d %b %H:%M}"


def _told_where() -> str:
    """Where alerts go besides here; nobody should believe in a mail that nobody set up."""
    channels = open_channels()
    if not channels:
        return "Shown here alone: neither a mail server nor a webhook is set up (SIGHTLINE_SMTP_URL, …_ALERT_WEBHOOK)."
    names = {"email": "by e-mail", "webhook": "to the webhook"}
    return f"Shown here, and sent {' and '.join(names[one] for one in channels)}."
