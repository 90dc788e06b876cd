"""A question in the words of a query string, and back: a download is its address, nothing is kept on the server."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from app.metrics.errors import MalformedQuestionError
from app.metrics.question import Question, question

WHERE, EXCLUDE = "where.", "exclude."
_SINGLE = ("grain", "compare", "order")
# Periods are compared with days before them: there must be such days.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
_LARGEST = 10**9
# Longer ones are refused by some of those who pass addresses on.
LONGEST_ADDRESS = 8_000


class Kind(StrEnum):
    """How a download is written."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


def address(asked: Question, kind: Kind, name: str) -> str:
    """Where the answer can be downloaded, by those who may see it."""
    return f"export/{kind}?{urlencode([*_pairs(asked), ('name', name)])}"


def _pairs(asked: Question) -> Iterator[tuple[str, str]]:
    yield from (("metric", name) for name in asked.metrics)
    yield from (("by", name) for name in asked.by)
    yield from (("since", asked.since.isoformat()), ("until", asked.until.isoformat()))
    yield from ((name, str(getattr(asked, name))) for name in _SINGLE if getattr(asked, name) is not None)
    if asked.limit is not None:
        yield "limit", str(asked.limit)
    if asked.as_of is not None:
        yield "as_of", str(asked.as_of)
    for one in asked.where:
        yield from (
            (f"{EXCLUDE if one.is_excluded else WHERE}{one.dimension}", "" if value is None else str(value))
            for value in one.values
        )


def question_of(pairs: Iterable[tuple[str, str]]) -> Question:
    """The question of an address. Whether it can be asked, and by whom, the desk decides."""
    told: dict[str, list[str]] = {}
    for name, value in pairs:
        told.setdefault(name, []).append(value)
    single = {name: told[name][-1] for name in _SINGLE if name in told}
    return question(
        tuple(told.get("metric", ())),
        _day(told, "since"),
        _day(told, "until"),
        by=tuple(told.get("by", ())),
        where=_filters(told, WHERE),
        exclude=_filters(told, EXCLUDE),
        limit=_whole(told, "limit"),
        as_of=_whole(told, "as_of"),
        grain=single.get("grain"),
        compare=single.get("compare"),
        order=single.get("order"),
    )


def _filters(told: dict[str, list[str]], prefix: str) -> dict[str, list[str | None]]:
    return {
        name.removeprefix(prefix): [value or None for value in values]
        for name, values in told.items()
        if name.startswith(prefix)
    }


def _day(told: dict[str, list[str]], name: str) -> date:
    try:
        day = date.fromisoformat(told[name][-1])
    except (KeyError, ValueError):
        day = None
    if day is None or not _FIRST_DAY <= day <= _LAST_DAY:
        raise MalformedQuestionError(
            f"The address names no day from {_FIRST_DAY} to {_LAST_DAY} as '{name}'.",
            why="A download is of a period.",
            fix="Open it from a page again.",
        )
    return day


def _whole(told: dict[str, list[str]], name: str) -> int | None:
    if name not in told:
        return None
    try:
        number = int(told[name][-1])
    except ValueError:
        number = 0
    if not 1 <= number <= _LARGEST:
        raise MalformedQuestionError(
            f"The address names no number from 1 to {_LARGEST:,} as '{name}'.",
            fix="Open the download from a page again.",
        )
    return number
