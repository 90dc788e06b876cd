"""A month from our ledger to what the provider charged to its invoice: every difference named, every day opened."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import streamlit as st

from app import serving
from app.commands.reconciling import reconciliation
from app.metrics.metric import Unit
from app.money.bills import MEANINGS, Kind
from app.money.reconciliation import DayOfModel, Reconciliation
from app.ui import words
from app.ui.asking import Asked, ask
from app.ui.bill_choice import BillChoice
from app.ui.cards import card
from app.ui.links import address, anchor
from app.ui.markup import Markup, tag
from app.ui.notices import say_broken
from app.ui.rows import Column, Columns
from app.ui.tables import table

_DOLLARS = "USD"
_ALL = "Every difference"
_NAMES = {words.spelled(kind): kind for kind in Kind}
_OPENED = "opened"
_COLUMNS: Columns = {
    "place": Column("Day and model", opens="reconciliation", key="opened"),
    "calls": Column("Calls", Unit.COUNT),
    "ledger": Column("Our ledger", Unit.MONEY, currency=_DOLLARS),
    "provider": Column("Provider", Unit.MONEY, currency=_DOLLARS),
    "difference": Column("Difference", Unit.MONEY, currency=_DOLLARS),
    "names": "Because of",
}


def compared(choice: BillChoice) -> Reconciliation | None:
    """The comparison, once a run; None: there is no bill."""
    if choice.bill is None:
        return None
    return reconciliation(serving.engines().rw, choice.scope.viewer, choice.bill)


def headlines(found: Reconciliation) -> None:
    """Both sides, what lies between them, and how much of that has no name."""
    difference = (found.charged if found.invoiced is None else found.invoiced) - found.ledger
    told = (
        ("Our ledger", found.ledger, "What our calls cost by the price book."),
        ("Provider", found.charged, "What the lines of the bill add up to."),
        ("Invoice", found.invoiced, "Before tax, as the provider's invoice says."),
        ("Difference", difference, "From our ledger to the invoice, or to the lines where no invoice is stated."),
        ("Unexplained", found.unexplained, MEANINGS[Kind.UNEXPLAINED]),
    )
    drawn = [_tile(name, amount, why) for name, amount, why in told]
    st.html(tag("div", tag("div", *drawn, class_="sl-tiles", style="--n:5"), class_="sl"))


def bridge(choice: BillChoice, found: Reconciliation) -> None:
    """Bars hang where the one before ended; each name leads to its days."""
    steps: list[tuple[object, str, Decimal, Decimal, str]] = []
    level = found.ledger
    steps.append(("Our ledger", "What our calls cost by the price book.", Decimal(0), level, "sl-c0"))
    for kind, amount in found.by_kind.items():
        link = anchor(words.spelled(kind), address("reconciliation", choice.scope, kind=words.spelled(kind)))
        steps.append((link if amount else words.spelled(kind), MEANINGS[kind], level, level + amount, _look(kind)))
        level += amount
    steps.append(("Provider", "What the lines of the bill add up to.", Decimal(0), level, "sl-c0"))
    if found.invoiced is not None:
        for kind, amount in found.on_the_invoice.items():
            name = f"{words.spelled(kind)} of the invoice"
            steps.append((name, MEANINGS[kind], level, level + amount, _look(kind)))
        steps.append(("Invoice", "Before tax.", Decimal(0), found.invoiced, "sl-c0"))
    told = f"The provider's days are days in {found.zone}. Bars begin near the lowest level. A name leads to its days."
    card("From our ledger to the invoice", _bars(steps), why=told)


def bridge_of_day(one: DayOfModel) -> None:
    """The same for one day of a model; the invoice is of the month, so that it is none of a day's steps."""
    level = one.ledger
    steps: list[tuple[object, str, Decimal, Decimal, str]] = [
        ("Our ledger", "What the calls of the day cost by the price book.", Decimal(0), level, "sl-c0")
    ]
    for kind in dict.fromkeys(part.kind for part in one.parts):
        amount = one.amount(kind)
        steps.append((words.spelled(kind), MEANINGS[kind], level, level + amount, _look(kind)))
        level += amount
    steps.append(("Provider", "What the lines of the day add up to.", Decimal(0), one.provider, "sl-c0"))
    why = "From our ledger to what the provider charged. The invoice is of the month as a whole."
    card(f"{words.day(one.day)}, {one.model or 'no model'}", _bars(steps), why=why)


