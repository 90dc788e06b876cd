"""An answer's rows as an HTML table: figures right-aligned under their units, changes beside them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.metrics.answer import Answer
from app.metrics.dimensions import Dimension
from app.metrics.metric import Direction, Metric, Unit
from app.ui import words
from app.ui.markup import Markup, tag

Row = Mapping[str, Any]
Opened = Callable[[Row, str], Markup]


def grid(
    answer: Answer,
    rows: Sequence[Row],
    *,
    total: Row | None = None,
    together: str = "Together",
    opened: Opened | None = None,
) -> Markup:
    """The rows as they come; the first cell leads to the detail where there is one."""
    # A metric may be a change itself, as that of MRR is.
    has_change = any(f"{metric.name}_before" in answer.table.column_names for metric in answer.metrics)
    head = tag(
        "tr",
        *(tag("th", words.spelled(one.name), scope="col") for one in answer.by),
        *(_head(metric, answer.receipt.currency, has_change=has_change) for metric in answer.metrics),
    )
    body = [tag("tr", *_cells(answer, row, has_change=has_change, opened=opened)) for row in rows]
    foot = tag("tfoot", tag("tr", *_total(answer, total, together, has_change=has_change))) if total else ""
    return tag("table", tag("thead", head), tag("tbody", *body), foot, class_="sl-table")


def _head(metric: Metric, currency: str | None, *, has_change: bool) -> Markup:
    unit = f", {currency}" if metric.unit is Unit.MONEY and currency else ""
    return tag(
        "th",
        f"{words.title(metric)}{unit}",
        scope="col",
        class_="number",
        colspan=2 if has_change else None,
        title=metric.meaning,
    )


def _cells(answer: Answer, row: Row, *, has_change: bool, opened: Opened | None) -> list[Markup]:
    cells = []
    for place, one in enumerate(answer.by):
        name = shown_key(one, row)
        inner = opened(row, name) if opened and place == 0 and row[one.name] is not None else name
        cells.append(
            tag("th", inner, scope="row", title=name) if place == 0 else tag("td", inner, class_="text", title=name)
        )
    return cells + _figures(answer, row, has_change=has_change)


def shown_key(one: Dimension, row: Row) -> str:
    return words.name_of(one, row)


def _figures(answer: Answer, row: Row, *, has_change: bool) -> list[Markup]:
    cells = []
    for metric in answer.metrics:
        cells.append(tag("td", words.figure(row[metric.name], metric.unit), class_="number"))
        if has_change:
            cells.append(tag("td", changed(metric, row.get(f"{metric.name}_change")), class_="number sl-small"))
    return cells


def _total(answer: Answer, total: Row, together: str, *, has_change: bool) -> list[Markup]:
    name = tag("th", together, scope="row", colspan=len(answer.by) if len(answer.by) > 1 else None)
    return [name, *_figures(answer, total, has_change=has_change)]


def changed(metric: Metric, value: Any) -> Markup:  # noqa: ANN401 - a float or nothing
    """An arrow and the text say what the colour says."""
    if value is None:
        return Markup()
    arrow = "▲" if value > 0 else "▼" if value < 0 else "="
    return tag("span", f"{arrow} {words.change(value, metric.unit)}", class_=mood(metric, value))


def mood(metric: Metric, value: float) -> str:
    """Whether a change is good, by the metric's own direction."""
    if metric.good is Direction.NEITHER or words.change(value, metric.unit) == words.change(0, metric.unit):
        return "sl-muted"
    return "sl-good" if (value > 0) is (metric.good is Direction.UP) else "sl-bad"


def unit_of(answer: Answer, column: str) -> Unit | None:
    """The unit of a column of figures. A change is a percentage, whatever changed."""
    for metric in answer.metrics:
        if column == f"{metric.name}_change":
            return Unit.PERCENT
        if column in {metric.name, f"{metric.name}_complete", f"{metric.name}_before"}:
            return metric.unit
    return None
