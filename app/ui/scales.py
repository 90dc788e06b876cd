"""Where values lie between the edges of a chart: pure arithmetic."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """From `low` at the bottom to `high` at the top, with a line at every `step`."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """How far up a value lies: 0 at the bottom, 1 at the top."""
        return (value - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        lines = round((self.high - self.low) / self.step)
        return [self.low + line * self.step for line in range(lines + 1)]


def scale_for(values: Iterable[float | None], *, lines: int = 4, whole: bool = False) -> Scale:
    """A scale that starts at zero and ends at a round number; below zero where values are."""
    there = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(0.0, *there, 0.0), max(0.0, *there, 0.0)
    if low == high:
        high = 1.0
    step = round_step((high - low) / lines)
    if whole:
        step = max(1.0, math.ceil(step))
    return Scale(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step)


def round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def every_nth(count: int, most: int) -> list[int]:
    """Which of so many things get a label, so that at most so many do."""
    step = max(1, math.ceil(count / most))
    return list(range(0, count, step))


def path(shares: Sequence[float | None], *, width: float, height: float) -> str:
    """A line through the points from left to right; it breaks where there is none."""
    last = max(1, len(shares) - 1)
    drawn: list[str] = []
    pen = "M"
    for place, share in enumerate(shares):
        if share is None:
            pen = "M"
            continue
        drawn.append(f"{pen}{place / last * width:.1f} {(1 - share) * height:.1f}")
        pen = "L"
    return "".join(drawn)
