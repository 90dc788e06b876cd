"""The field of a chart over time: its lines and levels, its days, what was noted on them, and what each point tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.metrics.metric import Unit
from app.ui import words
from app.ui.markup import Markup, lone, tag
from app.ui.pictures import COLOURS, picture
from app.ui.scales import Scale, every_nth
from app.ui.scope import Note
from app.ui.series import OverTime, Point, Series, next_of

WIDTH, HEIGHT = 1000.0, 200.0
# Labels with the hour take more room.
_LABELS, _HOURS = 7, 5
_NEARLY = 1e-9
# Between a figure and its name.
BESIDE = "  "


@dataclass(frozen=True)
class Limit:
    """A line that a value should keep below, or above."""

    value: float
    name: str


@dataclass(frozen=True, kw_only=True)
class Field:
    """What is drawn, and on what scale. In bands, a point has a width of its own; else it lies on an edge."""

    shown: OverTime
    scale: Scale
    label: str
    is_banded: bool = False
    has_dots: bool = False
    notes: Sequence[Note] = ()
    limits: Sequence[Limit] = ()

    @property
    def unit(self) -> Unit:
        return self.shown.series[0].unit

    def left(self, place: float) -> float:
        """Where a point lies from left to right, in per cent."""
        count = len(self.shown.points)
        return (place + 0.5) / count * 100 if self.is_banded else place / max(1, count - 1) * 100

    def reach(self, place: int) -> tuple[float, float]:
        """From where to where a point reaches, in per cent."""
        count = len(self.shown.points)
        half = 50 / max(1, count if self.is_banded else count - 1)
        return max(0.0, self.left(place) - half), min(100.0, self.left(place) + half)


def draw_field(field: Field, drawn: Sequence[Markup]) -> Markup:
    """Levels at the left, days below, and the drawing between them."""
    scale = field.scale
    largest = max(abs(value) for value in scale.ticks)
    ticks = [(scale.share(value), words.tick(value, field.unit, scale.step, largest)) for value in scale.ticks]
    widest = max((text for _, text in ticks), key=len)
    levels = [tag("span", text, style=f"bottom:{share * 100:.2f}%") for share, text in ticks]
    grid = [_level(scale.share(value), "grid" if abs(value) > _NEARLY else "base") for value in scale.ticks]
    limits = [_level(scale.share(limit.value), "limit") for limit in field.limits]
    inside = tag(
        "div",
        picture(*grid, *limits, *drawn, width=WIDTH, height=HEIGHT, alt=field.label),
        *_limit_names(field),
        *_running(field),
        *_marks(field),
        *_hits(field),
        class_="sl-field",
        style=f"height:{HEIGHT:.0f}px",
    )
    scaled = tag("div", tag("b", widest), *levels, class_="sl-y", aria_hidden="true")
    return tag("div", scaled, inside, tag("div", *_dates(field), class_="sl-x", aria_hidden="true"), class_="sl-plot")


def colour(series: Series, place: int) -> str:
    return "cb" if series.is_before else f"c{place % COLOURS}"


def _level(share: float, kind: str) -> Markup:
    y = f"{(1 - share) * HEIGHT:.1f}"
    return lone("line", class_=kind, x1=0, x2=f"{WIDTH:.0f}", y1=y, y2=y)


def _limit_names(field: Field) -> list[Markup]:
    return [
        tag("span", limit.name, class_="sl-limit", style=f"bottom:{field.scale.share(limit.value) * 100:.2f}%")
        for limit in field.limits
    ]


def _running(field: Field) -> list[Markup]:
    """What is still running is paler, and its values have a hollow point: they will grow."""
    running = field.shown.running
    if running is None or len(field.shown.points) == 1:
        return []
    since = field.reach(running)[0] if field.is_banded else field.left(running - 1)
    found = [tag("div", class_="sl-running", style=f"left:{since:.2f}%")]
    if field.has_dots:
        for place, series in enumerate(field.shown.series):
            value = series.values[running]
            if value is not None:
                at = f"left:{field.left(running):.2f}%;top:{(1 - field.scale.share(value)) * 100:.2f}%"
                found.append(tag("i", class_=f"sl-dot sl-{colour(series, place)}", style=at))
    return found


def _marks(field: Field) -> list[Markup]:
    """Numbers of the remarks, explained below the chart."""
    found = []
    for number, note in enumerate(field.notes, 1):
        inside = [place for place, point in enumerate(field.shown.points) if _is_noted(note, point, field.shown.grain)]
        if inside:
            left, right = field.left(inside[0]), field.left(inside[-1])
            kind = "sl-note is-span" if right > left else "sl-note"
            at = f"left:{left:.2f}%;width:{right - left:.2f}%"
            found.append(tag("div", tag("b", number), class_=kind, style=at))
    return found


def _hits(field: Field) -> list[Markup]:
    """A strip around each point that tells its values when it is pointed at.

    The style sheet writes what an attribute says: elements for each value were most of what a page was made of.
    """
    strips = []
    for place, point in enumerate(field.shown.points):
        left, right = field.reach(place)
        told = [
            f"{words.figure(series.values[place], series.unit)}{BESIDE}{series.name}" for series in field.shown.series
        ]
        told += [note.text for note in field.notes if _is_noted(note, point, field.shown.grain)]
        if place == field.shown.running:
            told.append("still running")
        strips.append(
            tag(
                "div",
                class_="sl-hit is-left" if field.left(place) > 50 else "sl-hit",  # noqa: PLR2004 - in the right half
                data_at=words.bucket(field.shown.grain, point),
                data_tip="\n".join(told),
                style=f"left:{left:.2f}%;width:{right - left:.2f}%",
            )
        )
    return [tag("div", *strips, aria_hidden="true")]


def _dates(field: Field) -> list[Markup]:
    labels = []
    for place in every_nth(len(field.shown.points), _HOURS if field.shown.grain == "hour" else _LABELS):
        left = field.left(place)
        edge = "first" if left < 2 else "last" if left > 97 else None  # noqa: PLR2004 - close to an edge
        labels.append(
            tag("span", _date(field.shown.points[place], field.shown.grain), class_=edge, style=f"left:{left:.2f}%")
        )
    return labels


def _date(point: Point, grain: str) -> str:
    if isinstance(point, int):
        return str(point)
    if grain in {"month", "quarter", "year"}:
        return words.bucket(grain, point)
    return f"{point.day} {point:%b}" + (f" {point:%H:%M}" if grain == "hour" else "")


def first_day(point: Point) -> date:
    """What is counted from a launch lies on no day."""
    if isinstance(point, int):
        return date.min
    return point.date() if isinstance(point, datetime) else point


def _is_noted(note: Note, point: Point, grain: str) -> bool:
    """A remark is on every stretch that has one of its days."""
    return first_day(point) <= note.until and note.since < next_of(grain, first_day(point))
