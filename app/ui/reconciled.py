"""A month from our ledger to what the provider charged to its invoice: every difference named, every day opened."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import streamlit as st

from app import serving
from app.commands.reconciling import reconciliation
from app.exports.bill_lists import (
    NO_MODEL,
    DayBeside,
    StepToBill,
    axis_of,
    days_of,
    edges_of,
    parts_of,
    steps_of,
    steps_of_day,
)
from app.exports.live import Listed, Reading, reading
from app.metrics.metric import Unit
from app.money.bills import MEANINGS, Kind
from app.money.reconciliation import DayOfModel, Reconciliation
from app.ui import words
from app.ui.bill_choice import BillChoice
from app.ui.cards import card
from app.ui.links import address, anchor
from app.ui.live import behind_list
from app.ui.markup import Markup, tag
from app.ui.notices import say_broken
from app.ui.rows import Column, Columns
from app.ui.tables import table

_DOLLARS = "USD"
_ALL = "Every difference"
_NAMES = {words.spelled(kind): kind for kind in Kind}
_COLUMNS: Columns = {
    "place": Column("Day and model", opens="reconciliation", key="opened"),
    "calls": Column("Calls", Unit.COUNT),
    "ledger": Column("Our ledger", Unit.MONEY, currency=_DOLLARS),
    "provider": Column("Provider", Unit.MONEY, currency=_DOLLARS),
    "difference": Column("Difference", Unit.MONEY, currency=_DOLLARS),
    "because": "Because of",
}
_PARTS: Columns = {
    "name": "Name",
    "amount": Column("Amount", Unit.MONEY, currency=_DOLLARS),
    "why": "What was found",
}


@dataclass(frozen=True)
class Comparison:
    """Both sides of a month, and what was asked for them: every list that is made of them tells it."""

    choice: BillChoice
    found: Reconciliation
    reading: Reading

    def listed(self, name: str, rows: Iterable[Any], **narrowed: object) -> Listed[Any]:
        """These rows as the list of this name, which a download reads again."""
        return self.choice.listed(name, rows, self.reading, provider=self.choice.provider, **narrowed)


def compared(choice: BillChoice) -> Comparison | None:
    """The comparison, once a run; None: there is no bill."""
    if choice.bill is None:
        return None
    with reading() as told:
        found = reconciliation(serving.engines().rw, choice.scope.viewer, choice.bill)
    return Comparison(choice, found, told)


def headlines(both: Comparison) -> None:
    """Both sides, what lies between them, and how much of that has no name."""
    found = both.found
    difference = (found.charged if found.invoiced is None else found.invoiced) - found.ledger
    told = (
        ("Our ledger", found.ledger, "What our calls cost by the price book."),
        ("Provider", found.charged, "What the lines of the bill add up to."),
        ("Invoice", found.invoiced, "Before tax, as the provider's invoice says."),
        ("Difference", difference, "From our ledger to the invoice, or to the lines where no invoice is stated."),
        ("Unexplained", found.unexplained, MEANINGS[Kind.UNEXPLAINED]),
    )
    drawn = [_tile(name, amount, why) for name, amount, why in told]
    listed = both.listed("reconciled_steps", steps_of(found))
    with st.container(key="tiles-both-sides"):
        st.html(tag("div", tag("div", *drawn, class_="sl-tiles", style="--n:5"), class_="sl"))
        behind_list(listed, "Both sides and what lies between", "both-sides", both.choice.scope)


def bridge(both: Comparison) -> None:
    """Bars hang where the one before ended; each name leads to its days."""
    listed = both.listed("reconciled_steps", steps_of(both.found))
    told = f"The provider's days are days in {both.found.zone}."
    why = f"{told} Bars begin near the lowest level. A name leads to its days."
    drawn = _bars(listed.rows, lambda step: _name(step, both.choice))
    card("From our ledger to the invoice", drawn, why=why, read=listed, scope=both.choice.scope)


def bridge_of_day(both: Comparison, one: DayOfModel) -> None:
    """The same for one day of a model; the invoice is of the month, so that it is none of a day's steps."""
    model = one.model or NO_MODEL
    listed = both.listed("reconciled_steps", steps_of_day(one), day=one.day, model=model)
    why = "From our ledger to what the provider charged. The invoice is of the month as a whole."
    drawn = _bars(listed.rows, lambda step: step.name)
    card(f"{words.day(one.day)}, {model}", drawn, why=why, read=listed, scope=both.choice.scope)


