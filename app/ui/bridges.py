"""From one figure to another by what moved it, and from what was to what may come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.metrics.metric import Metric
from app.ui import plots, words
from app.ui.asking import Asked, Refused
from app.ui.charts import chart
from app.ui.field import HEIGHT, WIDTH, Field, draw_field
from app.ui.grid import mood
from app.ui.markup import Markup, joined, lone, tag
from app.ui.scales import Scale, scale_for
from app.ui.series import OverTime, Series, over_time


@dataclass(frozen=True)
class Expected:
    """What is expected of a day, and between what it lies."""

    day: date
    value: float
    low: float
    high: float


def waterfall(
    answer: Asked | Refused, *, start: str, moves: Sequence[str], end: str, title: str, why: str = ""
) -> None:
    """The answer's own figures, not split: where it stood, each movement in turn, and where it stands.

    A movement that begins with a minus, as an order does, is taken off.
    """
    chart(answer, lambda asked: bridge(asked, start, moves, end), title=title, why=why)


def bridge(answer: Asked, start: str, moves: Sequence[str], end: str) -> Markup:
    """Bars hang where the one before ended."""
    named = {one.name: one for one in answer.metrics}
    level = float(answer.value(start) or 0)
    spans: list[tuple[Metric, float, float]] = [(named[start], 0.0, level)]
    for move in moves:
        name = move.removeprefix("-")
        moved = float(answer.value(name) or 0) * (-1 if move.startswith("-") else 1)
        spans.append((named[name], level, level + moved))
        level += moved
    spans.append((named[end], 0.0, float(answer.value(end) or 0)))
    edges = [edge for _, since, until in spans for edge in (since, until)]
    low, high = min(edges), max(edges)
    room = (high - low) or 1.0
    whole = {start, end}
    cells = [cell for span in spans for cell in _bar(span, low, room, answer.receipt.currency, span[0].name in whole)]
    return tag("div", *cells, class_="sl-rows")


def _bar(
    span: tuple[Metric, float, float], low: float, room: float, currency: str | None, is_level: bool
) -> tuple[Markup, Markup, Markup]:
    one, since, until = span
    left, width = (min(since, until) - low) / room * 100, abs(until - since) / room * 100
    told = words.figure(until - since, one.unit, currency)
    look = "sl-c0" if is_level else mood(one, until - since)
    return (
        tag("span", words.title(one), class_="name", title=one.meaning),
        tag("span", tag("i", style=f"left:{left:.2f}%;width:{max(0.3, width):.2f}%"), class_=f"bar {look}"),
        tag("span", told if is_level or until < since else f"+{told}", class_="figure"),
    )


def interval(answer: Asked | Refused, expected: Sequence[Expected], *, title: str, why: str = "") -> None:
    """An answer's first metric day by day, and the days to come with the band in which they are expected."""
    chart(answer, lambda asked: banded(asked, expected, title), title=title, why=why)


def banded(answer: Asked, expected: Sequence[Expected], title: str) -> Markup:
    known = over_time(answer, [answer.metrics[0]])
    # What is compared with an earlier period has no place beside what is expected.
    seen = known.series[0]
    number, more = len(known.points), len(expected)
    told = Series(seen.name, seen.unit, (*seen.values, *(None,) * more))
    values = (*(None,) * number, *(one.value for one in expected))
    points = (*known.points, *(one.day for one in expected))
    shown = OverTime(known.grain, points, (told, Series("expected", seen.unit, values, is_before=True)), known.running)
    ends = [end for one in expected for end in (one.low, one.high)]
    scale = scale_for([*told.values, *values, *ends])
    field = Field(shown=shown, scale=scale, label=plots.described(shown, title), notes=answer.scope.notes)
    drawn = [band(number, expected, len(points), scale), *plots.line_paths(shown, scale)]
    return joined((plots.legend(shown), draw_field(field, drawn), plots.noted(answer.scope.notes)))


def band(known: int, expected: Sequence[Expected], count: int, scale: Scale) -> Markup:
    """Between what the days to come lie, which follow upon the known ones."""
    if not expected:
        return Markup()

    def at(place: int, value: float) -> str:
        return f"{(known + place) / max(1, count - 1) * WIDTH:.1f} {(1 - scale.share(value)) * HEIGHT:.1f}"

    above = "L".join(at(place, one.high) for place, one in enumerate(expected))
    below = "L".join(at(place, expected[place].low) for place in reversed(range(len(expected))))
    return tag("g", lone("path", class_="band", d=f"M{above}L{below}Z"), class_="c0")
