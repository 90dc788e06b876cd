"""What a period will have cost at its end: the days that are over, and the rest by weekday and trend, within bounds.

The bounds are what the same forecast would have missed by, so many days ahead, on each of the days before: they hold
in four of five cases. `back_test` tells how far it was off in the past, beside the plain rate of the days so far.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt

from app.money.rhythm import rhythm

# Chance stays so near in four of five cases.
_FOUR_OF_FIVE = 1.2816
CONFIDENCE = Decimal("0.8")
# Weekdays need four weeks to show; bounds need some tries after these.
DAYS_TO_LEARN = 28
DAYS_TO_TRY = 14
_DAYS_TRIED = 16 * 7
_CENT_OF_A_CENT = Decimal("0.0001")
# On which days of a month the past is asked for its end.
_ASKED_AFTER_DAYS = (3, 7, 10, 14, 17, 21)


@dataclass(frozen=True)
class ExpectedDay:
    """A day to come: its own amount, and the whole period up to and with it, within bounds."""

    day: date
    amount: Decimal
    total: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Forecast:
    """A period from `since` until `until`, asked on `today`, the first day that is not over."""

    since: date
    until: date
    today: date
    spent: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal
    days: tuple[ExpectedDay, ...]

    def exceeds(self, limit: Decimal) -> bool:
        """Whether the end is expected above it."""
        return self.expected > limit

    def exceeds_on(self, limit: Decimal) -> date | None:
        """The day to come on which the sum is expected to pass it; None: not in this period, or it has already."""
        if self.spent > limit:
            return None
        return next((one.day for one in self.days if one.total > limit), None)


@dataclass(frozen=True)
class Try:
    """What was forecast of a past period on a day of it, what the plain rate said, and what it came to."""

    since: date
    asked_on: date
    forecast: Decimal
    run_rate: Decimal
    actual: Decimal

    @property
    def error(self) -> Decimal:
        return abs(self.forecast - self.actual) / self.actual

    @property
    def run_rate_error(self) -> Decimal:
        return abs(self.run_rate - self.actual) / self.actual


@dataclass(frozen=True)
class BackTest:
    """All tries, and how far each way of forecasting was off on average, as a part of what came."""

    tries: tuple[Try, ...]

    @property
    def months(self) -> int:
        return len({one.since for one in self.tries})

    @property
    def error(self) -> Decimal:
        return sum((one.error for one in self.tries), Decimal(0)) / len(self.tries)

    @property
    def run_rate_error(self) -> Decimal:
        return sum((one.run_rate_error for one in self.tries), Decimal(0)) / len(self.tries)


def forecast(
    daily: Mapping[date, Decimal], since: date, until: date, today: date, *, spent_today: Decimal = Decimal(0)
) -> Forecast | None:
    """The end of a period that has begun, from the amounts of days that are over; None without six weeks of them.

    A day without an amount had none. What today has cost so far counts when it is more than was expected of it.
    """
    past = {day: float(amount) for day, amount in daily.items() if day < today}
    if today < since or not past or (today - min(past)).days < DAYS_TO_LEARN + DAYS_TO_TRY:
        return None
    over = sum((amount for day, amount in daily.items() if since <= day < min(today, until)), Decimal(0))
    spent = over + (spent_today if today < until else 0)
    coming = max(0, (until - today).days)
    days = tuple(_expected_days(past, today, coming, over, spent_today))
    end = days[-1] if days else ExpectedDay(today, Decimal(0), spent, spent, spent)
    return Forecast(since, until, today, spent, end.total, end.low, end.high, days)


def run_rate(daily: Mapping[date, Decimal], since: date, until: date, today: date) -> Decimal | None:
    """The plain rate: the mean of the period's days that are over, for all of its days."""
    gone = (today - since).days
    if gone < 1:
        return None
    spent = sum((amount for day, amount in daily.items() if since <= day < today), Decimal(0))
    return spent / gone * (until - since).days


def back_test(daily: Mapping[date, Decimal], today: date) -> BackTest | None:
    """Every whole month that is over and had enough history before it, asked on several of its days."""
    past = {day: float(amount) for day, amount in daily.items()}
    tries = []
    for since, until in _months(daily, today):
        actual = sum((amount for day, amount in daily.items() if since <= day < until), Decimal(0))
        for asked_on in (since + timedelta(days=days) for days in _ASKED_AFTER_DAYS):
            spent = sum((amount for day, amount in daily.items() if since <= day < asked_on), Decimal(0))
            rest = sum(_course(past, asked_on, (until - asked_on).days))
            plain = run_rate(daily, since, until, asked_on)
            if actual > 0 and plain is not None:
                tries.append(Try(since, asked_on, spent + _amount(rest), plain, actual))
    return BackTest(tuple(tries)) if tries else None


def following_month(day: date) -> date:
    """The first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _months(daily: Mapping[date, Decimal], today: date) -> Iterator[tuple[date, date]]:
    if not daily:
        return
    since = following_month(min(daily) + timedelta(days=DAYS_TO_LEARN + DAYS_TO_TRY))
    while (until := following_month(since)) <= today:
        yield since, until
        since = until


def _expected_days(
    past: Mapping[date, float], today: date, coming: int, over: Decimal, spent_today: Decimal
) -> Iterator[ExpectedDay]:
    errors = _errors(past, today, coming)
    total = over
    rest = 0.0
    for place, expected in enumerate(_course(past, today, coming)):
        amount = max(spent_today, _amount(expected)) if place == 0 else _amount(expected)
        total += amount
        rest += float(amount)
        miss = _amount(rest * _FOUR_OF_FIVE * errors[min(place, len(errors) - 1)])
        yield ExpectedDay(
            today + timedelta(days=place), amount, total, max(over + spent_today, total - miss), total + miss
        )


def _course(past: Mapping[date, float], day: date, days: int) -> list[float]:
    """Each of the days from one on, as those before it let expect."""
    known = rhythm(past, day)
    return [known.expected(day + timedelta(days=ahead)) for ahead in range(days)] if known else [0.0] * days


def _errors(past: Mapping[date, float], today: date, days: int) -> Sequence[float]:
    """How far off sums of so many days ahead were, as a part of what was forecast: the root of the mean square."""
    missed: list[list[float]] = [[] for _ in range(days)]
    furthest = min(_DAYS_TRIED, (today - min(past)).days - DAYS_TO_LEARN)
    for back in range(1, furthest + 1):
        asked_on = today - timedelta(days=back)
        forecast_sum = actual_sum = 0.0
        for ahead, expected in enumerate(_course(past, asked_on, min(days, back))):
            forecast_sum += expected
            actual_sum += past.get(asked_on + timedelta(days=ahead), 0.0)
            if forecast_sum > 0:
                missed[ahead].append(actual_sum / forecast_sum - 1)
    # What reaches beyond the tries is as far off as the longest of them.
    return [sqrt(sum(one * one for one in own) / len(own)) for own in missed if len(own) >= DAYS_TO_TRY] or [0.0]


def _amount(figure: float) -> Decimal:
    return Decimal(figure).quantize(_CENT_OF_A_CENT)
