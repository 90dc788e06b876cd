"""Customers whose AI costs more than they pay: by how much, whether it grows, and its course."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.ui import plots, words
from app.ui.asking import Asked, Refused, ask
from app.ui.behind import behind
from app.ui.charts import chart
from app.ui.choices import workspaces_of
from app.ui.grid import mood
from app.ui.links import address, anchor
from app.ui.markup import Markup, tag
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table

_TITLE = "Customers that cost more than they pay"
_FIGURES = ("recognised_revenue", "ai_cost", "margin")
_MOST_COURSES = 100
_WHY = "AI cost above recognised revenue in these days, the largest loss first. The course is that of the margin."

Row = Mapping[str, Any]


def below_cost(scope: Scope) -> None:
    """Only those below zero are listed; the receipt is of all customers."""
    answer = ask(_FIGURES, scope, by="workspace", order="margin")
    if isinstance(answer, Refused):
        chart(answer, lambda _: Markup(), title=_TITLE)
        return
    losing = [row for row in answer.rows() if row["workspace"] and (row["margin"] or 0) < 0]
    courses = _courses(scope, [row["workspace"] for row in losing[:_MOST_COURSES]])
    known = workspaces_of(scope.viewer)
    table(
        [_cells(answer, row, known) | {"course": courses.get(row["workspace"])} for row in losing],
        name="below-cost",
        title=_TITLE,
        why=_WHY,
        columns=_columns(scope),
        scope=scope,
        empty=("No customer costs more than they pay.", "In these days, what each one pays covers their AI cost."),
    )
    behind(answer, "Margin of all customers", "Receipt of all customers' margin")


def _columns(scope: Scope) -> Columns:
    amounts = {"recognised_revenue": "Revenue", "ai_cost": "AI cost", "margin": "Margin"}
    return {
        "customer": "Customer",
        **{name: Column(label, Unit.MONEY, currency=scope.currency) for name, label in amounts.items()},
        **({"moved": "Against before"} if scope.compare else {}),
        "course": "Course",
    }


def _cells(answer: Asked, row: Row, known: Collection[str]) -> dict[str, Any]:
    name = words.name_of(answer.by[0], row)
    # Two of one name are offered as filters under longer ones: their name alone leads nowhere.
    leads = address("margin", answer.scope, workspace=name, show="Products") if name in known else None
    return {
        **{figure: row[figure] for figure in _FIGURES},
        "customer": anchor(name, leads) if leads else name,
        "moved": _moved(row),
    }


def _moved(row: Row) -> Markup | None:
    """How the margin moved since the days before, in the days that are over on both sides."""
    now, before = row.get("margin_complete", row["margin"]), row.get("margin_before")
    if now is None or before is None:
        return None
    moved: Decimal = now - before
    told = words.figure(abs(moved), Unit.MONEY)
    arrow, word = ("▲", "better") if moved > 0 else ("▼", "worse") if moved < 0 else ("=", "as before")
    return tag("span", f"{arrow} {told} {word}", class_=mood(metric("margin"), float(moved)))


def _courses(scope: Scope, keys: Sequence[str]) -> dict[str, Markup]:
    """The margin of each in every stretch of the period; a stretch in which nothing happened to anybody is left out."""
    if not keys:
        return {}
    answer = ask("margin", scope.uncompared, by="workspace", grain=scope.grain, where={"workspace": keys})
    margins = {(row["workspace"], row[scope.grain]): row["margin"] for row in answer.rows()}
    stretches = sorted({stretch for _, stretch in margins})
    return {key: _course([margins.get((key, stretch)) for stretch in stretches], scope) for key in keys if stretches}


def _course(margins: Sequence[Decimal | None], scope: Scope) -> Markup:
    values = [float(margin or 0) for margin in margins]
    ends = " to ".join(words.figure(value, Unit.MONEY) for value in (values[0], values[-1]))
    label = f"Margin by {scope.grain}, from {ends} {scope.currency}"
    return tag("span", plots.sparkline(values, label), class_="sl-course")
