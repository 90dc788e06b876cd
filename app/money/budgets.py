"""What a budget's figures give reason to say: thresholds that were reached, an end above the amount, calls refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.money.forecast import Forecast, forecast

FULL = 100
# Days and lifetimes have no end that a course of days could tell.
_FORECAST = ("month", "year")


class AlertKind(StrEnum):
    """What an alert is about."""

    THRESHOLD = "threshold"
    FORECAST = "forecast"
    BLOCKED = "blocked"
    EMERGENCY_STOP = "emergency_stop"
    UNPRICED = "unpriced"
    ANOMALY = "anomaly"
    EVALUATION_FAILED = "evaluation_failed"


@dataclass(frozen=True)
class Figures:
    """A budget's period as it stands: the amount, what counts against it, and what is asked of it."""

    amount: Decimal
    spent: Decimal
    thresholds: tuple[int, ...]
    blocks: bool
    refused: int
    warns_of_forecast: bool
    expected: Forecast | None


@dataclass(frozen=True)
class Finding:
    """Something to be told once in a period, in a sentence."""

    kind: AlertKind
    threshold: int
    says: str


def findings(now: Figures) -> tuple[Finding, ...]:
    """All that holds now; what was told in the period already is not told again by whoever keeps them."""
    return (*_reached(now), *_blocked(now), *_exceeding(now))


def expected_end(
    period: str, daily: Mapping[date, Decimal], first_day: date, next_day: date | None, today: date
) -> Forecast | None:
    """The forecast of a period's end from the budget's own days; None where there is none."""
    if period not in _FORECAST or next_day is None:
        return None
    return forecast(daily, first_day, next_day, today, spent_today=daily.get(today, Decimal(0)))


def share(spent: Decimal, amount: Decimal) -> Decimal:
    """How much of the amount is spent; a budget's amount is never zero."""
    return spent / amount


def _reached(now: Figures) -> Iterator[Finding]:
    for threshold in sorted(set(now.thresholds)):
        if now.spent * FULL >= now.amount * threshold:
            yield Finding(AlertKind.THRESHOLD, threshold, f"{threshold} % of the budget are spent.")


def _blocked(now: Figures) -> Iterator[Finding]:
    if not now.blocks:
        return
    if now.spent >= now.amount:
        yield Finding(AlertKind.BLOCKED, FULL, "The budget is spent: its calls are refused until the next period.")
    elif now.refused:
        yield Finding(AlertKind.BLOCKED, FULL, "Calls were refused that could have cost more than the budget has left.")


def _exceeding(now: Figures) -> Iterator[Finding]:
    """What is exceeded already is no forecast."""
    if not now.warns_of_forecast or now.expected is None or now.spent >= now.amount:
        return
    if now.expected.exceeds(now.amount):
        day = now.expected.exceeds_on(now.amount)
        when = f", and to pass it on {day.day} {day:%B %Y}" if day else ""
        yield Finding(AlertKind.FORECAST, FULL, f"At this rate the period is expected to end above the budget{when}.")
