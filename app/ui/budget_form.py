"""Dialogs that make, change, pause and delete budgets. Commands look at everything again."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from zoneinfo import available_timezones

import streamlit as st

from app import serving
from app.commands import budgets
from app.commands.budgets import LONGEST_NAME, NAMED_VALUES, Terms
from app.commands.stale import EditedMeanwhileError, Fields
from app.records.budgets import BudgetNow
from app.settings import settings
from app.ui import words
from app.ui.choices import workspaces_of
from app.ui.done import Undo, attempt, save_together
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from db.errors import SightlineError
from db.tables.budgets import BUDGET_SCOPES
from db.tables.products import PERIODS

_SCOPES = {
    "company": "Everything",
    "product": "A product",
    "provider": "A provider",
    "generation_type": "A type",
    "workspace": "A workspace",
    "user": "A customer",
}
_PERIODS = {"day": "Every day", "month": "Every month", "year": "Every year", "lifetime": "In all, without an end"}
_AT_LIMIT = {"notify": "Tell people, refuse nothing", "block": "Refuse calls until the next period"}
_USUAL_THRESHOLDS = (25, 50, 75, 80, 90, 100, 110, 120)
_NAMES = {
    "name": "Name",
    "amount": "Amount",
    "period": "Period",
    "timezone": "Zone",
    "thresholds": "Alerts at",
    "at_limit": "At 100 %",
    "warns_of_forecast": "Warn of forecast",
}


@st.dialog("New budget", width="medium", icon=":material/add:")
def make(scope: Scope, *, sees_all: bool) -> None:
    """Of what it is a budget is chosen first: it decides what else is asked."""
    still_here(scope.viewer)
    offered = [one for one in BUDGET_SCOPES if sees_all or one in {"workspace", "user"}]
    of = st.selectbox("Of what", offered, format_func=lambda one: _SCOPES[one], key="budget-scope")
    value = slug = email = None
    if of in NAMED_VALUES:
        value = st.selectbox(_SCOPES[of], NAMED_VALUES[of], format_func=words.spelled, key=f"budget-{of}")
    if of in {"workspace", "user"}:
        own = workspaces_of(scope.viewer)
        slug = own.get(st.selectbox("Workspace", list(own), key="budget-workspace") or "")
    if of == "user":
        email = st.text_input("Customer's e-mail address", max_chars=200)
    with st.form("new-budget", border=False):
        wanted = _fields(Terms("", Decimal(0), timezone=settings().zone))
        if not st.form_submit_button("Make it", type="primary"):
            return
    attempt(
        lambda: budgets.create_budget(
            serving.engines().rw, scope.viewer, _read(wanted), scope=of, scope_value=value, workspace_slug=slug,
            user_email=email,
        ),
        "The budget is there.",
    )  # fmt: skip


@st.dialog("Change budget", width="medium", icon=":material/edit:")
def change(scope: Scope, one: BudgetNow) -> None:
    """Saved only if nobody changed it since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    before = _terms(one)
    with st.form("change-budget", border=False):
        wanted = _fields(before)
        reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(terms: Terms, revision: int, was: Terms, why: str) -> tuple[Terms, int]:
        budgets.change_budget(
            serving.engines().rw, scope.viewer, one.id, terms, revision=revision, reason=why, made_on=before
        )
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Terms, int]:
        return save(Terms(**merged), stale.revision, Terms(**stale.now), reason)

    def take_back(done: tuple[Terms, int]) -> None:
        was, revision = done
        save(was, revision, was, "Taken back.")

    attempt(
        lambda: save(_read(wanted), one.revision, before, reason),
        f"{one.name} was changed.",
        undo=Undo(take_back),
        together=save_both,
    )


@st.dialog("Pause budget", icon=":material/pause:")
def ask_pause(scope: Scope, one: BudgetNow) -> None:
    """It says what pausing does."""
    still_here(scope.viewer)
    refuses = " and refuses nothing" if one.at_limit == "block" else ""
    st.html(tag("p", f"Until somebody resumes it, {one.name} alerts nobody{refuses}. Its spend is counted on.",
        class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button("Pause it", type="primary"):
        attempt(
            lambda: budgets.pause_budget(
                serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
            ),
            f"{one.name} is paused.",
        )


def resume(scope: Scope, one: BudgetNow) -> None:
    """Nothing to confirm: from now on it does again what it says."""
    attempt(
        lambda: budgets.resume_budget(serving.engines().rw, scope.viewer, one.id, revision=one.revision),
        f"{one.name} holds again.",
    )


@st.dialog("Delete budget", icon=":material/delete:")
def ask_deletion(scope: Scope, one: BudgetNow) -> None:
    """It says what is kept."""
    still_here(scope.viewer)
    st.html(tag("p", f"{one.name} alerts and refuses nothing from now on. Its alerts stay, and can't be brought back"
        " to life: a new budget counts what was spent from the beginning of its period.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button("Delete it", type="primary"):
        attempt(
            lambda: budgets.delete_budget(
                serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
            ),
            f"{one.name} is gone.",
        )


def _fields(now: Terms) -> tuple[str, str, str, str, Sequence[int], str, bool]:
    left, right = st.columns(2)
    zones = sorted(available_timezones())
    name = left.text_input("Name", now.name, max_chars=LONGEST_NAME)
    amount = right.text_input("Amount in USD", f"{now.amount.normalize():f}" if now.amount else "", placeholder="500")
    period = left.selectbox("Period", PERIODS, PERIODS.index(now.period), format_func=lambda one: _PERIODS[one])
    zone = right.selectbox("Days begin in", zones, zones.index(now.timezone))
    thresholds = left.multiselect(
        "Alerts at per cent", sorted({*_USUAL_THRESHOLDS, *now.thresholds}), list(now.thresholds)
    )
    ways = list(_AT_LIMIT)
    at_limit = right.selectbox("At 100 %", ways, ways.index(now.at_limit), format_func=lambda one: _AT_LIMIT[one])
    warns = st.checkbox("Alert when the period is expected to end above it", now.warns_of_forecast)
    return name, amount, period, zone, thresholds, at_limit, warns


def _read(given: tuple[str, str, str, str, Sequence[int], str, bool]) -> Terms:
    name, amount, period, zone, thresholds, at_limit, warns = given
    try:
        dollars = Decimal(amount.strip().replace(",", ""))
    except InvalidOperation:
        raise SightlineError(f"“{amount.strip()}” is no amount.", fix="Give dollars, such as 500 or 99.50.") from None
    return Terms(name, dollars, period, zone, tuple(thresholds), at_limit, warns)


def _terms(one: BudgetNow) -> Terms:
    return Terms(
        one.name, one.amount, one.period, one.timezone, one.thresholds, one.at_limit, one.warns_of_forecast
    )  # fmt: skip
