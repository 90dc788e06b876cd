"""Answers of the metrics layer explained: what to ask for, and why the figure changed."""

from collections.abc import Mapping
from typing import Any

from app.analysis.effects import Effects, ratio_effects, sum_effects
from app.analysis.exact import Figure
from app.metrics.answer import Answer
from app.metrics.glossary import metric
from app.metrics.metric import Additivity, Metric, Ratio
from db.errors import SightlineError


class NotExplainedError(SightlineError):
    """A figure whose change can't be split into parts that add up."""


def figures_behind(name: str) -> tuple[str, ...]:
    """The metrics to ask for, split by a dimension and compared, so that a change can be explained."""
    named = metric(name)
    return tuple(part.name for part in _parts(named))


def explained(answer: Answer, name: str, *, by: str, shown: int = 8) -> Effects[str | None]:
    """Why the metric changed, by the members of one dimension of the answer.

    The answer holds the figures behind the metric, split by that dimension alone, in full and compared. Of a running
    period only the days that are over count, as many as in the period before.
    """
    _require_whole(answer, name, by)
    parts = _parts(metric(name))
    rows = answer.rows()
    if len(parts) == 1:
        return sum_effects(*({row[by]: _at(row, parts[0], when) for row in rows} for when in _WHEN), shown=shown)
    over, under = parts
    factor = getattr(metric(name), "factor", 1)
    pairs = ({row[by]: (_times(_at(row, over, when), factor), _at(row, under, when)) for row in rows} for when in _WHEN)
    return ratio_effects(*pairs, shown=shown)


_WHEN = ("before", "complete")


def _at(row: Mapping[str, Any], part: Metric, when: str) -> Figure | None:
    found: Figure | None = row.get(f"{part.name}_{when}", row[part.name])
    return found


def _times(figure: Figure | None, factor: int) -> Figure | None:
    return figure if figure is None or factor == 1 else figure * factor


def _parts(named: Metric) -> tuple[Metric, ...]:
    found = named.parts if isinstance(named, Ratio) else (named,)
    if any(part.additivity is Additivity.NOTHING for part in found):
        raise NotExplainedError(
            f"The change of {named.name} can't be split by members.",
            why="It is no sum and no ratio of sums: its parts would not add up to it.",
            fix="Choose a sum or a rate, such as emails_opened or open_rate.",
        )
    return found


def _require_whole(answer: Answer, name: str, by: str) -> None:
    is_compared = all(f"{part}_before" in answer.table.column_names for part in figures_behind(name))
    is_split = [dimension.name for dimension in answer.by] == [by]
    if not is_compared or not is_split or answer.keys_found > answer.table.num_rows:
        raise NotExplainedError(
            f"This answer does not explain {name}.",
            why="Its parts must all be there, for both periods, or they don't add up.",
            fix=f"Ask for {' and '.join(figures_behind(name))} by {by} alone, compared and without a limit.",
        )
