"""Funnels: how many came to each step, of all and of those at the step before."""

from collections.abc import Sequence

from app.metrics.metric import Unit
from app.ui import words
from app.ui.asking import Asked, Refused
from app.ui.charts import chart
from app.ui.markup import Markup, tag


def funnel(answer: Asked | Refused, *, title: str, why: str = "") -> None:
    """The answer's metrics in their order, one step each; the first is the whole."""

    def draw(asked: Asked) -> Markup:
        counts = [int(asked.value(one.name) or 0) for one in asked.metrics]
        return steps([(words.title(one), count) for one, count in zip(asked.metrics, counts, strict=True)])

    chart(answer, draw, title=title, why=why)


def steps(counted: Sequence[tuple[str, int]]) -> Markup:
    """A bar for each step, as long as its part of the first."""
    whole = max((count for _, count in counted), default=0) or 1
    cells = []
    before: int | None = None
    for name, count in counted:
        share = "" if before is None else _part(count, before)
        hint = f"{name}: {words.count(count)}{f', {share} of the step before' if share else ''}"
        cells += [
            tag("span", name, class_="name"),
            tag("span", tag("i", style=f"left:0;width:{count / whole * 100:.2f}%"), class_="bar sl-c0", title=hint),
            tag(
                "span",
                words.count(count),
                tag("span", f" · {share}" if share else "", class_="sl-muted"),
                class_="figure",
            ),
        ]
        before = count
    return tag("div", *cells, class_="sl-rows")


def _part(count: int, whole: int) -> str:
    return words.figure(count / whole, Unit.PERCENT) if whole else words.NOTHING
