"""What is behind a day's difference: the calls of one part, the provider's lines, and corrections of the month."""

import streamlit as st

from app import serving
from app.commands.reconciling import lines_behind
from app.exports.bill_lists import NO_MODEL, meter_told
from app.exports.given import given
from app.exports.live import reading
from app.metrics.metric import Unit
from app.money.bills import Kind
from app.money.reconciliation import DayOfModel
from app.ui import words
from app.ui.bill_choice import BillChoice, provider_name
from app.ui.cards import LIVE
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import tag
from app.ui.onward import onward, place
from app.ui.reconciled import Comparison
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
_LINES: Columns = {
    "kind": "Of",
    "model": "Model",
    "unit": "Unit",
    "variant": "Kind",
    "service_tier": "Tier",
    "quantity": Column("Quantity", Unit.COUNT),
    "amount": Column("Amount", Unit.MONEY, currency="USD"),
    "description": "Description",
}
_LATE: Columns = {
    "created_at": "Made",
    "workspace": "Workspace",
    "product": "Product",
    "generation_type": "What was made",
    "amount": Column("Amount", Unit.MONEY, currency="USD"),
    "reason": "Why",
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
    if kind is Kind.LATE:
        _corrections(choice, one.model)
    listed = ("calls", choice.provider, one.model, one.day, kind)
    found = read(
        "calls_behind",
        choice.scope,
        after=place(choice.scope, *listed),
        provider=choice.provider,
        model=one.model,
        day=one.day,
        zone=zone,
        kind=kind,
        meter=sorted({meter_told(meter) for part in one.parts if part.kind is kind for meter in part.meters}),
    )
    table(
        [vars(call) | {"status": words.spelled(call.status)} for call in found.rows],
        name="calls",
        title="Calls behind it",
        why=f"{_TOLD.get(kind, 'The calls of the day that used what the difference is about.')} {LIVE}",
        columns={**_COLUMNS, **_REASON} if kind is Kind.UNPRICED else _COLUMNS,
        scope=choice.scope,
        empty=("No call of ours is behind it.", "The provider charged for something that the ledger does not have."),
        read=found,
    )
    here = {name: st.query_params.get(name) for name in ("reconciliation", "part", "kind")}
    onward("reconciliation", choice.scope, found.next, *listed, **here)
    days = (("period", "Custom"), ("days", str(one.day)), ("days", str(one.day)))
    raw = choice.scope.chosen((*days, ("provider", provider_name(choice.provider)), ("model", one.model)))
    link = anchor("All calls of this model on this day", address("ai_usage", raw, show="Raw generations"))
    st.html(tag("p", link, class_="sl sl-small"))


def lines_of(both: Comparison, one: DayOfModel) -> None:
    """The provider's side of the day: what its files say, line by line."""
    choice = both.choice
    if choice.bill is None:
        return
    with reading() as told:
        behind = lines_behind(
            serving.engines().ro,
            choice.scope.viewer,
            bill=choice.bill.id,
            day=one.day,
            model=one.model,
            known=both.found.models,
        )
    narrowed = given(provider=choice.provider, month=choice.month, day=one.day, model=one.model or NO_MODEL)
    table(
        [vars(line) | {"kind": words.spelled(line.kind), "unit": line.unit and words.spelled(line.unit)}
         for line in behind],
        name="bill-lines",
        title="Lines of the bill",
        why="As the provider's files tell them; lines of usage have no amount.",
        columns=_LINES,
        scope=choice.scope,
        empty=("The bill has no line of it.", "Our ledger has calls that the provider did not charge that day."),
        read=told.listed("bill_lines", narrowed, behind),
    )  # fmt: skip


def _corrections(choice: BillChoice, model: str) -> None:
    listed = read("late_corrections", choice.scope, provider=choice.provider, model=model, month=choice.month)
    if listed.rows:
        table(
            [vars(one) | {"product": words.spelled(one.product), "generation_type": words.spelled(one.generation_type)}
             for one in listed.rows],
            name="late-corrections",
            title="Corrections behind it",
            why="What came after the close is kept as corrections of the month; its calls are not in the ledger.",
            columns=_LATE,
            scope=choice.scope,
            empty=("Nothing came late.", ""),
            read=listed,
        )  # fmt: skip
