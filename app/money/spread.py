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
    nothing = Decimal(0)
    whole = sum((one.quantity or nothing for one in users), nothing)
    charged = left = line.amount or nothing
    for place, one in enumerate(users, 1):
        share = (charged * (one.quantity or nothing) / whole).quantize(SMALLEST)
        amount = left if place == len(users) else share
        left -= amount
        yield replace(line, amount=amount, model=one.model, tier=one.tier, context_from=one.context_from)