def days(choice: BillChoice, found: Reconciliation) -> None:
    """Day by day and model by model; a day opens its calls."""
    options = [_ALL, *_NAMES]
    broken = [f"kind={given}" for given in st.query_params.get_all("kind") if given not in options]
    if broken:
        say_broken(broken)
    chosen = st.selectbox("Of which name", options, key="kind", bind="query-params", width=240)
    kind = _NAMES.get(chosen)
    of_name = (one for one in found.days if _is_of(one, kind))
    listed = sorted(of_name, key=lambda one: -abs(one.difference if kind is None else one.amount(kind)))
    table(
        [_row(one, kind) for one in listed],
        name="days",
        title="By day and model",
        why="The largest first. Every part of a difference stands beside it; the day opens its calls.",
        columns=_COLUMNS,
        scope=choice.scope,
        empty=("No day differs for this reason.", "Choose another name, or all of them."),
        made_of=_made_of(choice),
    )


def opened(found: Reconciliation) -> DayOfModel | None:
    """The day and model that the address names."""
    given = st.query_params.get("reconciliation")
    if given is None:
        return None
    one = next((one for one in found.days if _key(one) == given), None)
    if one is None:
        say_broken([f"reconciliation={given}"])
    return one


def parts(one: DayOfModel) -> None:
    """Why a day of a model differs, in sentences."""
    rows = [
        {"name": words.spelled(part.kind), "amount": part.amount, "why": part.why or MEANINGS[part.kind]}
        for part in one.parts
    ]
    table(
        rows,
        name="parts",
        title="Why the day differs",
        why=f"Our ledger has {words.money(one.ledger, _DOLLARS)}, the provider {words.money(one.provider, _DOLLARS)}.",
        columns={"name": "Name", "amount": Column("Amount", Unit.MONEY, currency=_DOLLARS), "why": "What was found"},
        empty=("Both sides say the same of this day.", "Nothing is left to explain."),
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


def _bars(steps: Sequence[tuple[object, str, Decimal, Decimal, str]]) -> Markup:
    edges = [edge for _, _, since, until, _ in steps for edge in (since, until) if edge]
    low, high = min(edges, default=Decimal(0)), max(edges, default=Decimal(1))
    # Differences are small beside the whole: the axis begins shortly below the lowest bar.
    low -= (high - low) / 4 or Decimal(1)
    room = high - low
    cells: list[Markup] = []
    for name, meaning, since, until, look in steps:
        is_level = look == "sl-c0"
        left = max(Decimal(0), (min(since, until) - low) / room * 100)
        right = max(Decimal(0), (max(since, until) - low) / room * 100)
        amount = until if is_level else until - since
        told = words.money(amount, "").strip()
        sign = "+" if amount > 0 and not is_level else ""
        cells += [
            tag("span", name, class_="name", title=meaning),
            tag(
                "span",
                tag("i", style=f"left:{left:.2f}%;width:{max(Decimal('0.3'), right - left):.2f}%") if amount else "",
                class_=f"bar {look}",
            ),
            tag("span", f"{sign}{told}" if amount else words.NOTHING, class_="figure"),
        ]
    return tag("div", *cells, class_="sl-rows")


def _look(kind: Kind) -> str:
    return "sl-bad" if kind is Kind.UNEXPLAINED else "sl-c1"


def _is_of(one: DayOfModel, kind: Kind | None) -> bool:
    return bool(one.parts) if kind is None else any(part.kind is kind for part in one.parts)


def _row(one: DayOfModel, kind: Kind | None) -> dict[str, Any]:
    told = [part for part in one.parts if kind in {None, part.kind}]
    return {
        "place": f"{words.day(one.day)} · {one.model or 'no model'}",
        "opened": _key(one),
        "calls": one.calls,
        "ledger": one.ledger,
        "provider": one.provider,
        "difference": one.difference if kind is None else one.amount(kind),
        "names": "; ".join(f"{words.spelled(part.kind)} {words.money(part.amount, '').strip()}" for part in told),
    }


def _key(one: DayOfModel) -> str:
    return f"{one.day}~{one.model or ''}"


def _made_of(choice: BillChoice) -> tuple[Asked, ...]:
    """The ledger's own answer: its receipt goes with what is downloaded."""
    answer = ask("ai_cost", choice.scope, by="model", where={"provider": choice.provider})
    return (answer,) if isinstance(answer, Asked) else ()
