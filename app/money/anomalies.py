"""Days on which AI cost was not what the weeks before let expect, and which workspace and model made the difference.

A workspace's calls of a model, and all calls of a model, are each held against their usual share of the calls that
the day was to have, at their usual size and price. What they cost more or less is unusual when it is far outside of
what so few calls vary by, and enough to show in the company's day. So is what was not spent because calls failed: it is
looked for by itself, as a busy day hides it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from math import sqrt
from types import MappingProxyType

from app.money.rhythm import rhythm

# A call's size is what it used, each kind as much as price lists usually ask for it beside plain input: a call that
# reads more and writes as much as ever is larger, and its price is what it was. A model counts by few of these.
UNIT_WEIGHTS: Mapping[str, Decimal] = MappingProxyType(
    {
        "input_tokens": Decimal(1),
        "cached_input_tokens": Decimal("0.25"),
        "cache_write_tokens": Decimal("1.25"),
        "output_tokens": Decimal(5),
        "reasoning_tokens": Decimal(5),
        "images": Decimal(1),
        "audio_seconds": Decimal(1),
        "video_seconds": Decimal(1),
    }
)
# Usual is what the four weeks before were.
_DAYS_BEFORE = 28
# What was unusual on more of them is usual by now.
_USUAL_AFTER_DAYS = 10
# Calls differ in what they cost by about half as much again as their mean; usual shares by a quarter from day to day.
_CALLS_VARY = 1.5
_SHARES_VARY = 0.25
# Fewer calls tell little of what one is like: those of all workspaces tell it then.
_ENOUGH_CALLS = 10
# So many times that far off is unusual, if it is also so much of a usual day of the company.
_FAR = 4.0
_MATERIAL = Decimal("0.1")
# Calls fail together: so many times further than if each failed by itself, and so many of all, is more than a bad hour.
_FAILURES_FAR = 4.0
_FAILURES_MANY = 0.15


@dataclass(frozen=True)
class Use:
    """Calls of a model on a day: how many, what they used by its weights, their cost, and how many of them failed."""

    calls: int = 0
    units: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    failed: int = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(
            self.calls + other.calls,
            self.units + other.units,
            self.cost + other.cost,
            self.failed + other.failed,
        )

    def __neg__(self) -> "Use":
        return Use(-self.calls, -self.units, -self.cost, -self.failed)

    @property
    def served(self) -> int:
        return self.calls - self.failed

    @property
    def per_call(self) -> Decimal:
        return self.cost / self.calls if self.calls else Decimal(0)

    @property
    def failing(self) -> Decimal:
        """The share of calls that failed."""
        return Decimal(self.failed) / self.calls if self.calls else Decimal(0)

    @property
    def size(self) -> Decimal:
        """Of a call that was served: most of those that fail use nothing."""
        return self.units / self.served if self.served else Decimal(0)

    @property
    def price(self) -> Decimal:
        return self.cost / self.units if self.units else Decimal(0)


@dataclass(frozen=True)
class DayOfUse:
    """What a workspace's calls of a model came to on a day."""

    day: date
    workspace: str
    model: str
    use: Use


class Cause(StrEnum):
    """What changed most."""

    VOLUME = "the number of calls"
    SIZE = "the size of calls"
    PRICE = "the price per unit"
    FAILURES = "calls that failed"


