"""What one call costs by the price book, line by line, unrounded; `rated_ai_calls` in the database does it for sets.

A call is priced by the book as it was valid when the call began, also when prices changed while it ran. It is priced
whole or not at all: with one unit unpriced, the sum of the others would be a wrong number that looks like a right one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext

from app.money.units import Unit, Usage

# What the database keeps of a cost. Prices of one unit have no more places, so only parts of a second are ever cut.
PLACES = Decimal("0.000000000001")
DIGITS = 60


@dataclass(frozen=True)
class Price:
    """A row of the book."""

    provider: str
    model: str
    unit: Unit
    price: Decimal
    per: int
    valid_from: datetime
    valid_to: datetime | None = None
    service_tier: str = "standard"
    context_from: int = 0
    version: int = 1

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def fits(self, unit: Unit, tokens_read: Decimal) -> bool:
        return (
            self.unit.name == unit.name and self.unit.variant in {unit.variant, ""} and self.context_from <= tokens_read
        )


@dataclass(frozen=True)
class Call:
    """One attempt of one call. Attempts that failed or were made again cost what they used, like any other."""

    provider: str
    model: str
    began_at: datetime
    usage: Usage
    reported_cost: Decimal | None = None


@dataclass(frozen=True)
class Line:
    """What one unit adds to a call's cost."""

    unit: Unit
    quantity: Decimal
    price: Price

    @property
    def amount(self) -> Decimal:
        with localcontext(prec=DIGITS):
            return self.quantity * self.price.price / self.price.per


@dataclass(frozen=True)
class Priced:
    """What we computed, beside what the source said. Without a cost there is a reason, and the cost is not zero."""

    cost: Decimal | None
    version: int | None
    unpriced_because: str | None
    lines: tuple[Line, ...]
    reported_cost: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """How much more we computed than the source said; empty where one of the two is missing."""
        if self.cost is None or self.reported_cost is None:
            return None
        return self.cost - self.reported_cost


class Book:
    """The approved prices that nothing superseded."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices: dict[tuple[str, str, str], list[Price]] = {}
        for price in prices:
            self._prices.setdefault((price.provider, price.model, price.service_tier), []).append(price)

    def price(self, call: Call) -> Priced:
        """The cost of a call, or why there is none."""
        tier = call.usage.service_tier
        known = [one for one in self._prices.get((call.provider, call.model, tier), ()) if one.holds(call.began_at)]
        if not known:
            return _unpriced(call, f"no prices of the model, {tier}")
        found = {
            unit: _price_of(known, unit, call.usage.tokens_read)
            for unit, quantity in call.usage.units.items()
            if quantity
        }
        if missing := sorted(str(unit) for unit, price in found.items() if price is None):
            return _unpriced(call, f"no price of {', '.join(missing)}")
        lines = tuple(Line(unit, call.usage.units[unit], price) for unit, price in found.items() if price is not None)
        with localcontext(prec=DIGITS):
            cost = sum((line.amount for line in lines), Decimal(0)).quantize(PLACES, ROUND_HALF_UP)
        # A call that used nothing is priced by the first version that knew its model: later ones don't touch it.
        version = max((line.price.version for line in lines), default=min(price.version for price in known))
        return Priced(cost, version, None, lines, call.reported_cost)

    def rate(self, of: tuple[str, str, str], unit: Unit, *, at: datetime, tokens_read: Decimal) -> Decimal | None:
        """What one unit of a provider's model in a tier costs; None: the book has no price of it."""
        known = (one for one in self._prices.get(of, ()) if one.holds(at))
        price = _price_of(known, unit, tokens_read)
        return None if price is None else price.price / price.per


def _price_of(known: Iterable[Price], unit: Unit, tokens_read: Decimal) -> Price | None:
    """Of the unit's kind, else of no kind; of the highest context tier that is reached; the one that began last."""
    return max(
        (price for price in known if price.fits(unit, tokens_read)),
        key=lambda price: (price.unit.variant == unit.variant, price.context_from, price.valid_from, price.version),
        default=None,
    )


def _unpriced(call: Call, reason: str) -> Priced:
    return Priced(None, None, reason, (), call.reported_cost)


def total(parts: Iterable[Priced]) -> tuple[Decimal, Mapping[str, int]]:
    """The sum of what is priced, and how many are not, by reason: neither is told without the other."""
    cost, unpriced = Decimal(0), dict[str, int]()
    with localcontext(prec=DIGITS):
        for part in parts:
            if part.cost is None:
                reason = part.unpriced_because or ""
                unpriced[reason] = unpriced.get(reason, 0) + 1
            else:
                cost += part.cost
    return cost, unpriced
