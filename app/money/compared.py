"""One model's month on both sides: which difference on which day is of which name."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from app.money.beside import NOTHING, Beside, DayOf, Ours, OursByDay, Theirs
from app.money.bills import ChargedPrice, Kind, Meter, Used
from app.money.charged import Charge, Term, Verdict, verdicts
from app.money.moved import named

Span = tuple[date, date]
Amounts = dict[tuple[date, Meter], Fraction]


@dataclass
class Compared:
    """What was found: amounts by day and name, sentences beside them, and prices that the book does not have."""

    named: dict[date, dict[Kind, Fraction]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fraction)))
    told: dict[tuple[date, Kind], list[str]] = field(default_factory=lambda: defaultdict(list))
    prices: list[ChargedPrice] = field(default_factory=list)
    meters: dict[tuple[date, Kind], set[Meter]] = field(default_factory=lambda: defaultdict(set))

    def add(self, day: date, kind: Kind, amount: Fraction, why: str = "", *, of: Iterable[Meter] = ()) -> None:
        self.named[day][kind] += amount
        if amount:
            self.meters[day, kind] |= set(of)
        if why and amount and why not in self.told[day, kind]:
            self.told[day, kind].append(why)

    def meters_of(self, day: date, kind: Kind) -> tuple[Meter, ...]:
        """Of what a part is; empty where that is not of single meters."""
        return tuple(sorted(self.meters.get((day, kind), ())))

    def why(self, day: date, kind: Kind) -> str:
        return " ".join(self.told.get((day, kind), ()))


@dataclass(frozen=True)
class Sides:
    """What both have of each meter on each day, what one costs, and for which charges a quantity is told."""

    pair: Beside
    ours: OursByDay
    quantities: Amounts
    rates: Amounts
    is_told: set[tuple[date, Meter]]


def compared(pair: Beside, span: Span) -> Compared:
    """From the ledger's cost by its own days, step by step, to the provider's amounts."""
    found = Compared()
    day_of = ended if _counts_when_they_end(pair, span) else began
    _shift(found, pair, span)
    if day_of is ended:
        _delay(found, pair, span)
    ours = {(day, meter): cell for (day, meter), cell in pair.ours(day_of).items() if span[0] <= day < span[1]}
    _by_the_book(found, pair, ours, span, day_of)
    quantities, is_told = _quantities(pair, ours)
    sides = Sides(pair, ours, quantities, _rates(pair, ours, quantities), is_told)
    _unpriced(found, sides)
    _moves(found, sides)
    _charges(found, sides)
    return found


def began(used: Used) -> date:
    return used.began_on


def ended(used: Used) -> date:
    return used.ended_on


def _cost(used: Used) -> Fraction:
    return Fraction(used.cost or 0)


def _shift(found: Compared, pair: Beside, span: Span) -> None:
    """Calls that lie on another day by the clock of the bill."""
    for used in pair.used:
        if used.began_on != used.day:
            _move(found, Kind.ZONE, used, (used.day, used.began_on), span)


def _delay(found: Compared, pair: Beside, span: Span) -> None:
    """Calls that the provider counts on the day on which they ended."""
    for used in pair.used:
        if used.ended_on != used.began_on:
            _move(found, Kind.LATE, used, (used.began_on, used.ended_on), span)


def _move(found: Compared, kind: Kind, used: Used, days: tuple[date, date], span: Span) -> None:
    for day, amount in zip(days, (-_cost(used), _cost(used)), strict=True):
        if span[0] <= day < span[1]:
            found.add(day, kind, amount)


def _counts_when_they_end(pair: Beside, span: Span) -> bool:
    """Whether the bill's quantities lie nearer to the calls by the days on which they ended."""
    if not pair.tells_quantities or all(used.began_on == used.ended_on for used in pair.used):
        return False
    return _distance(pair, ended, span) < _distance(pair, began, span)


def _distance(pair: Beside, day_of: DayOf, span: Span) -> Fraction:
    ours = pair.ours(day_of)
    weights: dict[Meter, Fraction] = defaultdict(lambda: Fraction(1))
    for (_, meter), cell in sorted(ours.items()):
        if cell.valued:
            weights[meter] = cell.value / cell.valued
    return sum(
        (
            abs(pair.billed.get((day, meter), NOTHING) - ours.get((day, meter), Ours()).quantity) * weights[meter]
            for day, meter in pair.billed.keys() | ours.keys()
            if span[0] <= day < span[1]
        ),
        NOTHING,
    )


def _by_the_book(found: Compared, pair: Beside, ours: OursByDay, span: Span, day_of: DayOf) -> None:
    """Where the ledger still has the cost of an older version of the book, as in a closed month."""
    kept: dict[date, Fraction] = defaultdict(Fraction)
    for used in pair.used:
        if span[0] <= day_of(used) < span[1]:
            kept[day_of(used)] -= _cost(used)
    for (day, _), cell in ours.items():
        kept[day] += cell.booked
    for day, difference in kept.items():
        found.add(day, Kind.PRICE, difference, "The ledger keeps what an earlier version of the book said.")


