"""What is drawn on a field: lines, stacked areas and columns; and the sentence that tells the same."""

from collections.abc import Iterator, Sequence

from app.metrics.metric import Unit
from app.ui import words
from app.ui.field import HEIGHT, WIDTH, Field, Limit, colour, draw_field
from app.ui.markup import Markup, lone, tag
from app.ui.pictures import COLOURS, picture
from app.ui.scales import Scale, path, scale_for
from app.ui.scope import Note
from app.ui.series import OverTime, Series

_WHOLE = {Unit.COUNT, Unit.PEOPLE, Unit.TOKENS, Unit.CREDITS}
_SPARK_HEIGHT = 30.0


def lines(
    shown: OverTime, *, label: str, filled: bool, notes: Sequence[Note] = (), limits: Sequence[Limit] = ()
) -> Markup:
    """One or several lines; a single one has its area tinted."""
    values = [value for series in shown.series for value in series.values] + [limit.value for limit in limits]
    scale = scale_for(values, whole=shown.series[0].unit in _WHOLE)
    field = Field(shown=shown, scale=scale, label=label, has_dots=True, notes=notes, limits=limits)
    drawn = [_line(series, place, scale, filled=filled and place == 0) for place, series in enumerate(shown.series)]
    return draw_field(field, drawn)


def line_paths(shown: OverTime, scale: Scale) -> list[Markup]:
    """The lines alone, to be drawn over something else."""
    return [_line(series, place, scale, filled=False) for place, series in enumerate(shown.series)]


def stacked(shown: OverTime, *, label: str, columns: bool, notes: Sequence[Note] = ()) -> Markup:
    """Parts of a whole, one above the other: as areas, or as a column for each point."""
    layers = list(_layers(shown))
    scale = scale_for(
        [edge for layer in layers for edges in layer for edge in edges], whole=shown.series[0].unit in _WHOLE
    )
    shape = _columns if columns else _area
    drawn = [shape(bottoms, tops, scale, place) for place, (bottoms, tops) in enumerate(layers)]
    return draw_field(Field(shown=shown, scale=scale, label=label, is_banded=columns, notes=notes), drawn)


def _layers(shown: OverTime) -> Iterator[tuple[list[float], list[float]]]:
    """Where each part begins and ends at every point; what is below zero, as credit notes are, hangs from there."""
    above, below = [0.0] * len(shown.points), [0.0] * len(shown.points)
    for series in shown.series:
        if series.is_before:
            continue
        values = [value or 0.0 for value in series.values]
        spans = [
            (high, high + value) if value >= 0 else (low + value, low)
            for high, low, value in zip(above, below, values, strict=True)
        ]
        above = [max(high, top) for high, (_, top) in zip(above, spans, strict=True)]
        below = [min(low, bottom) for low, (bottom, _) in zip(below, spans, strict=True)]
        yield [bottom for bottom, _ in spans], [top for _, top in spans]


def sparkline(values: Sequence[float | None], label: str) -> Markup:
    """The same line without anything around it."""
    scale = scale_for(values)
    shares = [None if value is None else scale.share(value) for value in values]
    drawn = lone("path", class_="line", d=path(shares, width=WIDTH, height=_SPARK_HEIGHT))
    inside = tag("g", _fill(shares, _SPARK_HEIGHT), drawn, class_="c0")
    return picture(inside, width=WIDTH, height=_SPARK_HEIGHT, alt=label)


def _line(series: Series, place: int, scale: Scale, *, filled: bool) -> Markup:
    shares = [None if value is None else scale.share(value) for value in series.values]
    kind = "line before" if series.is_before else "line"
    drawn = lone("path", class_=kind, d=path(shares, width=WIDTH, height=HEIGHT))
    return tag("g", _fill(shares, HEIGHT) if filled else "", drawn, class_=colour(series, place))


def _fill(shares: Sequence[float | None], height: float) -> Markup:
    """Under every unbroken stretch."""
    last = max(1, len(shares) - 1)
    stretches: list[list[tuple[float, float]]] = [[]]
    for place, share in enumerate(shares):
        if share is None:
            stretches.append([])
        else:
            stretches[-1].append((place / last * WIDTH, (1 - share) * height))
    told = "".join(_closed(stretch, height) for stretch in stretches if len(stretch) > 1)
    return lone("path", class_="fill", d=told)


def _closed(stretch: Sequence[tuple[float, float]], height: float) -> str:
    above = "".join(f"L{x:.1f} {y:.1f}" for x, y in stretch)
    return f"M{stretch[0][0]:.1f} {height:.1f}{above}L{stretch[-1][0]:.1f} {height:.1f}Z"


def _area(bottoms: Sequence[float], tops: Sequence[float], scale: Scale, place: int) -> Markup:
    last = max(1, len(tops) - 1)

    def at(number: int, value: float) -> str:
        return f"{number / last * WIDTH:.1f} {(1 - scale.share(value)) * HEIGHT:.1f}"

    there = "L".join(at(number, value) for number, value in enumerate(tops))
    back = "L".join(at(number, bottoms[number]) for number in reversed(range(len(bottoms))))
    return tag("g", lone("path", class_="stack", d=f"M{there}L{back}Z"), class_=f"c{place % COLOURS}")


def _columns(bottoms: Sequence[float], tops: Sequence[float], scale: Scale, place: int) -> Markup:
    band = WIDTH / max(1, len(tops))
    drawn = [
        lone(
            "rect",
            class_="stack",
            x=f"{number * band + band * 0.14:.1f}",
            width=f"{band * 0.72:.1f}",
            y=f"{(1 - scale.share(top)) * HEIGHT:.1f}",
            height=f"{(scale.share(top) - scale.share(bottom)) * HEIGHT:.1f}",
        )
        for number, (bottom, top) in enumerate(zip(bottoms, tops, strict=True))
        if top > bottom
    ]
    return tag("g", *drawn, class_=f"c{place % COLOURS}")


def legend(shown: OverTime) -> Markup:
    """Names of the lines; a single one is named by the title."""
    if len(shown.series) == 1:
        return Markup()
    entries = [
        tag("span", tag("i", class_=f"sl-{colour(series, place)}{' before' if series.is_before else ''}"), series.name)
        for place, series in enumerate(shown.series)
    ]
    more = tag("span", f"{shown.left_out} more are in the table") if shown.left_out else ""
    return tag("div", *entries, more, class_="sl-legend")


def noted(notes: Sequence[Note]) -> Markup:
    """What the numbers on the chart stand for."""
    if not notes:
        return Markup()
    told = [
        tag("li", tag("b", number), f"{_span(note)}: {note.text}{f' ({note.by})' if note.by else ''}")
        for number, note in enumerate(notes, 1)
    ]
    return tag("ul", *told, class_="sl-notes")


def _span(note: Note) -> str:
    since, until = words.day(note.since), words.day(note.until)
    return since if since == until else f"{since} to {until}"


def described(shown: OverTime, title: str) -> str:
    """The chart in sentences, for those who don't see it."""
    told = [f"{title}, by {shown.grain}."]
    for series in shown.series:
        there = [(value, point) for value, point in zip(series.values, shown.points, strict=True) if value is not None]
        if there:
            most, when = max(there, key=lambda pair: pair[0])
            last, highest = words.figure(there[-1][0], series.unit), words.figure(most, series.unit)
            told.append(f"{series.name}: last {last}, highest {highest} on {words.bucket(shown.grain, when)}.")
    return " ".join(told)
