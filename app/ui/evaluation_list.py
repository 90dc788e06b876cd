"""How budgets were found when they were looked at, and when that was last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from app import serving
from app.jobs.budgets import EVERY_SECONDS
from app.metrics.metric import Unit
from app.records.budgets import Evaluation, budgets
from app.ui import words
from app.ui.live import read
from app.ui.notices import warn
from app.ui.onward import onward, place
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table

_ALL = "All budgets"
_ROWS = 50
# Three rounds were missed.
_LATE = timedelta(seconds=3 * EVERY_SECONDS)


def evaluation_list(scope: Scope) -> None:
    """Newest first, of one budget or of all."""
    known = words.told_apart({one.id: one.name for one in budgets(serving.engines().ro, scope.viewer)})
    offered = {_ALL: None, **{name: key for key, name in known.items()}}
    chosen = st.selectbox("Budget", list(offered), key="budget", bind="query-params")
    key = offered.get(chosen or _ALL)
    found = read("budget_evaluations", scope, after=place(scope, "evaluations", key), limit=_ROWS, budget=key)
    money = {"spent": "Spent", "held": "Held", "amount": "Budget", "forecast": "Expected", "forecast_low": "At least",
        "forecast_high": "At most"}  # fmt: skip
    table(
        [_row(one) for one in found.rows],
        name="evaluations",
        title="Evaluations",
        why=f"Every budget is looked at every {EVERY_SECONDS // 60} minutes; what was found is kept for 400 days.",
        columns={
            "created_at": "Looked at",
            "budget": "Budget",
            **{name: Column(label, Unit.MONEY, currency="USD") for name, label in money.items()},
            "unpriced": Column("Without a price"),
            "raised": Column("Alerts"),
            "error": "Why not",
        },
        scope=scope,
        empty=("No budget was looked at yet.", "The worker does so every few minutes: `sightline worker`."),
        read=found,
    )
    onward(scope.page, scope, found.next, "evaluations", key, show="Evaluations", budget=chosen)


def say_when_late(scope: Scope) -> None:
    """A budget that nobody looks at alerts nobody: who opens the page is told."""
    active = [one for one in budgets(serving.engines().ro, scope.viewer) if one.is_active]
    looked = [one.looked_at for one in active if one.looked_at is not None]
    failing = [one.name for one in active if one.error]
    is_late = bool(active) and (not looked or max(looked) < datetime.now(UTC) - _LATE)
    if is_late:
        when = f"last on {words.moment(max(looked))} UTC" if looked else "not once in this period"
        warn("Nobody looks at budgets.", f"They were looked at {when}. Calls over a budget that blocks are refused"
            " all the same, but nobody is alerted. See whether `sightline worker` runs.")  # fmt: skip
    if failing:
        warn("Some budgets could not be checked.", f"{', '.join(failing)}. Evaluations say why.")


def _row(one: Evaluation) -> dict[str, Any]:
    return vars(one) | {"budget": one.budget or "All"}
