"""Days on which AI cost was not what the weeks before let expect, and which workspace and model made the difference.

A workspace's calls of a model, and all calls of a model, are each held against their usual share of the calls that
the day was to have, at their usual size and price. What they cost more or less is unusual when it is far outside of
what so few calls vary by, and enough to show in the company's day.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Use:
    """Calls of a model on a day: how many, what they used by its weights, and their cost."""

    calls: int = 0
    units: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def __add__(self, other: "Use") -> "Use":
        return Use(self.calls + other.calls, self.units + other.units, self.cost + other.cost)

    def __neg__(self) -> "Use":
        return Use(-self.calls, -self.units, -self.cost)

    @property
    def per_call(self) -> Decimal:
        return self.cost / self.calls if self.calls else Decimal(0)

    @property
    def size(self) -> Decimal:
        return self.units / self.calls if self.calls else Decimal(0)

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


@dataclass(frozen=True)
class Driver:
    """Who cost more or less than usual, and by what: the three parts add up to the difference."""

    # None: all workspaces together.
    workspace: str | None
    model: str
    cost: Decimal
    # What was expected in its place.
    usual: Use
    by_volume: Decimal
    by_size: Decimal
    by_price: Decimal

    @property
    def expected(self) -> Decimal:
        return self.usual.cost

    @property
    def difference(self) -> Decimal:
        return self.by_volume + self.by_size + self.by_price

    @property
    def cause(self) -> Cause:
        parts = {Cause.VOLUME: self.by_volume, Cause.SIZE: self.by_size, Cause.PRICE: self.by_price}
        return max(parts, key=lambda cause: parts[cause] if self.difference > 0 else -parts[cause])


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
        drivers = tuple(_unusual(days.get(day, {}), usual, busy, whole.cost / _DAYS_BEFORE * _MATERIAL))
        past.set_aside(day, drivers)
        if drivers and day >= since:
            found.append(Anomaly(day, _whole(days.get(day, {})).cost, whole.cost * Decimal(busy), _named(drivers)))
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
        own, now = usual.get(group, Use()), today.get(group, Use())
        known = own if own.calls >= _ENOUGH_CALLS else of_model if of_model.calls else now
        usual_calls = own.calls * busy
        driver = _driver(group, now, known, Decimal(usual_calls))
        per_call = max(known.per_call, of_model.per_call)
        by_chance = float(per_call) * _CALLS_VARY * sqrt(usual_calls + 1)
        # As far down as up: half is as far from usual as twice as much.
        varies = sqrt(by_chance**2 + (_SHARES_VARY * float(min(driver.expected, driver.cost))) ** 2)
        if abs(driver.difference) >= least and abs(driver.difference) > Decimal(_FAR * varies):
            yield driver


def _driver(group: _Group, now: Use, known: Use, usual_calls: Decimal) -> Driver:
    """First the calls at their usual size and price, then their size, then the price."""
    return Driver(
        *group,
        cost=now.cost,
        usual=Use(round(usual_calls), usual_calls * known.size, usual_calls * known.per_call),
        by_volume=(now.calls - usual_calls) * known.per_call,
        by_size=now.calls * (now.size - known.size) * known.price,
        by_price=now.cost - now.units * known.price,
    )


def _named(drivers: Sequence[Driver]) -> tuple[Driver, ...]:
    """The largest first. All workspaces of a model are named together where no single one made half of it."""
    whole = {one.model: one.difference for one in drivers if one.workspace is None}
    alone = {one.model for one in drivers if one.workspace and one.difference * 2 / whole.get(one.model, 1) >= 1}
    kept = [one for one in drivers if (one.workspace is None) == (one.model in whole and one.model not in alone)]
    return tuple(sorted(kept, key=lambda one: (-abs(one.difference), one.model, one.workspace or "")))
