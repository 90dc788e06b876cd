"""The calls behind one part of a day's difference."""

import streamlit as st

from app import serving
from app.metrics.metric import Unit
from app.money.bills import Kind
from app.money.reconciliation import DayOfModel
from app.records.reconciled import calls_behind
from app.ui import words
from app.ui.bill_choice import BillChoice, provider_name
from app.ui.cards import LIVE
from app.ui.links import address, anchor
from app.ui.markup import tag
from app.ui.rows import Column, Columns
from app.ui.tables import table
from app.ui.views import one_of

_COLUMNS: Columns = {
    "created_at": "Began",
    "completed_at": "Ended",
    "workspace": "Workspace",
    "service_tier": "Tier",
    "status": "Status",
    "tokens_in": Column("Tokens in", Unit.TOKENS),
    "cached": Column("Of them cached", Unit.TOKENS),
    "tokens_out": Column("Tokens out", Unit.TOKENS),
    "cost": Column("Cost", Unit.MONEY, currency="USD"),
}
_REASON: Columns = {"unpriced_because": "Unpriced because"}
_TOLD = {
    Kind.MISSING: "What one side lacks has no calls on the other: these are the ones that there are that day.",
    Kind.ZONE: "Calls whose day is another one by the clock of the bill.",
    Kind.LATE: "Calls that ended on another day than they began on.",
    Kind.UNPRICED: "Calls that the ledger has no price for.",
    Kind.CACHE: "Calls that read from a cache or wrote to one.",
}


def calls_of(choice: BillChoice, one: DayOfModel, zone: str) -> None:
    """One part at a time; those of a line without a model have none."""
    if one.model is None or not one.parts:
        return
    names = {words.spelled(part.kind): part.kind for part in one.parts}
    kind = names[one_of("part", list(names), label="Calls behind")]
    found = calls_behind(
        serving.engines().ro,
        choice.scope.viewer,
        provider=choice.provider,
        model=one.model,
        day=one.day,
        zone=zone,
        kind=kind,
    )
    table(
        [vars(call) | {"status": words.spelled(call.status)} for call in found],
        name="calls",
        title="Calls behind it",
        why=f"{_TOLD.get(kind, 'The calls of the day that the difference is about.')} {LIVE}",
        columns={**_COLUMNS, **_REASON} if kind is Kind.UNPRICED else _COLUMNS,
        scope=choice.scope,
        empty=("No call of ours is behind it.", "The provider charged for something that the ledger does not have."),
    )
    days = (("period", "Custom"), ("days", str(one.day)), ("days", str(one.day)))
    raw = choice.scope.chosen((*days, ("provider", provider_name(choice.provider)), ("model", one.model)))
    link = anchor("All calls of this model on this day", address("ai_usage", raw, show="Raw generations"))
    st.html(tag("p", link, class_="sl sl-small"))