def _quantities(pair: Beside, ours: OursByDay) -> tuple[Amounts, set[tuple[date, Meter]]]:
    """The provider's quantities. Where it charges and tells none, it is taken to have counted as we did."""
    quantities = dict(pair.billed)
    counted: Amounts = defaultdict(Fraction)
    for (day, meter), quantity in pair.billed.items():
        counted[day, pair.amount_grain.fold(meter)] += quantity
    is_told = {key for key, theirs in pair.charged.items() if counted.get(key)}
    for day, meter in ours:
        key = (day, pair.amount_grain.fold(meter))
        if key in pair.charged and key not in is_told and (pair.charged[key].amount or not pair.tells_quantities):
            quantities[day, meter] = ours[day, meter].quantity
    return quantities, is_told


def _rates(pair: Beside, ours: OursByDay, quantities: Amounts) -> Amounts:
    """What one costs: by the book, else as the provider charged for what the book has no price of."""
    rates: Amounts = {}
    unknown: dict[tuple[date, Meter], list[Meter]] = defaultdict(list)
    known: Amounts = defaultdict(Fraction)
    for day, meter in quantities.keys() | ours.keys():
        rate = pair.rate(day, meter, ours.get((day, meter)))
        key = (day, pair.amount_grain.fold(meter))
        if rate is None:
            unknown[key].append(meter)
        else:
            rates[day, meter] = rate
            known[key] += rate * quantities.get((day, meter), NOTHING)
    for (day, coarse), meters in unknown.items():
        quantity = sum((quantities.get((day, meter), NOTHING) for meter in meters), NOTHING)
        left = pair.charged.get((day, coarse), Theirs()).amount - known[day, coarse]
        for meter in meters:
            rates[day, meter] = left / quantity if quantity else NOTHING
    return rates


def _unpriced(found: Compared, sides: Sides) -> None:
    for (day, meter), cell in sides.ours.items():
        if cell.unpriced:
            amount = cell.unpriced * sides.rates[day, meter]
            found.add(day, Kind.UNPRICED, amount, f"{_number(cell.unpriced)} {meter}.", of=[meter])


def _moves(found: Compared, sides: Sides) -> None:
    by_day: dict[date, dict[Meter, Fraction]] = defaultdict(dict)
    for day, meter in sides.quantities.keys() | sides.ours.keys():
        more = sides.quantities.get((day, meter), NOTHING) - sides.ours.get((day, meter), Ours()).quantity
        if more:
            by_day[day][meter] = more
    for day, differences in by_day.items():
        for kind, moved in named(differences).items():
            for meter, more in sorted(moved.items()):
                told = f"{'+' if more > 0 else '−'}{_number(abs(more))} {meter}."
                found.add(day, kind, more * sides.rates[day, meter], told, of=[meter])


def _charges(found: Compared, sides: Sides) -> None:
    """What is charged beside what the provider's own quantities cost by the book."""
    pair, ours = sides.pair, sides.ours
    terms: dict[tuple[date, Meter], list[Term]] = defaultdict(list)
    for (day, meter), quantity in sorted(sides.quantities.items()):
        if quantity:
            cell = ours.get((day, meter))
            term = Term(meter, quantity, sides.rates[day, meter], is_one_price=cell is None or len(cell.prices) <= 1)
            terms[day, pair.amount_grain.fold(meter)].append(term)
    series: dict[Meter, list[Charge]] = defaultdict(list)
    for day, coarse in sorted(pair.charged.keys() | terms.keys()):
        theirs = pair.charged.get((day, coarse), Theirs())
        charge = Charge(day, theirs.amount, theirs.tolerance, tuple(terms[day, coarse]))
        if (day, coarse) in sides.is_told or (charge.terms and not theirs.amount):
            series[coarse].append(charge)
        else:
            kind = Kind.ROUNDING if charge.is_as_expected else Kind.UNEXPLAINED
            why = "" if kind is Kind.ROUNDING else f"{coarse}: no quantity is told."
            found.add(day, kind, charge.difference, why, of=[coarse])
    for coarse, charges in series.items():
        for verdict in verdicts(charges):
            _name_price(found, pair.model, coarse, verdict)


def _name_price(found: Compared, model: str, coarse: Meter, verdict: Verdict) -> None:
    found.add(verdict.day, Kind.ROUNDING, verdict.rounding, of=[coarse])
    found.add(verdict.day, Kind.UNEXPLAINED, verdict.unexplained, f"{coarse}: the amount fits no price.", of=[coarse])
    if verdict.term is None or verdict.found is None:
        return
    term = verdict.term
    why = f"{term.meter}: {_per_million(verdict.found)} instead of {_per_million(term.rate)} USD for a million."
    found.add(verdict.day, Kind.PRICE, verdict.price, why, of=[term.meter])
    _note_price(found, ChargedPrice(model, term.meter, _decimal(verdict.found), _decimal(term.rate), verdict.day))


def _note_price(found: Compared, one: ChargedPrice) -> None:
    """Days of one price are one proposal."""
    last = found.prices[-1] if found.prices else None
    if last is None or (last.meter, last.price, last.known) != (one.meter, one.price, one.known):
        found.prices.append(one)


def _decimal(rate: Fraction) -> Decimal:
    return Decimal(round(rate * 10**18)).scaleb(-18).normalize()


def _per_million(rate: Fraction) -> str:
    return f"{(_decimal(rate) * 1_000_000).normalize():,f}"


def _number(quantity: Fraction) -> str:
    return f"{Decimal(round(quantity * 1000)).scaleb(-3).normalize():,f}"