@dataclass(frozen=True)
class Driver:
    """Who cost more or less than usual, and by what: the parts add up to the difference."""

    # None: all workspaces together.
    workspace: str | None
    model: str
    cost: Decimal
    # What was expected in its place.
    usual: Use
    by_volume: Decimal
    by_size: Decimal
    by_price: Decimal
    by_failures: Decimal = Decimal(0)
    # Told for its failures, whatever else it cost more or less.
    is_failing: bool = False

    @property
    def expected(self) -> Decimal:
        return self.usual.cost

    @property
    def difference(self) -> Decimal:
        return sum(self._parts.values(), Decimal(0))

    @property
    def cause(self) -> Cause:
        if self.is_failing:
            return Cause.FAILURES
        return max(self._parts, key=lambda cause: self._parts[cause] if self.difference > 0 else -self._parts[cause])

    @property
    def by_cause(self) -> Decimal:
        """How much the cause alone made it cost more or less."""
        return self._parts[self.cause]

    @property
    def _parts(self) -> Mapping[Cause, Decimal]:
        return {
            Cause.VOLUME: self.by_volume,
            Cause.SIZE: self.by_size,
            Cause.PRICE: self.by_price,
            Cause.FAILURES: self.by_failures,
        }


@dataclass(frozen=True)
class Anomaly:
    """An unusual day: what it cost, what was expected, and who made it so, the largest difference first."""

    day: date
    cost: Decimal
    expected: Decimal
    drivers: tuple[Driver, ...]

    @property
    def driver(self) -> Driver:
        return self.drivers[0]


_Group = tuple[str | None, str]
_Day = Mapping[_Group, Use]


def anomalies(history: Iterable[DayOfUse], since: date, until: date) -> tuple[Anomaly, ...]:
    """The unusual days from one up to, without, another. Days with less than four weeks before them are not judged.

    What was unusual is not usual afterwards, or its end would be unusual again; only if it goes on, it becomes so.
    """
    days = _grouped(history)
    if not days:
        return ()
    past = _Past(days)
    calls = {day: float(_whole(groups).calls) for day, groups in days.items()}
    found = []
    first = min(days) + timedelta(days=_DAYS_BEFORE)
    for day in (first + timedelta(days=ahead) for ahead in range((until - first).days)):
        usual, course = past.before(day), rhythm(calls, day)
        whole = _whole(usual)
        if course is None or not whole.calls:
            continue
        busy = course.expected(day) / whole.calls
        least = whole.cost / _DAYS_BEFORE * _MATERIAL
        drivers = tuple(_unusual(days.get(day, {}), usual, busy, least))
        failing = _failing(days.get(day, {}), usual, busy, least)
        past.set_aside(day, (*drivers, *failing))
        if (drivers or failing) and day >= since:
            told = _ordered((*_named(drivers), *failing))
            found.append(Anomaly(day, _whole(days.get(day, {})).cost, whole.cost * Decimal(busy), told))
    return tuple(found)


class _Past:
    """The days that are over, with what was usual of a group in place of what was not."""

    def __init__(self, days: Mapping[date, _Day]) -> None:
        self._days = days
        self._instead: dict[date, dict[_Group, Use]] = defaultdict(dict)

    def before(self, day: date) -> dict[_Group, Use]:
        """The four weeks before a day, of each group together."""
        window = [day - timedelta(days=back) for back in range(1, _DAYS_BEFORE + 1)]
        set_aside = Counter(group for one in window for group in self._instead.get(one, ()))
        lasting = {group for group, days in set_aside.items() if days > _USUAL_AFTER_DAYS}
        summed: dict[_Group, Use] = defaultdict(Use)
        for one in window:
            instead = self._instead.get(one, {})
            for group, use in self._days.get(one, {}).items():
                summed[group] += use if group in lasting else instead.get(group, use)
        return summed

    def set_aside(self, day: date, drivers: Iterable[Driver]) -> None:
        """Of a workspace's use, the model's loses as much; where all of the model's was unusual, all of it."""
        now, instead = self._days.get(day, {}), self._instead[day]
        for one in sorted(drivers, key=lambda driver: driver.workspace is None):
            own, of_all = (one.workspace, one.model), (None, one.model)
            instead[own] = one.usual
            if one.workspace is not None:
                use = instead.get(of_all, now.get(of_all, Use()))
                instead[of_all] = use + one.usual + -now.get(own, Use())


