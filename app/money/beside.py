"""The ledger's calls of one model beside the lines of a bill, day by day and meter by meter."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.money.bills import Billed, Meter, Used
from app.money.grains import Grain, grain_of, meter_of

NOTHING = Fraction(0)
# A price of the book for a model's meter on a day; None: it has none.
PriceOf = Callable[[str, Meter, date], Decimal | None]
DayOf = Callable[[Used], date]


@dataclass
class Ours:
    """What the ledger has of a meter on a day."""

    quantity: Fraction = NOTHING
    unpriced: Fraction = NOTHING
    # Of what the book has a price for: how much, and what it costs by the book.
    valued: Fraction = NOTHING
    value: Fraction = NOTHING
    prices: set[Decimal] = field(default_factory=set)
    # The value of calls that the ledger has priced.
    booked: Fraction = NOTHING

    def add(self, quantity: Decimal, price: Decimal | None, *, is_priced: bool) -> None:
        amount = Fraction(quantity)
        self.quantity += amount
        self.unpriced += NOTHING if is_priced else amount
        if price is not None:
            self.valued += amount
            self.value += amount * Fraction(price)
            self.prices.add(price)
            self.booked += amount * Fraction(price) if is_priced else NOTHING


@dataclass
class Theirs:
    """What the bill charges for a meter on a day."""

    amount: Fraction = NOTHING
    tolerance: Fraction = NOTHING


OursByDay = dict[tuple[date, Meter], Ours]


@dataclass(frozen=True)
class Beside:
    """A model in the ledger and in the bill."""

    model: str
    used: tuple[Used, ...]
    quantity_grain: Grain
    amount_grain: Grain
    billed: dict[tuple[date, Meter], Fraction]
    charged: dict[tuple[date, Meter], Theirs]
    price_of: PriceOf

    def ours(self, day_of: DayOf) -> OursByDay:
        """The ledger by day and meter; which day a call is of depends on who counts."""
        found: OursByDay = defaultdict(Ours)
        for used in self.used:
            for meter, counted in used.meters.items():
                cell = found[day_of(used), self.quantity_grain.fold(meter)]
                cell.add(counted.quantity, counted.price, is_priced=used.cost is not None)
        return dict(found)

    def rate(self, day: date, meter: Meter, ours: Ours | None) -> Fraction | None:
        """What one costs by the book: as the day's own calls paid, else as the book says of that day."""
        if ours is not None and ours.valued:
            return ours.value / ours.valued
        known = self.price_of(self.model, meter._replace(tier=meter.tier or "standard"), day)
        return None if known is None else Fraction(known)

    @property
    def tells_quantities(self) -> bool:
        return bool(self.billed)


def beside(model: str, used: Iterable[Used], lines: Iterable[Billed], price_of: PriceOf) -> Beside:
    """Sums of the lines. A report of usage is more exact about quantities than the lines with amounts.

    Unless these tell kinds that it does not, as OpenAI's report of images, which knows no quality.
    """
    told = list(lines)
    costs = [line for line in told if line.amount is not None]
    usage = [line for line in told if line.amount is None and line.quantity is not None]
    counted = [line for line in costs if line.quantity is not None]
    tells_more = len(counted) == len(costs) > 0 and grain_of(counted).variant and not grain_of(usage).variant
    usage = counted if tells_more or not usage else usage
    fine = grain_of(usage)
    coarse = grain_of(costs).within(fine)
    billed: dict[tuple[date, Meter], Fraction] = defaultdict(Fraction)
    for line in usage:
        billed[line.day, fine.fold(meter_of(line))] += Fraction(line.quantity or 0)
    charged: dict[tuple[date, Meter], Theirs] = defaultdict(Theirs)
    for line in costs:
        cell = charged[line.day, coarse.fold(meter_of(line))]
        cell.amount += Fraction(line.amount or 0)
        cell.tolerance += Fraction(line.step) / 2
    return Beside(model, tuple(used), fine, coarse, dict(billed), dict(charged), price_of)
