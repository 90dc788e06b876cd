"""From the ledger to what the provider charged to what it invoiced: every difference has a name, a day and a model.

Of each day and model the parts add up to the difference exactly. What is told by one side alone is never guessed: what
no name fits stays unexplained.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from app.money.beside import Beside, PriceOf, beside
from app.money.bills import SMALLEST, Bill, Billed, ChargedPrice, Kind, Part, Used
from app.money.compared import Compared, compared
from app.money.spread import spread

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class DayOfModel:
    """A day of a model: both sides, and what lies between them. Without a model: lines that name none."""

    day: date
    model: str | None
    calls: int
    ledger: Decimal
    provider: Decimal
    parts: tuple[Part, ...]

    @property
    def difference(self) -> Decimal:
        return self.provider - self.ledger

    def amount(self, kind: Kind) -> Decimal:
        return sum((part.amount for part in self.parts if part.kind is kind), Decimal(0))


@dataclass(frozen=True)
class Reconciliation:
    """A provider's month. The ledger's days are UTC, the provider's those of its bill."""

    provider: str
    month: date
    zone: str
    days: tuple[DayOfModel, ...]
    invoiced: Decimal | None
    prices: tuple[ChargedPrice, ...]

    @property
    def ledger(self) -> Decimal:
        return sum((day.ledger for day in self.days), Decimal(0))

    @property
    def charged(self) -> Decimal:
        return sum((day.provider for day in self.days), Decimal(0))

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for day in self.days for part in day.parts)

    @property
    def models(self) -> frozenset[str]:
        """As the ledger calls them."""
        return frozenset(day.model for day in self.days if day.model is not None)

    @property
    def by_kind(self) -> Mapping[Kind, Decimal]:
        """From the ledger to the provider, every name, also those of which there is nothing."""
        return {kind: sum((day.amount(kind) for day in self.days), Decimal(0)) for kind in Kind}

    @property
    def on_the_invoice(self) -> Mapping[Kind, Decimal]:
        """From what the provider's lines add up to, to what it invoiced: rounding to a cent, or unexplained."""
        if self.invoiced is None:
            return {}
        difference = self.invoiced - self.charged
        is_rounding = abs(difference) <= _CENT / 2
        return {Kind.ROUNDING if is_rounding else Kind.UNEXPLAINED: difference} if difference else {}

    @property
    def unexplained(self) -> Decimal:
        return self.by_kind[Kind.UNEXPLAINED] + self.on_the_invoice.get(Kind.UNEXPLAINED, Decimal(0))


def reconcile(
    bill: Bill, used: Iterable[Used], price_of: PriceOf, *, came_late: Mapping[str, Decimal] | None = None
) -> Reconciliation:
    """`used` reaches a few days beyond the month on both sides; `came_late` is what late calls cost, by model."""
    lines = list(spread(bill.lines))
    lines_of: dict[str, list[Billed]] = defaultdict(list)
    for line in lines:
        if line.model is not None:
            lines_of[line.model].append(line)
    used_of: dict[str, list[Used]] = defaultdict(list)
    for one in used:
        used_of[one.model].append(one)
    span = (bill.month, (bill.month + timedelta(days=31)).replace(day=1))
    days: list[DayOfModel] = []
    prices: list[ChargedPrice] = []
    for model in sorted(lines_of.keys() | used_of.keys()):
        pair = beside(model, used_of[model], lines_of[model], price_of)
        result = compared(pair, span)
        prices += result.prices
        days += _with_late(_days(pair, result, span), (came_late or {}).get(model, Decimal(0)))
    days += _of_no_model(lines)
    days.sort(key=lambda one: (one.day, one.model or ""))
    return Reconciliation(bill.provider, bill.month, bill.zone, tuple(days), bill.invoiced, tuple(prices))


def _days(pair: Beside, result: Compared, span: tuple[date, date]) -> list[DayOfModel]:
    calls: dict[date, int] = defaultdict(int)
    ledger: dict[date, Decimal] = defaultdict(Decimal)
    for used in pair.used:
        if span[0] <= used.day < span[1]:
            calls[used.day] += used.calls
            ledger[used.day] += used.cost or Decimal(0)
    charged: dict[date, Fraction] = defaultdict(Fraction)
    for (day, _), theirs in pair.charged.items():
        charged[day] += theirs.amount
    found = []
    for day in sorted(calls.keys() | charged.keys() | result.named.keys()):
        provider = decimal(charged.get(day, Fraction(0)))
        parts = _exact(day, pair.model, result, provider - ledger.get(day, Decimal(0)))
        found.append(DayOfModel(day, pair.model, calls.get(day, 0), ledger.get(day, Decimal(0)), provider, parts))
    return found


def _exact(day: date, model: str, result: Compared, difference: Decimal) -> tuple[Part, ...]:
    """In twelve places; what cutting them off leaves over, less than a millionth of a cent, goes to the largest."""
    named = result.named.get(day, {})
    parts = [
        Part(day, model, kind, decimal(amount), result.why(day, kind), result.meters_of(day, kind))
        for kind, amount in named.items()
        if amount
    ]
    parts = [part for part in parts if part.amount]
    left = difference - sum((part.amount for part in parts), Decimal(0))
    if left and parts:
        largest = max(range(len(parts)), key=lambda place: abs(parts[place].amount))
        parts[largest] = replace(parts[largest], amount=parts[largest].amount + left)
    elif left:
        parts.append(Part(day, model, Kind.ROUNDING, left))
    return tuple(sorted(parts, key=lambda part: list(Kind).index(part.kind)))


def _with_late(days: list[DayOfModel], cost: Decimal) -> list[DayOfModel]:
    """Calls that came after the close are corrections of the month: what is missing is theirs, as far as they reach."""
    told = []
    for day in days:
        parts: list[Part] = []
        for part in day.parts:
            late = min(part.amount, cost) if part.kind is Kind.MISSING and part.amount > 0 else Decimal(0)
            cost -= late
            if late:
                parts.append(replace(part, kind=Kind.LATE, amount=late, why="It came after the close: a correction."))
            if part.amount != late:
                parts.append(replace(part, amount=part.amount - late))
        told.append(replace(day, parts=tuple(parts)))
    return told


def _of_no_model(lines: Iterable[Billed]) -> list[DayOfModel]:
    """Fees, credits and the like: the ledger knows nothing of them."""
    found: dict[date, list[Part]] = defaultdict(list)
    for line in lines:
        if line.model is None and line.amount:
            why = f"“{line.description}” names no model." if line.description else "The line names no model."
            found[line.day].append(Part(line.day, None, Kind.UNEXPLAINED, line.amount, why))
    return [
        DayOfModel(day, None, 0, Decimal(0), sum((part.amount for part in parts), Decimal(0)), tuple(parts))
        for day, parts in found.items()
    ]


def decimal(amount: Fraction) -> Decimal:
    """In twelve places, as costs are kept."""
    scaled = amount * 10**12
    return Decimal(round(scaled)).scaleb(-12).quantize(SMALLEST, ROUND_HALF_EVEN)
