"""What reading a file gives: its lines, or all that is wrong with it, row by row. There is no half of a file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.money.bills import SMALLEST, Billed
from db.errors import SightlineError

_MOST_TOLD = 12
_MOST_DOLLARS = Decimal(10**7)
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Problem:
    """Where something is wrong, and what."""

    place: str
    what: str


class UnreadableBillError(SightlineError):
    """A file that can't be taken as it is; `problems` has every row of it that is wrong."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        told = [f"{one.place}: {one.what}" for one in problems[:_MOST_TOLD]]
        more = len(problems) - len(told)
        super().__init__(
            f"{name} was not read: {len(problems):,} of its rows {'is' if len(problems) == 1 else 'are'} wrong."
            if len(problems) != 1
            else f"{name} was not read: one of its rows is wrong.",
            why="\n".join([*told, *([f"and {more:,} more."] if more else [])]),
            fix="Nothing of it was taken. Export it again, whole, or correct these rows.",
        )
        self.problems = tuple(problems)


class RowError(ValueError):
    """What is wrong with one value of a row."""


@dataclass(frozen=True)
class Line:
    """A line of a bill, and the row that it is made of."""

    billed: Billed
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Read:
    """What a file says: costs, or usage alone; of which days, by whose clock."""

    provider: str
    kind: str
    zone: str
    days: frozenset[date]
    lines: tuple[Line, ...]
    rows: int
    # What a file has besides, in sentences.
    left_out: tuple[str, ...] = ()
    # By the first of its month.
    tax: Mapping[date, Decimal] = field(default_factory=dict)


@dataclass
class Collector:
    """Takes rows one by one and remembers what is wrong; rows may come in any order."""

    name: str
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    rows: int = 0
    _seen: dict[object, str] = field(default_factory=dict)

    def wrong(self, place: str, what: str) -> None:
        self.problems.append(Problem(place, what))

    def once(self, place: str, key: object) -> None:
        """Refuse a row that says what another of the file says already: one of the two would count twice."""
        if key in self._seen:
            raise RowError(f"it tells again what {self._seen[key]} tells.")
        self._seen[key] = place

    def finish(self, provider: str, kind: str, *, zone: str = "UTC", **more: Any) -> Read:  # noqa: ANN401 - fields of a reading
        """The whole, or an error that names every wrong row."""
        if not self.problems and not self.days:
            self.wrong("The file", "it has no rows.")
        if self.problems:
            raise UnreadableBillError(self.name, self.problems)
        return Read(
            provider, kind, zone, frozenset(self.days), tuple(_with_step(self.lines)), self.rows, **more
        )  # fmt: skip


def _with_step(lines: list[Line]) -> Iterator[Line]:
    """The smallest amount of a file is that of its most exact row: numbers lose the zeros at their end."""
    amounts = [line.billed.amount for line in lines if line.billed.amount]
    places = max((-int(amount.normalize().as_tuple().exponent) for amount in amounts), default=12)
    step = Decimal(1).scaleb(-min(max(places, 2), 12))
    for line in lines:
        yield replace(line, billed=replace(line.billed, step=max(step, SMALLEST)))


def objects_in(text: str, collector: Collector) -> list[Mapping[str, Any]]:
    """The pages of an interface's answer: one object, or a list of them, in any order, to the last."""
    try:
        found = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        ends = " It ends in the middle." if error.pos >= len(text.rstrip()) - 1 else ""
        collector.wrong(f"Line {error.lineno}", f"it is no JSON.{ends}")
        return []
    pages = found if isinstance(found, list) else [found]
    if not pages or not all(isinstance(page, dict) and isinstance(page.get("data"), list) for page in pages):
        collector.wrong("The file", "it has no `data`, as a page of the provider's answer has.")
        return []
    if sum(bool(page.get("has_more")) for page in pages) >= len(pages):
        collector.wrong("The last page", "it says that there are more: the file is not whole.")
    return pages


def buckets_in(text: str, collector: Collector) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Each result with its bucket and its place."""
    number = 0
    for page in objects_in(text, collector):
        for bucket in page["data"]:
            number += 1
            results = bucket.get("results") if isinstance(bucket, dict) else None
            if not isinstance(results, list):
                collector.wrong(f"Bucket {number}", "it has no `results`.")
                continue
            yield f"Bucket {number}", bucket, {}
            for place, result in enumerate(results, 1):
                collector.rows += 1
                if isinstance(result, dict):
                    yield f"Bucket {number}, result {place}", bucket, result
                else:
                    collector.wrong(f"Bucket {number}, result {place}", "it is no object.")


def number(value: object, name: str) -> Decimal:
    """A number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise RowError(f"`{name}` is {_shown(value)}, not a number.")
    try:
        told = Decimal(value)
    except InvalidOperation:
        raise RowError(f"`{name}` is {_shown(value)}, not a number.") from None
    if not told.is_finite() or abs(told) >= Decimal(10**17):
        raise RowError(f"`{name}` is {_shown(value)}, which can't be.")
    return told


def count(value: object, name: str) -> int:
    """A whole number that is not negative; missing is none."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RowError(f"`{name}` is {_shown(value)}, not a count.")
    return value


def dollars(told: Decimal, name: str) -> Decimal:
    """An amount as it is kept, in twelve places: what floats add beyond them is noise."""
    if abs(told) >= _MOST_DOLLARS:
        raise RowError(f"`{name}` is {told:,f} dollars, which can't be.")
    return told.quantize(SMALLEST)


def in_dollars(currency: object) -> None:
    if not isinstance(currency, str) or currency.upper() != "USD":
        raise RowError(f"it is in {_shown(currency)}; the ledger is in dollars.")


def word(row: Mapping[str, Any], name: str) -> str | None:
    """A text, or nothing."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise RowError(f"`{name}` is {_shown(value)}, not a text.")
    return value or None


def day_of_seconds(start: object, end: object) -> date:
    """A bucket of a day, in seconds since 1970."""
    first, last = count(start, "start_time"), count(end, "end_time")
    if last - first != _DAY_SECONDS or first % _DAY_SECONDS:
        raise RowError("it is not one day (UTC): ask for buckets of a day.")
    return datetime.fromtimestamp(first, UTC).date()


def day_of_moments(start: object, end: object) -> date:
    """A bucket of a day, by its first and last moment."""
    try:
        first, last = (datetime.fromisoformat(str(one)) for one in (start, end))
        seconds = (last - first).total_seconds()
    except (TypeError, ValueError):
        raise RowError(f"its times are {_shown(start)} and {_shown(end)}.") from None
    if first.tzinfo is None or seconds != _DAY_SECONDS or first.astimezone(UTC).time() != datetime.min.time():
        raise RowError("it is not one day (UTC): ask for buckets of a day.")
    return first.astimezone(UTC).date()


def _shown(value: object) -> str:
    return repr(value)[:40]
