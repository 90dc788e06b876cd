"""Exchange rates for every day: on a day without one, the last one known counts; before the first, there is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

_PLACES = Decimal("0.0000000001")


@dataclass(frozen=True)
class Known:
    """A rate as it is kept: what one unit of a currency was worth in another on a day."""

    day: date
    currency: str
    quote: str
    rate: Decimal
    source: str


@dataclass(frozen=True)
class Rate:
    """What one unit of a currency was worth in the reporting currency on a day, and who says so."""

    day: date
    currency: str
    rate: Decimal
    source: str


@dataclass(frozen=True)
class RateUsed:
    """What a receipt tells of a currency: the days of the rates that were used, and the least and greatest of them."""

    currency: str
    since: date
    until: date
    least: Decimal
    greatest: Decimal
    sources: tuple[str, ...]

    @property
    def told(self) -> str:
        """In a line: the least and the greatest, of which days, and whose they are."""
        bounds = f"{self.least}" if self.least == self.greatest else f"{self.least} to {self.greatest}"
        return f"{bounds}, {self.since} to {self.until}, by {', '.join(self.sources)}"


@dataclass(frozen=True)
class Rates:
    """Every day's rates into one currency, from the first that is known to the last."""

    currency: str
    listed: tuple[Rate, ...]

    @property
    def last_day(self) -> date:
        return max((rate.day for rate in self.listed), default=date.min)

    def used(self, currency: str, since: date, until: date) -> RateUsed | None:
        """The rates of a period; of one after the last known day, that day's."""
        last = min(until - timedelta(days=1), self.last_day)
        first = min(since, last)
        found = [rate for rate in self.listed if rate.currency == currency and first <= rate.day <= last]
        if not found:
            return None
        amounts = [rate.rate for rate in found]
        sources = tuple(sorted({rate.source for rate in found}))
        return RateUsed(currency, found[0].day, found[-1].day, min(amounts), max(amounts), sources)


def rates_into(currency: str, known: Iterable[Known]) -> Rates:
    """Direct rates where there are any, else by way of a currency that both are quoted in."""
    pairs: dict[tuple[str, str], dict[date, Known]] = {}
    for rate in known:
        pairs.setdefault((rate.currency, rate.quote), {})[rate.day] = rate
    if not pairs:
        return Rates(currency, ())
    last = max(day for days in pairs.values() for day in days)
    dense = {pair: _every_day(days, last) for pair, days in pairs.items()}
    listed: list[Rate] = []
    for name in sorted({name for pair in pairs for name in pair} - {currency}):
        listed += dense[name, currency].values() if (name, currency) in dense else _by_way(name, currency, dense)
    return Rates(currency, tuple(listed))


def _every_day(days: Mapping[date, Known], last: date) -> dict[date, Rate]:
    found: dict[date, Rate] = {}
    current = days[min(days)]
    for number in range(current.day.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(number)
        current = days.get(day, current)
        found[day] = Rate(day, current.currency, current.rate, current.source)
    return found


def _by_way(name: str, currency: str, dense: Mapping[tuple[str, str], Mapping[date, Rate]]) -> list[Rate]:
    for first, quote in sorted(dense):
        if first == name and (currency, quote) in dense:
            target = dense[currency, quote]
            return [_crossed(rate, target[day]) for day, rate in dense[name, quote].items() if day in target]
    # What is quoted in the reporting currency itself can also be turned around: dollars into euros by euros in dollars.
    if (currency, name) in dense:
        return [
            Rate(day, name, (1 / rate.rate).quantize(_PLACES), rate.source)
            for day, rate in dense[currency, name].items()
        ]
    return []


def _crossed(rate: Rate, target: Rate) -> Rate:
    source = rate.source if rate.source == target.source else f"{rate.source} and {target.source}"
    return Rate(rate.day, rate.currency, (rate.rate / target.rate).quantize(_PLACES), source)
