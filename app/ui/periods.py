"""Periods that people choose by name, counted back from the last day that has data."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType

CUSTOM = "Custom"
AUTOMATIC = "Auto"
_DAYS_DRAWN_SINGLY = 120
_DAYS_DRAWN_BY_WEEK = 800
_DAYS_DRAWN_BY_HOUR = 14

Days = tuple[date, date]


def last_days(number: int) -> Callable[[date], Days]:
    """So many days, the last one among them."""
    return lambda last: (last - timedelta(days=number - 1), last + timedelta(days=1))


def _this_month(last: date) -> Days:
    return last.replace(day=1), last + timedelta(days=1)


def _last_month(last: date) -> Days:
    until = last.replace(day=1)
    return (until - timedelta(days=1)).replace(day=1), until


def _this_year(last: date) -> Days:
    return last.replace(month=1, day=1), last + timedelta(days=1)


PRESETS: Mapping[str, Callable[[date], Days]] = MappingProxyType(
    {
        "Last 7 days": last_days(7),
        "Last 28 days": last_days(28),
        "Last 90 days": last_days(90),
        "This month": _this_month,
        "Last month": _last_month,
        "This year": _this_year,
        "Last 365 days": last_days(365),
    }
)


def preset_of(days: int) -> str:
    """The name of so many days."""
    return next(name for name in PRESETS if name == f"Last {days} days")


def grain_for(chosen: str, days: int, grains: tuple[str, ...]) -> str:
    """The grain that was chosen, or one that gives a chart some dozens of points. Hours are for a few days."""
    if chosen in grains and (chosen != "hour" or days <= _DAYS_DRAWN_BY_HOUR):
        return chosen
    fitting = "day" if days <= _DAYS_DRAWN_SINGLY else "week" if days <= _DAYS_DRAWN_BY_WEEK else "month"
    return fitting if fitting in grains else grains[-1]
