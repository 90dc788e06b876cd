"""Answers as lines: which points there are, also those that have no row, and one list of values for each line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.metrics.answer import Answer
from app.metrics.metric import Additivity, Metric, Unit
from app.ui import words

MOST_LINES = 6
_LONGEST_DAYS = {"week": 7, "month": 31, "quarter": 92, "year": 366}
# A whole number is a distance from some beginning, in the unit that the grain names.
Point = date | datetime | int


@dataclass(frozen=True)
class Series:
    """One line: its name, its unit, and a value for each point, or None."""

    name: str
    unit: Unit
    values: tuple[float | None, ...]
    is_before: bool = False


@dataclass(frozen=True)
class OverTime:
    """Lines over the same points; `left_out` lines are too many to be told apart."""

    grain: str
    points: tuple[Point, ...]
    series: tuple[Series, ...]
    running: int | None
    left_out: int = 0


def over_time(answer: Answer, metrics: Sequence[Metric]) -> OverTime:
    """One line a metric; where the answer is split by something besides time, one line a value of the first metric."""
    grain = "hour" if any(one.name == "hour" for one in answer.by) else _bucket(answer)
    points = tuple(_points(answer, grain))
    split = next((one for one in answer.by if not one.is_bucket and one.name != "hour"), None)
    rows = answer.rows()
    if split is None:
        return OverTime(
            grain, points, tuple(_of_metrics(answer, rows, metrics, points, grain)), _running(answer, points)
        )
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[split.name], []).append(row)
    first = metrics[0]
    largest = sorted(groups, key=lambda key: -sum(float(row[first.name] or 0) for row in groups[key]))[:MOST_LINES]
    names = words.told_apart({key: words.name_of(split, groups[key][0]) for key in largest})
    series = tuple(
        Series(names[key], first.unit, _values(groups[key], first, first.name, points, grain)) for key in largest
    )
    return OverTime(grain, points, series, _running(answer, points), max(0, len(groups) - MOST_LINES))


def _of_metrics(
    answer: Answer, rows: Sequence[Mapping[str, Any]], metrics: Sequence[Metric], points: Sequence[Point], grain: str
) -> Iterator[Series]:
    for metric in metrics:
        yield Series(words.title(metric), metric.unit, _values(rows, metric, metric.name, points, grain))
    # Two lines can be compared with two others by nobody.
    before = f"{metrics[0].name}_before"
    if len(metrics) == 1 and before in answer.table.column_names:
        values = list(_values(rows, metrics[0], before, points, grain))
        if _running(answer, points) is not None:
            # What is still running is compared with nothing.
            values[-1] = None
        yield Series("before", metrics[0].unit, tuple(values), is_before=True)


def _values(
    rows: Sequence[Mapping[str, Any]], metric: Metric, column: str, points: Sequence[Point], grain: str
) -> tuple[float | None, ...]:
    # What adds up is zero where nothing happened; a rate is not there.
    nothing = 0.0 if metric.additivity is Additivity.EVERYTHING else None
    found = {_point(row, grain): row[column] for row in rows}
    return tuple(nothing if found.get(point) is None else float(found[point]) for point in points)


def _point(row: Mapping[str, Any], grain: str) -> Point:
    if grain == "hour":
        return datetime.combine(row["day"], time(int(row["hour"])))
    found: date = row[grain]
    return found


def _bucket(answer: Answer) -> str:
    return next(one.name for one in answer.by if one.is_bucket)


def _points(answer: Answer, grain: str) -> Iterator[Point]:
    """Every stretch that begins before the period's end and before the data's."""
    since, until = answer.receipt.period
    through = answer.receipt.data_through
    running = answer.receipt.running_day
    until = running + timedelta(days=1) if running else until
    if grain == "hour":
        first = datetime.combine(since, time())
        told = through.astimezone(ZoneInfo(answer.receipt.zone)).replace(tzinfo=None) - first
        # Hours that have not come are not zero; one that has begun is running.
        begun = -(-told // timedelta(hours=1))
        for number in range(min((until - since).days * 24, max(1, begun))):
            yield first + timedelta(hours=number)
        return
    point = first_of(grain, since)
    while point < min(until, through.date() + timedelta(days=2)):
        yield point
        point = next_of(grain, point)


def next_of(grain: str, day: date) -> date:
    """The first day of the stretch after the one that a day begins; an hour is a part of its day."""
    return first_of(grain, day + timedelta(days=_LONGEST_DAYS.get(grain, 1)))


def first_of(grain: str, day: date) -> date:
    """The first day of the stretch that a day is in."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    if grain == "month":
        return day.replace(day=1)
    if grain == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1) if grain == "year" else day


def _running(answer: Answer, points: Sequence[Point]) -> int | None:
    return len(points) - 1 if answer.receipt.running_day is not None and points else None
