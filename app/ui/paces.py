"""How the budgets of ad campaigns are paced: a row a campaign, the newest first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import streamlit as st

from app import serving
from app.analysis.pacing import Plan, pacing
from app.metrics.metric import Unit
from app.records.campaigns import Campaign, Wanted, search_campaigns
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.charts import chart
from app.ui.freshness import freshness
from app.ui.live import not_pinned
from app.ui.markup import Markup
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

SHOW = "Pacing"
_TITLE = "Budgets"
_ENDED = "Ended"
_STATUSES = {"Running": ("launched", "active", "paused"), _ENDED: ("completed",)}
# Chosen on the page, and nothing of how a whole campaign is paced; it is of ads, whatever channel is chosen.
_WHOLE = ("channel", "platform", "placement", "age", "gender", "campaign_status")
_ROWS = 25
_HEIGHT = 320
_WHY = (
    "Each in its own currency, over its whole life up to the last day that is over, whatever period is chosen above."
    " On track is within a tenth of even spending."
)
# What says nothing of a campaign that is over.
_RUNNING = {"pace", "time_share", "projected", "left_per_day", "runs_out_on"}
_COLUMNS: Columns = {
    "campaign": Column("Campaign", opens="campaign", key="key"),
    "pace": "Pace",
    "time_share": Column("Time gone", Unit.PERCENT),
    "spent_share": Column("Budget spent", Unit.PERCENT),
    "currency": "Currency",
    "budget": Column("Budget", Unit.MONEY),
    "spent": Column("Spent", Unit.MONEY),
    "projected": Column("Heading for", Unit.MONEY),
    "left_per_day": Column("Left a day", Unit.MONEY),
    "ends_on": "Ends",
    "runs_out_on": "Runs out",
}


def paces(scope: Scope) -> None:
    """Which campaigns is in the address."""
    shown = one_of("campaigns", list(_STATUSES), label="Campaigns")
    page = search_campaigns(
        serving.engines().ro, scope.viewer, _wanted(scope, shown), after=place(scope, "pacing", shown), limit=_ROWS
    )
    last_day = freshness(scope.as_of).last_day - timedelta(days=1)
    planned = {str(one.id): one for one in page.rows if one.start_date}
    with st.skeleton(height=_HEIGHT):
        spent = _spent(planned, scope, last_day) if planned else None
    if isinstance(spent, Refused):
        chart(spent, lambda _: Markup(), title=_TITLE)
        return
    by_day = _by_day(spent.rows() if spent else ())
    table(
        [_row(one, by_day[key, one.currency], last_day) for key, one in planned.items()],
        name="pacing",
        title=_TITLE,
        why=f"{_WHY} {not_pinned(scope, 'the budgets, days and states of campaigns')}".strip(),
        columns={name: column for name, column in _COLUMNS.items() if shown != _ENDED or name not in _RUNNING},
        scope=scope,
        empty=("No such campaign has a first day.", "Campaigns get one when they are scheduled."),
        made_of=[spent] if spent else (),
    )
    if spent:
        behind(spent, "Spend by campaign and day")
    onward(scope.page, scope, page.next, "pacing", shown, show=SHOW, campaigns=shown)


def _wanted(scope: Scope, shown: str) -> Wanted:
    def chosen(name: str) -> tuple[str, ...]:
        return tuple(str(value) for value in scope.where.get(name, ()))

    return Wanted(channels=("ads",), products=chosen("product"), slugs=chosen("workspace"), statuses=_STATUSES[shown])


def _spent(planned: Mapping[str, Campaign], scope: Scope, last_day: date) -> Asked | Refused:
    since = min(one.start_date for one in planned.values() if one.start_date)
    whole = scope.without(*_WHOLE).over(min(since, last_day), last_day + timedelta(days=1)).uncompared
    # Split by currency, amounts stay as they were spent: budgets are in the campaign's own.
    return ask("spend", whole.narrowed(campaign=tuple(planned)), by=("campaign", "currency"), grain="day")


def _by_day(found: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, str], dict[date, Decimal]]:
    days: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
    for row in found:
        if row["spend"] is not None:
            days[row["campaign"], row["currency"]][row["day"]] = row["spend"]
    return days


def _row(one: Campaign, spent: dict[date, Decimal], last_day: date) -> dict[str, Any]:
    plan = Plan(one.start_date or last_day, one.end_date, one.total_budget, one.daily_budget)
    found = pacing(plan, spent, last_day)
    named = {"campaign": one.name, "key": one.id, "currency": one.currency, "ends_on": one.end_date}
    return {**vars(found), **named, "pace": str(found.pace).capitalize()}
