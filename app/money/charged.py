"""Which price a provider charged, told from amounts that are rounded and quantities that are not.

Every line allows the prices between which its amount would be rounded to what it is. The fewest changes of price that
all lines allow are taken, the book's own price before others, and of others the one with the fewest places. What would
be no price, since it has too many places or held for one day between others, is not called one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil, floor

from app.money.bills import Meter

_MILLION = 1_000_000
# Of a price for a million; lists have four at most, and discounts two more.
_MOST_PLACES = 6
_NOTHING = Fraction(0)


@dataclass(frozen=True)
class Term:
    """How much of a meter a charge is for, and what one costs by the book, if that was one price all day."""

    meter: Meter
    quantity: Fraction
    rate: Fraction
    is_one_price: bool


@dataclass(frozen=True)
class Charge:
    """An amount that was charged on a day, and what it is for."""

    day: date
    amount: Fraction
    tolerance: Fraction
    terms: tuple[Term, ...]

    @property
    def expected(self) -> Fraction:
        return sum((term.quantity * term.rate for term in self.terms), _NOTHING)

    @property
    def difference(self) -> Fraction:
        return self.amount - self.expected

    @property
    def is_as_expected(self) -> bool:
        return abs(self.difference) <= self.tolerance


@dataclass(frozen=True)
class Verdict:
    """A charge's difference in its parts, and the price that was found where it is not the book's."""

    day: date
    price: Fraction = _NOTHING
    rounding: Fraction = _NOTHING
    unexplained: Fraction = _NOTHING
    term: Term | None = None
    found: Fraction | None = None


@dataclass(frozen=True)
class _Alone:
    """What is left of a charge for one of its meters, when the others are paid by the book."""

    charge: Charge
    term: Term

    @property
    def amount(self) -> Fraction:
        return self.charge.difference + self.term.quantity * self.term.rate

    @property
    def low(self) -> Fraction:
        return (self.amount - self.charge.tolerance) / self.term.quantity

    @property
    def high(self) -> Fraction:
        return (self.amount + self.charge.tolerance) / self.term.quantity


def verdicts(charges: Sequence[Charge]) -> list[Verdict]:
    """The differences of a month's charges for the same thing: of several meters in it, one has another price."""
    told = [_as_expected(charge) for charge in charges if charge.is_as_expected]
    if len(told) == len(charges):
        return told
    meters = sorted({term.meter for charge in charges for term in charge.terms if term.is_one_price})
    tried = [_tried(charges, meter) for meter in meters]
    whole = [one for one in tried if not any(verdict.unexplained for verdict in one)]
    if whole:
        return whole[0]
    if len(tried) == 1:
        return tried[0]
    return [_as_expected(charge) if charge.is_as_expected else _unexplained(charge) for charge in charges]


def simplest(low: Fraction, high: Fraction) -> Fraction | None:
    """The price within these bounds that has the fewest places, told for a million; None: none has so few."""
    for places in range(_MOST_PLACES + 1):
        scale = _MILLION * 10**places
        first, last = ceil(low * scale), floor(high * scale)
        if first <= last:
            middle = round((low + high) / 2 * scale)
            return Fraction(min(max(middle, first), last), scale)
    return None


def _tried(charges: Sequence[Charge], meter: Meter) -> list[Verdict]:
    """All differences as if they were this meter's price."""
    alone: list[_Alone] = []
    told: list[Verdict] = []
    for charge in sorted(charges, key=lambda one: one.day):
        term = next((one for one in charge.terms if one.meter == meter and one.quantity and one.is_one_price), None)
        if term is not None:
            alone.append(_Alone(charge, term))
        else:
            told.append(_as_expected(charge) if charge.is_as_expected else _unexplained(charge))
    return told + _runs(alone)


def _runs(alone: list[_Alone]) -> list[Verdict]:
    told: list[Verdict] = []
    while len(told) < len(alone):
        start = len(told)
        end = _reach(alone, start)
        by_the_book = next(
            (place for place in range(start, len(alone)) if not alone[place].charge.is_as_expected), len(alone)
        )
        if by_the_book >= end:
            told += [_as_expected(one.charge) for one in alone[start:by_the_book]]
        else:
            is_between = end - start == 1 and start > 0 and end < len(alone)
            told += [_unexplained(alone[start].charge)] if is_between else _at_one_price(alone[start:end])
    return told


def _reach(alone: list[_Alone], start: int) -> int:
    """Up to where one price is allowed by all from here on."""
    low, high = alone[start].low, alone[start].high
    for place in range(start + 1, len(alone)):
        low, high = max(low, alone[place].low), min(high, alone[place].high)
        if low > high:
            return place
    return len(alone)


def _at_one_price(alone: list[_Alone]) -> list[Verdict]:
    found = simplest(max(one.low for one in alone), min(one.high for one in alone))
    if found is None or found < 0:
        return [_unexplained(one.charge) for one in alone]
    told = []
    for one in alone:
        price = (found - one.term.rate) * one.term.quantity
        verdict = Verdict(one.charge.day, price, one.charge.difference - price)
        told.append(replace(verdict, term=one.term, found=found) if price else verdict)
    return told


def _as_expected(charge: Charge) -> Verdict:
    return Verdict(charge.day, rounding=charge.difference)


def _unexplained(charge: Charge) -> Verdict:
    return Verdict(charge.day, unexplained=charge.difference)