def _grouped(history: Iterable[DayOfUse]) -> dict[date, dict[_Group, Use]]:
    """Of each day every workspace's use of every model, and that of all workspaces together."""
    days: dict[date, dict[_Group, Use]] = defaultdict(lambda: defaultdict(Use))
    for one in history:
        for group in ((one.workspace, one.model), (None, one.model)):
            days[one.day][group] += one.use
    return days


def _whole(groups: _Day) -> Use:
    return sum((use for (workspace, _), use in groups.items() if workspace is None), Use())


def _unusual(today: _Day, usual: _Day, busy: float, least: Decimal) -> Iterator[Driver]:
    for group in today.keys() | usual.keys():
        of_model = usual.get((None, group[1]), Use())
        driver, known = _driver(group, today, usual, busy)
        per_call = max(known.per_call, of_model.per_call)
        by_chance = float(per_call) * _CALLS_VARY * sqrt(float(usual.get(group, Use()).calls) * busy + 1)
        # As far down as up: half is as far from usual as twice as much.
        varies = sqrt(by_chance**2 + (_SHARES_VARY * float(min(driver.expected, driver.cost))) ** 2)
        if abs(driver.difference) >= least and abs(driver.difference) > Decimal(_FAR * varies):
            yield driver


def _failing(today: _Day, usual: _Day, busy: float, least: Decimal) -> tuple[Driver, ...]:
    """All models of which far more calls failed than usual, if what was not spent for it is enough together."""
    found = []
    for group, now in today.items():
        if group[0] is not None:
            continue
        driver, known = _driver(group, today, usual, busy)
        by_chance = float(known.failing) * now.calls
        is_far = now.failed > by_chance + _FAILURES_FAR * sqrt(by_chance + 1)
        if is_far and now.failed >= _FAILURES_MANY * now.calls and driver.by_failures < 0:
            found.append(replace(driver, is_failing=True))
    return tuple(found) if -sum(one.by_failures for one in found) >= least else ()


def _driver(group: _Group, today: _Day, usual: _Day, busy: float) -> tuple[Driver, Use]:
    """First the calls at their usual size and price, then those that were not served, their size, and the price.

    Beside it what its calls are known by.
    """
    of_model, own, now = usual.get((None, group[1]), Use()), usual.get(group, Use()), today.get(group, Use())
    known = own if own.calls >= _ENOUGH_CALLS else of_model if of_model.calls else now
    usual_calls = Decimal(own.calls * busy)
    at_usual_size = now.served * (known.cost / known.served if known.served else Decimal(0))
    # What is not counted by any of its units has no size.
    at_usual_price = now.units * known.price if known.units else at_usual_size
    return Driver(
        *group,
        cost=now.cost,
        usual=Use(
            round(usual_calls),
            usual_calls * (1 - known.failing) * known.size,
            usual_calls * known.per_call,
            round(usual_calls * known.failing),
        ),
        by_volume=(now.calls - usual_calls) * known.per_call,
        by_failures=at_usual_size - now.calls * known.per_call,
        by_size=at_usual_price - at_usual_size,
        by_price=now.cost - at_usual_price,
    ), known


def _named(drivers: Sequence[Driver]) -> Iterator[Driver]:
    """All workspaces of a model are named together where no single one made half of it."""
    whole = {one.model: one.difference for one in drivers if one.workspace is None}
    alone = {one.model for one in drivers if one.workspace and one.difference * 2 / whole.get(one.model, 1) >= 1}
    return (one for one in drivers if (one.workspace is None) == (one.model in whole and one.model not in alone))


def _ordered(drivers: Iterable[Driver]) -> tuple[Driver, ...]:
    """The largest first: of those that fail, what that alone made."""

    def largest(one: Driver) -> tuple[Decimal, str, str]:
        made = one.by_failures if one.is_failing else one.difference
        return -abs(made), one.model, one.workspace or ""

    return tuple(sorted(drivers, key=largest))
