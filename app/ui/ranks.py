"""Rankings and heat maps: figures of things, not of days."""

from collections.abc import Sequence
from typing import Any

from app.metrics.dimensions import Dimension
from app.metrics.metric import Metric
from app.ui import words
from app.ui.asking import Asked
from app.ui.empty import NOTHING_HAPPENED, empty_card
from app.ui.grid import Opened
from app.ui.markup import Markup, joined, tag

_MOST = 15


def name_of(row: dict[str, Any], by: Sequence[Dimension]) -> str:
    """What a row is about, as people read it."""
    return " · ".join(words.name_of(one, row) for one in by)


def ranked(asked: Asked, metrics: Sequence[Metric], opened: Opened | None = None) -> Markup:
    """A bar for each thing, the largest first; a mark shows where it was before, and its name may lead somewhere."""
    metric = metrics[0]
    rows = sorted((row for row in asked.rows() if row[metric.name] is not None), key=lambda row: -row[metric.name])
    if not rows:
        # There are things, and not one of which this could be told, as rates of what nobody saw.
        return empty_card(*NOTHING_HAPPENED)
    largest = float(max(abs(row[metric.name]) for row in rows) or 1)
    cells = [cell for row in rows[:_MOST] for cell in _bar(asked, row, metric, largest, opened)]
    more = (
        tag("p", f"{len(rows) - _MOST} more are in the table.", class_="sl-small sl-muted") if len(rows) > _MOST else ""
    )
    return Markup(tag("div", *cells, class_="sl-rows") + more)


def _bar(
    asked: Asked, row: dict[str, Any], metric: Metric, largest: float, opened: Opened | None
) -> tuple[Markup, Markup, Markup]:
    name, value = name_of(row, asked.by), row[metric.name]
    is_there = row[asked.by[0].name] is not None
    before = row.get(f"{metric.name}_before")
    told = words.figure(value, metric.unit, asked.receipt.currency)
    hint = f"{name}: {told}" + (
        f"; before: {words.figure(before, metric.unit, asked.receipt.currency)}" if before is not None else ""
    )
    mark = tag("u", style=f"left:{min(100.0, float(before) / largest * 100):.1f}%") if before is not None else ""
    fill = tag("i", style=f"left:0;width:{max(0.0, float(value) / largest * 100):.1f}%")
    return (
        tag("span", opened(row, name) if opened and is_there else name, class_="name", title=name),
        tag("span", fill, mark, class_="bar sl-c0", title=hint),
        tag("span", told, class_="figure"),
    )


def heat_map(asked: Asked, x: str, y: str, value: str) -> Markup:
    """Columns by `x`, rows by `y`. What is darkest is the largest of the period."""
    named = {one.name: one for one in asked.by}
    metric = next(one for one in asked.metrics if one.name == value or value in one.aliases)
    cells = {(row[x], row[y]): row for row in asked.rows()}
    across = range(24) if x == "hour" else sorted({key for key, _ in cells if key is not None})
    down = range(1, 8) if y == "weekday" else sorted({key for _, key in cells if key is not None})
    told = [row[metric.name] for row in cells.values() if row[metric.name] is not None]
    largest = float(max(told, default=0) or 1)
    head = tag("tr", tag("td"), *(tag("th", _short(named[x], key), scope="col") for key in across))
    body = [
        tag(
            "tr",
            tag("th", words.value_of(named[y], key), scope="row"),
            *(
                _cell(asked, cells.get((column, key)), metric, largest, named, (x, column), (y, key))
                for column in across
            ),
        )
        for key in down
    ]
    drawn = tag("table", tag("thead", head), tag("tbody", *body), class_="sl-heat")
    return joined((tag("div", drawn, class_="sl-scroll", tabindex=0), _between(metric, told)))


def _between(metric: Metric, told: Sequence[Any]) -> Markup:
    """What the colours reach from and to."""
    if not told:
        return Markup()
    low, high = (words.figure(value, metric.unit) for value in (min(told), max(told)))
    return tag("p", f"The stronger the colour, the more: from {low} to {high}.", class_="sl-small sl-muted")


def _short(dimension: Dimension, key: Any) -> str:  # noqa: ANN401 - a key of any kind
    return str(key) if dimension.name == "hour" else words.value_of(dimension, key)


def _cell(
    asked: Asked,
    row: dict[str, Any] | None,
    metric: Metric,
    largest: float,
    named: dict[str, Dimension],
    *place: tuple[str, Any],
) -> Markup:
    where = ", ".join(words.value_of(named[name], key) for name, key in reversed(place))
    value = row[metric.name] if row else None
    if row is None or value is None:
        return tag("td", title=f"{where}: {words.NOTHING}")
    told = words.figure(value, metric.unit, asked.receipt.currency)
    others = [
        f"{words.title(one)} {words.figure(row[one.name], one.unit, asked.receipt.currency)}"
        for one in asked.metrics
        if one is not metric
    ]
    hint = "; ".join([f"{where}: {told}", *others])
    return tag("td", tag("i", style=f"opacity:{float(value) / largest:.2f}"), title=hint, aria_label=hint)