def days(both: Comparison) -> None:
    """Day by day and model by model; a day opens its calls."""
    options = [_ALL, *_NAMES]
    broken = [f"kind={value}" for value in st.query_params.get_all("kind") if value not in options]
    if broken:
        say_broken(broken)
    chosen = st.selectbox("Of which name", options, key="kind", bind="query-params", width=240)
    kind = _NAMES.get(chosen)
    listed = both.listed("reconciled_days", days_of(both.found, kind), kind=kind)
    table(
        [_row(one) for one in listed.rows],
        name="days",
        title="By day and model",
        why="The largest first. Every part of a difference stands beside it; the day opens its calls.",
        columns=_COLUMNS,
        scope=both.choice.scope,
        empty=("No day differs for this reason.", "Choose another name, or all of them."),
        read=listed,
    )


def opened(found: Reconciliation) -> DayOfModel | None:
    """The day and model that the address names."""
    named = st.query_params.get("reconciliation")
    if named is None:
        return None
    one = next((one for one in found.days if _key(one) == named), None)
    if one is None:
        say_broken([f"reconciliation={named}"])
    return one


def parts(both: Comparison, one: DayOfModel) -> None:
    """Why a day of a model differs, in sentences."""
    listed = both.listed("reconciled_parts", parts_of([one]), day=one.day, model=one.model or NO_MODEL)
    table(
        [vars(part) for part in listed.rows],
        name="parts",
        title="Why the day differs",
        why=f"Our ledger has {words.money(one.ledger, _DOLLARS)}, the provider {words.money(one.provider, _DOLLARS)}.",
        columns=_PARTS,
        scope=both.choice.scope,
        empty=("Both sides say the same of this day.", "Nothing is left to explain."),
        read=listed,
    )


def _tile(name: str, amount: Decimal | None, why: str) -> Markup:
    value = words.money(amount, "").strip() if amount is not None else words.NOTHING
    unit = tag("small", f" {_DOLLARS}") if amount is not None else ""
    return tag(
        "div",
        tag("div", name, class_="label"),
        tag("div", value, unit, class_="value"),
        class_="sl-tile",
        title=why,
        data_metric=name.lower().replace(" ", "_"),
        data_value=None if amount is None else str(amount),
    )


def _name(step: StepToBill, choice: BillChoice) -> object:
    """What has days behind it leads to them; the invoice has none."""
    if step.kind is None or not step.amount or step.name != words.spelled(step.kind):
        return step.name
    return anchor(step.name, address("reconciliation", choice.scope, kind=step.name))


def _bars(told: Sequence[StepToBill], name: Callable[[StepToBill], object]) -> Markup:
    spans = edges_of(told)
    low, high = axis_of(spans)
    room = high - low
    cells: list[Markup] = []
    for step, (since, until) in zip(told, spans, strict=True):
        left = max(Decimal(0), (min(since, until) - low) / room * 100)
        right = max(Decimal(0), (max(since, until) - low) / room * 100)
        sign = "+" if step.amount > 0 and step.kind else ""
        figure = f"{sign}{words.money(step.amount, '').strip()}" if step.amount else words.NOTHING
        width = f"left:{left:.2f}%;width:{max(Decimal('0.3'), right - left):.2f}%"
        cells += [
            tag("span", name(step), class_="name", title=step.meaning),
            tag("span", tag("i", style=width) if step.amount else "", class_=f"bar {_look(step.kind)}"),
            tag("span", figure, class_="figure"),
        ]
    return tag("div", *cells, class_="sl-rows")


def _look(kind: Kind | None) -> str:
    if kind is None:
        return "sl-c0"
    return "sl-bad" if kind is Kind.UNEXPLAINED else "sl-c1"


def _row(one: DayBeside) -> dict[str, Any]:
    return vars(one) | {"place": f"{words.day(one.day)} · {one.model or NO_MODEL}", "opened": _key(one)}


def _key(one: DayOfModel | DayBeside) -> str:
    return f"{one.day}~{one.model or ''}"
