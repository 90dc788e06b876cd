"""The course of daily amounts: how much each weekday has, where the level lies, and whether it rises or falls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_WEEK = 7
# What two months tell of weekdays; the level is that of the last weeks: a day counts half as much as one nine later.
_DAYS = 8 * _WEEK
_HALVED_AFTER_DAYS = 9
# A trend of two months does not go on for ever: a third of it is carried on.
_TREND_KEPT = 1 / 3
# One day far above the others is no level: it counts as much as the highest but one in twenty.
_ORDINARY = 0.95


@dataclass(frozen=True)
class Rhythm:
    """What the days before `day` let expect of it and of those after it."""

    day: date
    level: float
    per_day: float
    weekdays: tuple[float, ...]

    def expected(self, day: date) -> float:
        """The amount of a day, never below zero."""
        level = self.level + self.per_day * (day - self.day).days
        return max(0.0, level) * self.weekdays[day.weekday()]


def rhythm(daily: Mapping[date, float], day: date) -> Rhythm | None:
    """The rhythm of the days before one; None where there is nothing before it. Days without an amount have none."""
    if not daily or (known := (day - min(daily)).days) < 1:
        return None
    past = [day - timedelta(days=back) for back in range(1, min(known, _DAYS) + 1)]
    amounts = [daily.get(one, 0.0) for one in past]
    weekdays = _weekdays(past, amounts)
    plain = _capped([amount / weekdays[one.weekday()] for one, amount in zip(past, amounts, strict=True)])
    # Weighed by what is expected of them, days without much count for little, and their sums stay what they are.
    weights = [0.5 ** (back / _HALVED_AFTER_DAYS) * weekdays[one.weekday()] for back, one in enumerate(past)]
    middle, level, slope = _line([float(-back) for back in range(1, len(past) + 1)], plain, weights)
    kept = slope * _TREND_KEPT
    return Rhythm(day, level - kept * middle, kept, weekdays)


def _weekdays(days: Sequence[date], amounts: Sequence[float]) -> tuple[float, ...]:
    """Each weekday against the mean of all; as one of the days is like any other, few of them say little."""
    mean = sum(amounts) / len(amounts)
    if not mean:
        return (1.0,) * _WEEK
    shares = []
    for weekday in range(_WEEK):
        own = [amount for one, amount in zip(days, amounts, strict=True) if one.weekday() == weekday]
        shares.append((sum(own) + mean) / (len(own) + 1) / mean)
    usual = sum(shares) / _WEEK
    return tuple(share / usual for share in shares)


def _capped(amounts: list[float]) -> list[float]:
    highest = sorted(amounts)[min(len(amounts) - 1, int(len(amounts) * _ORDINARY))]
    return [min(amount, highest) for amount in amounts]


def _line(places: Sequence[float], amounts: Sequence[float], weights: Sequence[float]) -> tuple[float, float, float]:
    """The weighted middle of the places, the level there, and the slope."""
    whole = sum(weights)
    middle = sum(weight * place for weight, place in zip(weights, places, strict=True)) / whole
    level = sum(weight * amount for weight, amount in zip(weights, amounts, strict=True)) / whole
    spread = sum(weight * (place - middle) ** 2 for weight, place in zip(weights, places, strict=True))
    together = sum(
        weight * (place - middle) * (amount - level)
        for weight, place, amount in zip(weights, places, amounts, strict=True)
    )
    return middle, level, together / spread if spread else 0.0
