"""How sure a rate is: its interval, the difference of two, and how many are needed to see one."""

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()
USUAL_CONFIDENCE = 0.95
# Of real differences of the size looked for, this part is found.
USUAL_POWER = 0.8
# Below this many expected of either kind the normal approximation misleads.
FEWEST_EXPECTED = 5


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds between which the truth lies with a confidence; empty where nothing was tried."""

    estimate: float | None
    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Whether a value is compatible with what was seen: where nothing was, any is."""
        return self.low is None or self.high is None or self.low <= value <= self.high


UNKNOWN = Interval(None, None, None)


@dataclass(frozen=True)
class Rate:
    """How many of how many."""

    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise ValueError(f"{self.hits} of {self.of} is no part of a whole")

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None


@dataclass(frozen=True)
class Difference:
    """One rate less another, its interval, and how often chance alone would make one as large."""

    interval: Interval
    p_value: float | None
    # Few are expected of either kind: the interval and the p-value are rough.
    is_rough: bool


def quantile(confidence: float) -> float:
    """How many standard deviations lie on either side of the middle."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is not between 0 and 1")
    return _NORMAL.inv_cdf((1 + confidence) / 2)


def two_sided(z: float) -> float:
    """How often chance goes as far to either side; also far out, where 1 − Φ would be rounded to nothing."""
    return math.erfc(abs(z) / math.sqrt(2))


def wilson(rate: Rate, confidence: float = USUAL_CONFIDENCE) -> Interval:
    """Wilson's interval: it stays between 0 and 1, and is right where nothing or everything was hit."""
    if not rate.of:
        return UNKNOWN
    z, n, p = quantile(confidence), rate.of, rate.hits / rate.of
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # What rounding would leave beside a bound that is exact.
    low = 0.0 if rate.hits == 0 else max(0.0, middle - reach)
    high = 1.0 if rate.hits == n else min(1.0, middle + reach)
    return Interval(p, low, high)


def difference(one: Rate, other: Rate, confidence: float = USUAL_CONFIDENCE) -> Difference:
    """`one − other`: Newcombe's interval from both Wilson intervals, and the pooled z-test."""
    mine, theirs = wilson(one, confidence), wilson(other, confidence)
    if mine.estimate is None or theirs.estimate is None:
        return Difference(UNKNOWN, None, is_rough=True)
    return Difference(_newcombe(mine, theirs), _pooled(one, other), is_rough=_is_rough(one, other))


def needed_each(rate: float, change: float, confidence: float = USUAL_CONFIDENCE, power: float = USUAL_POWER) -> int:
    """How many are needed on each side to find a change of this size from this rate."""
    changed = rate + change
    if change == 0 or not (0 <= rate <= 1 and 0 <= changed <= 1):
        raise ValueError(f"a change from {rate} by {change} can't be looked for")
    z = quantile(confidence) + _NORMAL.inv_cdf(power)
    return math.ceil(z * z * (rate * (1 - rate) + changed * (1 - changed)) / change**2)


def smallest_seen(rate: float, each: int, confidence: float = USUAL_CONFIDENCE, power: float = USUAL_POWER) -> float:
    """About the smallest difference from this rate that so many on each side would find."""
    if each < 1:
        raise ValueError("nothing is found among none")
    z = quantile(confidence) + _NORMAL.inv_cdf(power)
    return min(1.0, z * math.sqrt(2 * rate * (1 - rate) / each))


def _newcombe(
    mine: Interval,
    theirs: Interval,
) -> Interval:
    p, low, high = _known(mine)
    q, other_low, other_high = _known(theirs)
    down = math.hypot(p - low, other_high - q)
    up = math.hypot(high - p, q - other_low)
    return Interval(p - q, max(-1.0, p - q - down), min(1.0, p - q + up))


def _known(interval: Interval) -> tuple[float, float, float]:
    if interval.estimate is None or interval.low is None or interval.high is None:
        raise ValueError("nothing was tried")
    return interval.estimate, interval.low, interval.high


def _pooled(one: Rate, other: Rate) -> float:
    together = (one.hits + other.hits) / (one.of + other.of)
    error = math.sqrt(together * (1 - together) * (1 / one.of + 1 / other.of))
    # All or nothing on both sides: no difference at all.
    return two_sided((one.hits / one.of - other.hits / other.of) / error) if error else 1.0


def _is_rough(one: Rate, other: Rate) -> bool:
    together = (one.hits + other.hits) / (one.of + other.of)
    return min(one.of, other.of) * min(together, 1 - together) < FEWEST_EXPECTED
