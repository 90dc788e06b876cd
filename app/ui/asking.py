"""Questions of a page, for the one who looks at it; a refusal is something to show, not a failure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from app.answering import the_desk
from app.lake.lake import NoLakeError, UnknownVersionError
from app.lake.storage import LakeDamagedError
from app.metrics.answer import Answer
from app.metrics.dimensions import Dimension
from app.metrics.errors import CannotAnswerError, UnknownValueError
from app.metrics.glossary import metric
from app.metrics.metric import Metric, permissions
from app.metrics.question import Question, Value, question
from app.ui.scope import Scope
from db.errors import SightlineError

_REFUSALS = (CannotAnswerError, UnknownValueError, NoLakeError, UnknownVersionError, LakeDamagedError)
_HOUR = "hour"

Where = Mapping[str, Value | Sequence[Value]]


@dataclass(frozen=True)
class Asked(Answer):
    """An answer that knows what was asked, by whom and on what page: its receipt and its downloads ask again."""

    question: Question
    scope: Scope


@dataclass(frozen=True)
class Refused:
    """Stands where an answer would: whatever is to show it shows why there is none."""

    reason: SightlineError
    metrics: tuple[Metric, ...]
    by: tuple[Dimension, ...] = ()
    keys_found: int = 0

    @property
    def is_empty(self) -> bool:
        return True

    def rows(self) -> list[dict[str, Any]]:
        return []

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame()

    def value(self, column: str) -> None:  # noqa: ARG002 - as of an answer
        return None


def ask(
    metrics: str | Sequence[str],
    scope: Scope,
    *,
    by: str | Sequence[str] = (),
    grain: str | None = None,
    where: Where | None = None,
    exclude: Where | None = None,
    order: str | None = None,
    limit: int | None = None,
) -> Asked | Refused:
    """The answer to the page's viewer, over the page's days and filters. Whoever lacks a permission is told so."""
    asked = asked_for(metrics, scope, by=by, grain=grain, where=where, exclude=exclude, order=order, limit=limit)
    return answered(asked, scope)


def asked_for(
    metrics: str | Sequence[str],
    scope: Scope,
    *,
    by: str | Sequence[str] = (),
    grain: str | None = None,
    where: Where | None = None,
    exclude: Where | None = None,
    order: str | None = None,
    limit: int | None = None,
) -> Question:
    """The question itself. Hours of days are two dimensions, as they lie in the rollups."""
    split = (by,) if isinstance(by, str) else tuple(by)
    return question(
        metrics,
        scope.since,
        scope.until,
        by=(*split, _HOUR) if grain == _HOUR else split,
        where={**scope.where, **(where or {})},
        exclude=exclude,
        grain="day" if grain == _HOUR else grain,
        compare=scope.compare,
        order=order,
        limit=limit,
        as_of=scope.as_of,
    )


def answered(asked: Question, scope: Scope) -> Asked | Refused:
    try:
        found = the_desk().ask(asked, scope.viewer)
    except _REFUSALS as reason:
        return Refused(reason, tuple(metric(name) for name in asked.metrics))
    return Asked(found.table, found.metrics, found.by, found.keys_found, found.receipt, asked, scope)


def seen_by(names: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """Those of the metrics that the viewer may see."""
    return tuple(name for name in names if all(scope.viewer.may(one) for one in permissions(metric(name))))
