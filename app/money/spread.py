"""Charges for what a bill tells of no model, such as searches: spread over the models that used it that day."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from app.money.bills import SMALLEST, Billed


def spread(lines: Iterable[Billed]) -> Iterator[Billed]:
    """By the quantities that the bill's report of usage tells; where it tells none, the line stays of no model."""
    told = list(lines)
    for line in told:
        users = [one for one in told if line.model is None and line.amount is not None and _is_use_of(one, line)]
        if users:
            yield from _shares(line, users)
        else:
            yield line


def _is_use_of(one: Billed, line: Billed) -> bool:
    is_usage = one.amount is None and one.model is not None and bool(one.quantity)
    return (
        is_usage and line.unit is not None and (one.day, one.unit, one.variant) == (line.day, line.unit, line.variant)
    )


def _shares(line: Billed, users: list[Billed]) -> Iterator[Billed]:
    """The last one gets what rounding leaves."""
    whole = sum((one.quantity or 0 for one in users), Decimal(0))
    left = line.amount or Decimal(0)
    for place, one in enumerate(users, 1):
        share = ((line.amount or 0) * (one.quantity or 0) / whole).quantize(SMALLEST)
        amount = left if place == len(users) else share
        left -= amount
        yield replace(line, amount=amount, model=one.model, tier=one.tier, context_from=one.context_from)
