"""Proposes prices for the book: what lists say and the book does not. A person approves them, or nothing changes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from app.money.bills import ChargedPrice
from app.money.pricing import Price
from app.money.units import MILLION, TOKEN_UNITS, Unit
from db.tables.ai import SERVICE_TIERS
from db.tables.products import AI_UNITS

# Costs are kept to a millionth of a millionth of a dollar; a price of one unit must be a whole number of those.
_SMALLEST = 10**12
Key = tuple[str, str, Unit, str, int]


@dataclass(frozen=True)
class Listed:
    """A price on a list: from when is empty where the list gives the price as having always been so."""

    provider: str
    model: str
    unit: Unit
    price: Decimal
    per: int
    source: str
    reference: str
    service_tier: str = "standard"
    context_from: int = 0
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def key(self) -> Key:
        return (self.provider, self.model, self.unit, self.service_tier, self.context_from)

    @property
    def is_exact(self) -> bool:
        """Whether the price of one unit can be kept without rounding."""
        return self.price * _SMALLEST % self.per == 0


@dataclass(frozen=True)
class Found:
    """What a list has on a model, and what it has that can't be proposed, in sentences."""

    prices: tuple[Listed, ...] = ()
    left_out: tuple[str, ...] = ()


def midnight(at: datetime) -> datetime:
    """The beginning of the day, UTC: prices change then."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def proposed(
    listed: Iterable[Listed], book: Iterable[Price], *, first_used_at: datetime, now: datetime
) -> list[Listed]:
    """The listed prices that the book lacks or has otherwise, each with a day from which it would be valid.

    Where the list names no day, a price that is new to the book is valid from the first use of the model, so that
    every call gets one, and a price that differs from the book's is valid from today: when it changed is not known.
    """
    current = _current(book, now)
    lists = list(listed)
    result = []
    for price in [*lists, *_without_cliffs(lists, current)]:
        if price.valid_to is not None and price.valid_to <= midnight(first_used_at):
            continue
        known = current.get(price.key)
        ended = price.valid_to is not None and price.valid_to <= now
        if known is not None and (ended or known.price * price.per == price.price * known.per):
            continue
        since = price.valid_from or midnight(first_used_at if known is None else now)
        if price.valid_to is None or since < price.valid_to:
            result.append(replace(price, valid_from=since))
    return result


def charged(provider: str, prices: Iterable[ChargedPrice], reference: str) -> Found:
    """What a bill shows that the book has otherwise, valid from the first day that shows it."""
    found, left_out = [], []
    for one in prices:
        per = MILLION if one.meter.unit in TOKEN_UNITS else 1
        price = Listed(
            provider, one.model, Unit(one.meter.unit, one.meter.variant), one.price * per, per, f"bill of {provider}",
            reference, one.meter.tier, one.meter.context_from, datetime(*one.since.timetuple()[:3], tzinfo=UTC),
        )  # fmt: skip
        if one.meter.unit in AI_UNITS and one.meter.tier in SERVICE_TIERS and price.is_exact:
            found.append(price)
        else:
            left_out.append(f"{provider}/{one.model}: what the bill charges for {one.meter} is no price of the book.")
    return Found(tuple(found), tuple(left_out))


def _without_cliffs(listed: Iterable[Listed], current: Mapping[Key, Price]) -> Iterator[Listed]:
    """Context tiers that the book has and the list has no more: there too it costs what it costs below."""
    today = {price.key: price for price in listed if price.valid_to is None}
    for key in current:
        *rest, context_from = key
        below = [price for price in today.values() if [*price.key[:-1]] == rest and price.context_from < context_from]
        if key not in today and below:
            yield replace(max(below, key=lambda price: price.context_from), context_from=context_from)


def _current(book: Iterable[Price], now: datetime) -> Mapping[Key, Price]:
    held: dict[Key, Price] = {}
    for price in sorted(book, key=lambda one: (one.valid_from, one.version)):
        if price.holds(now):
            held[price.provider, price.model, price.unit, price.service_tier, price.context_from] = price
    return held
