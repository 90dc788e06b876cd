"""The report's reconciliation: from our ledger to what a provider charged to what it invoiced, step by step."""

from collections.abc import Iterator
from decimal import Decimal

from app.commands.reconciling import KeptBill, bills, reconciliation
from app.exports.report_drawings import Step, bridge
from app.exports.report_parts import Month, Picture, Section, Table
from app.metrics import words
from app.money.bills import MEANINGS
from app.money.reconciliation import Reconciliation

_CURRENCY = "USD"


def reconciliations(month: Month) -> Iterator[Section]:
    """One for each provider that billed the month; none for who does not see the whole company."""
    if not month.sees_all:
        return
    kept, _ = month.read("provider_bills", lambda: bills(month.engine, month.viewer))
    for bill in kept:
        if bill.month == month.first:
            yield _section(month, bill)


def _section(month: Month, bill: KeptBill) -> Section:
    found, receipt = month.read("reconciliation", lambda: reconciliation(month.commands, month.viewer, bill))
    steps = list(_steps(found))
    name = words.spelled(bill.provider)
    approved = f", approved by {bill.approved_by}" if bill.approved_by else ""
    state = f"The bill is {bill.status}{approved}; its days are of {bill.zone}."
    left = found.unexplained
    told = f"Unexplained is {words.money(left, _CURRENCY)}." if left else "Nothing is unexplained."
    alt = f"{name}: our ledger says {steps[0].told}, the provider {words.money(found.charged, _CURRENCY)}. {told}"
    rows = tuple((step.name, _meaning(step.name), step.told) for step in steps)
    return Section(
        f"Reconciliation with {name}",
        f"{state} {told}",
        pictures=(Picture(bridge(steps), alt),),
        tables=(Table(("", "What it is", _CURRENCY), rows, 2, receipt, shares=(0, 1)),),
    )


_LEVELS = {
    "Our ledger": "What our calls cost by the price book, as the ledger keeps it.",
    "The provider": "What the lines of the bill add up to.",
    "The invoice": "What was invoiced, before tax.",
}
_NAMED = {words.spelled(kind): meaning for kind, meaning in MEANINGS.items()}


def _meaning(name: str) -> str:
    return _LEVELS.get(name) or _NAMED[name]


def _steps(found: Reconciliation) -> Iterator[Step]:
    nothing = Decimal(0)
    level = found.ledger
    yield Step("Our ledger", nothing, level, words.money(level, ""), is_level=True)
    for kind, amount in found.by_kind.items():
        if amount:
            yield Step(words.spelled(kind), level, level + amount, _moved(amount))
            level += amount
    yield Step("The provider", nothing, found.charged, words.money(found.charged, ""), is_level=True)
    if found.invoiced is not None:
        level = found.charged
        for kind, amount in found.on_the_invoice.items():
            yield Step(words.spelled(kind), level, level + amount, _moved(amount))
            level += amount
        yield Step("The invoice", nothing, found.invoiced, words.money(found.invoiced, ""), is_level=True)


def _moved(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else ''}{words.money(amount, '')}"
