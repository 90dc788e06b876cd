"""The thirteen months of the demo: its days, seasons, launches and disasters, relative to one given today."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAYS = 395
LIVE_DAYS = 3

_WEEKDAYS = np.array([1.05, 1.25, 1.2, 1.15, 0.95, 0.45, 0.4])  # Monday first
# What marketers feel over a year: a slow summer, a loud November.
_MONTHS = np.array([0.85, 0.9, 1.0, 1.0, 1.0, 0.95, 0.8, 0.78, 1.05, 1.1, 1.45, 1.25])
_HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 7, 12, 16, 18, 16, 13, 14, 15, 14, 12, 10, 8, 7, 6, 5, 3, 2], dtype=float)


def micros(moment: datetime) -> int:
    """Microseconds since 1970: how moments are kept in arrays."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """A moment as Python has it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))


def day_of(at: int) -> date:
    """The day (UTC) of a moment."""
    return moment(at).date()


def month_of(at: Ints) -> Ints:
    """Months since January 1970 (UTC)."""
    return at.view("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def first_of_month(month: int) -> date:
    """The first day of a month that is counted from January 1970."""
    return date(1970 + month // 12, month % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Season:
    """The time that the demo covers: it ends with the midnight (UTC) at which today begins."""

    today: date

    @property
    def end(self) -> int:
        return micros(datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC))

    @property
    def start(self) -> int:
        return self.end - DAYS * DAY

    @property
    def live_from(self) -> int:
        """Everything from here on goes in through the tables' own triggers."""
        return self.end - LIVE_DAYS * DAY

    @property
    def price_change(self) -> int:
        """New versions of the paid plans."""
        return self.end - 150 * DAY

    @property
    def model_price_change(self) -> int:
        """A provider lowered the price of a model."""
        return self.end - 200 * DAY

    @property
    def bounce_spike(self) -> int:
        return self.end - 58 * DAY

    @property
    def outage(self) -> int:
        return self.end - 23 * DAY

    @property
    def runaway(self) -> int:
        return self.end - 40 * DAY

    @property
    def churn_wave(self) -> int:
        return self.end - 75 * DAY

    @property
    def launches(self) -> tuple[int, ...]:
        """Days since the start on which products were launched and everyone was busy."""
        return (62, 185, 300, 371)

    def day_weights(self) -> Floats:
        """How busy each day is: weekday, month, growth and launches."""
        days = self.start // DAY + np.arange(DAYS)
        weekday = (days + 3) % 7
        month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
        weights: Floats = _WEEKDAYS[weekday] * _MONTHS[month] * np.linspace(0.7, 1.3, DAYS)
        for launch in self.launches:
            weights[launch : launch + 4] *= np.array([2.2, 1.8, 1.4, 1.2])
        return weights

    def moments(self, rng: np.random.Generator, count: int) -> Ints:
        """Moments spread as people work: by day and by hour."""
        weights = self.day_weights()
        day = rng.choice(DAYS, size=count, p=weights / weights.sum())
        hour = rng.choice(24, size=count, p=_HOURS / _HOURS.sum())
        within: Ints = rng.integers(0, HOUR, size=count)
        result: Ints = self.start + day * DAY + hour * HOUR + within
        return result
