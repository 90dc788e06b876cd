"""What is asked: metrics, by which dimensions, where, over which days, compared with what, as of which version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from app.metrics.dimensions import GRAINS, Dimension, Kind, dimension
from app.metrics.errors import (
    EmptyPeriodError,
    MalformedQuestionError,
    UnknownDimensionError,
    UnknownValueError,
    did_you_mean,
)
from app.metrics.glossary import metric
from app.metrics.metric import Leaf, Metric, leaves

Value = str | int | None
_SOME_DAY = date(2000, 1, 1)
_LARGEST_VALUE = 10**9


class Compare(StrEnum):
    """The days that a period is compared with."""

    PREVIOUS = "previous"
    YEAR = "year"


@dataclass(frozen=True)
class Filter:
    """Only rows with one of the values, or none of them. None is a value: what has none."""

    dimension: str
    values: tuple[Value, ...]
    is_excluded: bool = False


@dataclass(frozen=True)
class Question:
    """One question. The days run from `since` up to, and without, `until`, in the reporting zone."""

    metrics: tuple[str, ...]
    since: date
    until: date
    by: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    grain: str | None = None
    compare: Compare | None = None
    order: str | None = None
    limit: int | None = None
    as_of: int | None = None


def question(
    metrics: str | Sequence[str],
    since: date,
    until: date,
    *,
    by: str | Sequence[str] = (),
    where: Mapping[str, Value | Sequence[Value]] | None = None,
    exclude: Mapping[str, Value | Sequence[Value]] | None = None,
    grain: str | None = None,
    compare: str | None = None,
    order: str | None = None,
    limit: int | None = None,
    as_of: int | None = None,
) -> Question:
    """A question from plain values: one or several metrics and dimensions, filters as a mapping."""
    return Question(
        metrics=_listed(metrics),
        since=since,
        until=until,
        by=_listed(by),
        where=(*_filters(where, is_excluded=False), *_filters(exclude, is_excluded=True)),
        grain=grain,
        compare=_compare(compare),
        order=order,
        limit=limit,
        as_of=as_of,
    )


@dataclass(frozen=True)
class Checked:
    """A question whose names are known and whose parts fit together."""

    question: Question
    metrics: tuple[Metric, ...]
    by: tuple[Dimension, ...]
    where: tuple[tuple[Dimension, Filter], ...]

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        return tuple(dict.fromkeys(leaf for metric in self.metrics for leaf in leaves(metric)))

    @property
    def asked(self) -> tuple[Dimension, ...]:
        """All dimensions that a rollup must lead to."""
        return tuple(dict.fromkeys((*self.by, *(dimension for dimension, _ in self.where))))

    @property
    def bucket(self) -> Dimension | None:
        return next((dimension for dimension in self.by if dimension.is_bucket), None)

    def is_fixed(self, name: str) -> bool:
        """A dimension that has one value in the whole answer, or a row of its own for each."""
        if any(dimension.name == name for dimension in self.by):
            return True
        if name == "day":
            return (self.question.until - self.question.since).days == 1
        return any(
            dimension.name == name and len(filter_.values) == 1 and not filter_.is_excluded
            for dimension, filter_ in self.where
        )


def outline(checked: Checked) -> Checked:
    """The question without its days and values: what has the same outline has the same route and the same text."""
    asked = checked.question
    until = _SOME_DAY + min(asked.until - asked.since, timedelta(days=2))
    limit = None if asked.limit is None else 1
    bare = replace(asked, since=_SOME_DAY, until=until, where=(), limit=limit, as_of=None)
    where = tuple((dimension, _outlined(filter_)) for dimension, filter_ in checked.where)
    return replace(checked, question=bare, where=where)


def _outlined(filter_: Filter) -> Filter:
    listed = [value for value in filter_.values if value is not None]
    nothing = (None,) if None in filter_.values else ()
    return replace(filter_, values=(*("one", "several")[: len(listed)], *nothing))


def check(asked: Question) -> Checked:
    """Look up every name, and refuse what contradicts itself."""
    if not asked.metrics:
        raise MalformedQuestionError(
            "No metric was asked for.", fix="Name at least one; `sightline metrics` lists them."
        )
    if asked.since >= asked.until:
        raise EmptyPeriodError(
            f"The period from {asked.since} until {asked.until} has no day in it.",
            why="The day at its end is not part of a period.",
            fix=f"End it at {asked.since.fromordinal(asked.since.toordinal() + 1)} or later.",
        )
    by = tuple(dict.fromkeys((*_grain(asked.grain), *asked.by)))
    checked = Checked(
        asked,
        metrics=tuple(dict.fromkeys(metric(name) for name in asked.metrics)),
        by=tuple(dimension(name) for name in by),
        where=tuple((dimension(filter_.dimension), _typed(filter_)) for filter_ in asked.where),
    )
    _refuse_contradictions(checked)
    return checked


def _grain(grain: str | None) -> tuple[str, ...]:
    if grain is not None and grain not in GRAINS:
        raise UnknownDimensionError(
            f"No grain is named '{grain}'.",
            why=f"Time is split by {', '.join(GRAINS)}.",
            fix=did_you_mean(grain, GRAINS, "Choose one of these."),
        )
    return (grain,) if grain else ()


def _refuse_contradictions(checked: Checked) -> None:
    buckets = [dimension.name for dimension in checked.by if dimension.is_bucket]
    if len(buckets) > 1:
        raise MalformedQuestionError(
            f"Time can't be split by {' and by '.join(buckets)} at once.", fix=f"Choose one, such as {buckets[0]}."
        )
    for named, _ in checked.where:
        if named.is_bucket:
            raise MalformedQuestionError(
                f"'{named.name}' is no filter.", why="A question's days are its period.", fix="Set since and until."
            )
    limit, order = checked.question.limit, checked.question.order
    if limit is not None and limit < 1:
        raise MalformedQuestionError("A limit is at least 1.", fix="Leave it out to get every row.")
    known = {*(one.name for one in checked.by), *(one.name for one in checked.metrics), *checked.question.metrics}
    if order is not None and order.removeprefix("-") not in known:
        raise MalformedQuestionError(
            f"The answer can't be ordered by '{order.removeprefix('-')}'.",
            why="It has no such column.",
            fix=did_you_mean(order.removeprefix("-"), known, f"It has {', '.join(sorted(known))}."),
        )


def _typed(filter_: Filter) -> Filter:
    """With values of the dimension's kind; where there is a list of all values, only those of it."""
    named = dimension(filter_.dimension)
    if not filter_.values:
        raise MalformedQuestionError(f"The filter on '{named.name}' has no value.", fix="Name one, or leave it out.")
    values = tuple(_whole(named, value) if named.kind is Kind.WHOLE else _text(value) for value in filter_.values)
    for value in values:
        if named.values and value is not None and value not in named.values:
            raise UnknownValueError(
                f"'{value}' is no {named.name}.",
                why=f"There are {', '.join(sorted(named.values))}.",
                fix=did_you_mean(str(value), named.values, "Choose one of these."),
            )
    return Filter(named.name, tuple(dict.fromkeys(values)), filter_.is_excluded)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _whole(named: Dimension, value: Value) -> int | None:
    try:
        number = None if value is None else int(value)
    except ValueError:
        raise UnknownValueError(f"'{value}' is no {named.name}.", why="It must be a whole number.") from None
    if number is not None and abs(number) > _LARGEST_VALUE:
        raise UnknownValueError(f"'{value}' is no {named.name}.", why="It is too large a number.")
    return number


def _listed(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _filters(given: Mapping[str, Value | Sequence[Value]] | None, *, is_excluded: bool) -> Iterable[Filter]:
    for name, values in (given or {}).items():
        listed = (values,) if values is None or isinstance(values, str | int) else tuple(values)
        yield Filter(name, listed, is_excluded)


def _compare(given: str | None) -> Compare | None:
    if given is None or given in set(Compare):
        return None if given is None else Compare(given)
    raise MalformedQuestionError(
        f"A period can't be compared with '{given}'.",
        why="It can be compared with the one just before it, or with the same dates a year ago.",
        fix="Choose 'previous' or 'year', or leave it out.",
    )
