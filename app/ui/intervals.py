"""Estimates with their intervals, one below the other on one scale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.analysis.proportions import Interval
from app.ui.markup import Markup, tag


@dataclass(frozen=True)
class Estimate:
    """A named estimate and how it is told; `remark` stands beside it."""

    name: str
    interval: Interval
    told: str
    remark: Markup | None = None


def estimates(listed: Sequence[Estimate], *, reference: float | None = None, meaning: str = "") -> Markup:
    """A band from low to high and a mark at the estimate; the reference, such as no effect, is a line through all."""
    ends = [end for one in listed for end in (one.interval.low, one.interval.high) if end is not None]
    ends += [] if reference is None else [reference]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = (high - low) * 0.06 or 1.0
    low, high = low - room, high + room

    def at(value: float) -> float:
        return (value - low) / (high - low) * 100

    cells = []
    for one in listed:
        cells += [
            tag("span", one.name, class_="name", title=one.name),
            tag(
                "span",
                *_band(one.interval, reference, at),
                class_="bar sl-c0",
                role="img",
                aria_label=f"{one.name}: {one.told}",
            ),
            tag("span", one.told, *((" ", one.remark) if one.remark else ()), class_="figure"),
        ]
    return tag("div", *cells, class_="sl-rows", title=meaning or None)


def _band(interval: Interval, reference: float | None, at: Callable[[float], float]) -> list[Markup]:
    marks = [tag("u", style=f"left:{at(reference):.2f}%;border-left-style:dotted")] if reference is not None else []
    if interval.estimate is None or interval.low is None or interval.high is None:
        return marks
    left, right = at(interval.low), at(interval.high)
    band = tag("i", style=f"left:{left:.2f}%;width:{max(0.4, right - left):.2f}%;opacity:.35")
    return [band, *marks, tag("u", style=f"left:{at(interval.estimate):.2f}%")]
