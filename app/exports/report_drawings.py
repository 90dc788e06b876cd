"""Pictures for paper, as SVG in the colours of the light theme: columns by day, bars by name, steps between sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

COLOURS = ("#1f5fbf", "#c2571a", "#2b8a5f", "#8a4fb0", "#b0364b", "#5b6b7d")
_GRID, _INK, _BAND = "#d5dbe3", "#36404d", "#eef1f5"
_MORE, _LESS = "#a52a3a", "#1b6e46"
_FONT = 'font-family="Libertinus Serif" font-size="9"'
_WIDTH, _HEIGHT = 520, 150
_LEFT, _BELOW, _ABOVE = 42, 16, 8
_ROW = 17
# Of rows: names as wide as plans are called, then the bars, then the figures.
_NAMES, _BARS = 170, 250
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4


@dataclass(frozen=True)
class Step:
    """Where a bar of a bridge begins and ends; a level stands on the ground."""

    name: str
    since: Decimal
    until: Decimal
    told: str
    is_level: bool = False


def columns(points: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """A column for each point, the series one above the other, with a legend where there are several."""
    top = max((sum(values) for values in zip(*series.values(), strict=True)), default=0.0)
    step = _step(top)
    ceiling = max(step, step * -int(-top // step))
    legend = _LEGEND if len(series) > 1 else 0
    height = _HEIGHT - _ABOVE - _BELOW - legend
    drawn = [_legend(list(series))] if legend else []

    def y(value: float) -> float:
        return legend + _ABOVE + height * (1 - value / ceiling)

    for tick in range(int(ceiling / step + 0.5) + 1):
        value = tick * step
        drawn += [_line(_LEFT, y(value), _WIDTH, y(value)), _text(_LEFT - 4, y(value) + 3, _short(value, step), "end")]
    band = (_WIDTH - _LEFT) / max(1, len(points))
    for place, point in enumerate(points):
        below = 0.0
        left = _LEFT + place * band
        for number, values in enumerate(series.values()):
            above = below + values[place]
            drawn.append(_rect(left + band * 0.14, y(above), band * 0.72, y(below) - y(above), COLOURS[number % 6]))
            below = above
        if point:
            drawn.append(_text(left + band / 2, _HEIGHT - 4, point, "middle"))
    return _svg(_HEIGHT, drawn)


def bars(rows: Sequence[tuple[str, float, str]]) -> str:
    """Names, how much each has, and how that is told."""
    most = max((abs(value) for _, value, _ in rows), default=0.0) or 1.0
    drawn = []
    for place, (name, value, told) in enumerate(rows):
        top = place * _ROW
        width = abs(value) / most * _BARS
        colour = COLOURS[0] if value >= 0 else _MORE
        drawn += [
            _text(_NAMES, top + 11, _cut(name), "end"),
            _rect(_NAMES + 8, top + 3, max(1.0, width), _ROW - 6, colour),
            _text(_NAMES + 14 + width, top + 11, told, "start"),
        ]
    return _svg(max(1, len(rows)) * _ROW, drawn)


def bridge(steps: Sequence[Step], low: Decimal, high: Decimal) -> str:
    """Bars that hang where the one before ended, on an axis from one amount to another."""
    room = float(high - low) or 1.0
    drawn = []
    for place, step in enumerate(steps):
        top = place * _ROW
        first, last = (float(max(low, edge) - low) / room for edge in sorted((step.since, step.until)))
        left, width = _NAMES + 8 + first * _BARS, max(1.0, (last - first) * _BARS)
        colour = COLOURS[0] if step.is_level else _MORE if step.until > step.since else _LESS
        drawn += [
            _rect(_NAMES + 8, top + 3, _BARS, _ROW - 6, _BAND),
            _text(_NAMES, top + 11, _cut(step.name), "end"),
            _rect(left, top + 3, width, _ROW - 6, colour),
            _text(_WIDTH - 4, top + 11, step.told, "end"),
        ]
    return _svg(max(1, len(steps)) * _ROW, drawn)


_LEGEND = 14
_LONGEST = 38


def _legend(names: Sequence[str]) -> str:
    drawn, left = [], float(_LEFT)
    for place, name in enumerate(names):
        drawn += [_rect(left, 2, 7, 7, COLOURS[place % 6]), _text(left + 10, 9, name, "start")]
        left += 22 + 5 * len(name)
    return "".join(drawn)


def _step(top: float) -> float:
    """A round one, of which about four reach the top."""
    if top <= 0:
        return 1.0
    size = 10.0 ** len(str(int(top))) / 100 if top >= 1 else 0.01
    while True:
        for one in _STEPS:
            if top / (one * size) <= _TICKS + 1:
                return one * size
        size *= 10


def _short(value: float, step: float) -> str:
    return f"{value:,.0f}" if step >= 1 and step == int(step) else f"{value:,.2f}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _svg(height: float, drawn: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>'


def _line(left: float, top: float, right: float, bottom: float) -> str:
    return (
        f'<line x1="{left:.1f}" y1="{top:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="{_GRID}" stroke-width="0.6"/>'
    )


def _rect(left: float, top: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(0.0, height):.1f}" fill="{colour}"/>'


def _text(left: float, top: float, told: str, anchor: str) -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="{_INK}" {_FONT}>{escape(told)}</text>'
