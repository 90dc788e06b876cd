"""What a source changed afterwards: figures of the same days, as two versions of the lake tell them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

Figure = int | Decimal


@dataclass(frozen=True)
class Restated:
    """A figure of a day, then and now. None: there was no row of that day, or its amount could not be told."""

    day: date
    figure: str
    then: Figure | None
    now: Figure | None

    @property
    def by(self) -> Figure | None:
        """How much it was changed; a day that came later is changed by all it has."""
        return None if self.then is None or self.now is None else self.now - self.then


def restated(
    then: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]], figures: Sequence[str]
) -> list[Restated]:
    """Every figure that differs, the newest day first. A day without a row had nothing."""
    before, after = ({row["day"]: row for row in rows} for rows in (then, now))
    found = [
        Restated(day, figure, _at(before.get(day), figure), _at(after.get(day), figure))
        for day in sorted({*before, *after}, reverse=True)
        for figure in figures
    ]
    return [one for one in found if one.then != one.now]


def _at(row: Mapping[str, Any] | None, figure: str) -> Figure | None:
    """Nothing happened where there is no row; an amount that can't be told stays unknown."""
    if row is None:
        return 0
    value: Figure | None = row[figure]
    return value
