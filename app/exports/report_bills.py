"""The report's reconciliation: from our ledger to what a provider charged to what it invoiced, step by step."""

from collections.abc import Iterator, Sequence

from app.commands.reconciling import KeptBill, bills, reconciliation
from app.exports.bill_lists import StepToBill, axis_of, edges_of, steps_of
from app.exports.report_drawings import Step, bridge
from app.exports.report_parts import Month, Picture, Section, Table
from app.metrics import words

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
    name = words.spelled(bill.provider)
    found, receipt = month.read(
        "reconciliation", lambda: reconciliation(month.commands, month.viewer, bill), of=f" with {name}"
    )
    steps = list(steps_of(found))
    drawn = list(_drawn(steps))
    meanings = {step.name: step.meaning for step in steps}
    approved = f", approved by {bill.approved_by}" if bill.approved_by else ""
    state = f"The bill is {bill.status}{approved}; its days are of {bill.zone}. Bars begin near the lowest level."
    left = found.unexplained
    told = f"Unexplained is {words.money(left, _CURRENCY)}." if left else "Nothing is unexplained."
    ledger, charged = (words.money(amount, _CURRENCY) for amount in (found.ledger, found.charged))
    alt = f"{name}: our ledger says {ledger}, the provider {charged}. {told}"
    rows = tuple((step.name, meanings[step.name], step.told) for step in drawn)
    return Section(
        f"Reconciliation with {name}",
        f"{state} {told}",
        pictures=(Picture(bridge(drawn, *axis_of(edges_of(steps))), alt),),
        tables=(Table(("", "What it is", _CURRENCY), rows, 2, receipt, shares=(0, 1)),),
    )


def _drawn(steps: Sequence[StepToBill]) -> Iterator[Step]:
    """Names of which there is nothing are left out."""
    for step, (since, until) in zip(steps, edges_of(steps), strict=True):
        is_level = step.kind is None
        if is_level or step.amount:
            sign = "+" if step.amount > 0 and not is_level else ""
            yield Step(step.name, since, until, f"{sign}{words.money(step.amount, '')}", is_level=is_level)
