"""What a subscription is worth over a time, and amounts of days in the reporting currency."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from app.metrics.rates import Known, Rates, rates_into
from db.errors import SightlineError
from db.tables.billing import FxRate

PLACES = Decimal("0.000000000001")
_DAYS_A_YEAR = 365
_MONTHS_A_YEAR = 12
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Price:
    """What is paid for a month, or for a year."""

    amount: Decimal
    currency: str
    billing_period: str

    @property
    def a_day(self) -> Decimal:
        """A year has 365 days, and twelve months: every day is worth the same."""
        times = 1 if self.billing_period == "annual" else _MONTHS_A_YEAR
        return self.amount * times / _DAYS_A_YEAR


class NoRateError(SightlineError):
    """Amounts can't be added up until somebody says what a currency is worth."""


class Exchange:
    """Amounts in the reporting currency, each by the rate of its day; of a day without one, by the last before it."""

    def __init__(self, rates: Rates) -> None:
        self.currency = rates.currency
        self._by_day: dict[str, dict[date, Decimal]] = {}
        for rate in rates.listed:
            self._by_day.setdefault(rate.currency, {})[rate.day] = rate.rate

    @classmethod
    def read(cls, connection: Connection, currency: str) -> "Exchange":
        known = connection.execute(
            select(FxRate.day, FxRate.currency, FxRate.reporting_currency, FxRate.rate, FxRate.source)
        )
        return cls(rates_into(currency, [Known(*row) for row in known]))

    def rate(self, currency: str, day: date) -> Decimal:
        if currency == self.currency:
            return Decimal(1)
        known = self._by_day.get(currency, {})
        if not known:
            raise NoRateError(
                f"Nobody has said what one {currency} is worth in {self.currency}.",
                why="Amounts of two currencies are not added up.",
                fix="Import exchange rates, or report in the currency of the plan.",
            )
        # Before the first known day the first one holds: a window may begin before anybody kept rates.
        return known.get(min(max(day, min(known)), max(known)), known[max(known)])

    def total(self, by_day: Mapping[date, Decimal], currency: str) -> Decimal:
        """Amounts of days, added up."""
        return sum((amount * self.rate(currency, day) for day, amount in by_day.items()), Decimal(0))

    def paid(self, price: Price, since: datetime, until: datetime) -> Decimal:
        """A price over a time, by the parts of days in it."""
        parts = {day: price.a_day * share for day, share in shares_of_days(since, until)}
        return self.total(parts, price.currency)


def shares_of_days(since: datetime, until: datetime) -> Iterator[tuple[date, Decimal]]:
    """The days (UTC) of a time, and how much of each is in it."""
    day = since.astimezone(UTC).date()
    while (begins := datetime.combine(day, time(), UTC)) < until:
        part = min(until, begins + _DAY) - max(since, begins)
        yield day, Decimal(part // timedelta(microseconds=1)) / Decimal(_DAY // timedelta(microseconds=1))
        day += _DAY


def summed(amounts: Iterable[Decimal]) -> Decimal:
    """To the places in which amounts are kept."""
    return sum(amounts, Decimal(0)).quantize(PLACES)
