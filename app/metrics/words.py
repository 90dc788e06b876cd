"""Figures, days and names, written the same everywhere: on pages, in files and on paper."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from app.metrics.dimensions import Dimension
from app.metrics.metric import Metric, Unit

Key = TypeVar("Key")

NOTHING = "–"
PRODUCT_NAMES = {
    "email_studio": "E-mail studio",
    "web_builder": "Web builder",
    "craft_ads": "CraftAds",
    "ads_autopilot": "Ads autopilot",
    "mailer": "Mailer",
}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPELLED = {
    "ai": "AI",
    "api": "API",
    "cpa": "CPA",
    "cpc": "CPC",
    "cpm": "CPM",
    "ctr": "CTR",
    "emails": "E-mails",
    "email": "E-mail",
    "id": "ID",
    "mrr": "MRR",
    "openai": "OpenAI",
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "roas": "ROAS",
}
_MILLION = 1_000_000
_NEARLY = 1e-6
_MOST_PLACES = 6
_PLACES_BELOW_ONE = 4
# Amounts are kept with so many.
_PLACES_KEPT = 12
_TWO_PLACES = {Unit.PERCENT: (100, " %"), Unit.TIMES: (1, "×"), Unit.SECONDS: (1, " s")}
_LONGEST = 10 * _MILLION
_END_OF_KEY = 8


def count(number: int | Decimal) -> str:
    return f"{int(number):,}"


def counted(number: int, thing: str) -> str:
    """One row, two rows."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def money(amount: Decimal | float, currency: str) -> str:
    """Rounded once, here. Small prices keep the places that tell them apart."""
    return f"{_amount(amount)} {currency}".rstrip()


def exact(amount: Decimal) -> str:
    """With all of its places, and at least those of cents."""
    places = -int(amount.normalize().as_tuple().exponent)
    return f"{amount:,.{max(2, places)}f}"


def figure(value: Any, unit: Unit | None, currency: str | None = None) -> str:  # noqa: ANN401 - a cell of any column
    """A figure with its unit. An amount bears its currency where one is named."""
    if value is None:
        return NOTHING
    if unit is Unit.MONEY:
        return money(value, currency or "")
    if unit in _TWO_PLACES:
        times, sign = _TWO_PLACES[unit]
        return f"{value * times:,.2f}{sign}"
    if isinstance(value, float | Decimal) and value != int(value):
        return f"{value:,.2f}"
    return f"{int(value):,}"


def short(value: Any, unit: Unit | None, currency: str | None = None) -> str:  # noqa: ANN401 - as above
    """For tiles: what has more than seven digits is told in millions."""
    is_long = value is not None and unit is not Unit.PERCENT and abs(value) >= _LONGEST
    if not is_long:
        return figure(value, unit, currency)
    text = f"{value / _MILLION:,.2f} M"
    return f"{text} {currency}" if unit is Unit.MONEY and currency else text


def tick(value: float, unit: Unit | None, step: float, largest: float) -> str:
    """On an axis: as many places as the step has, and all in thousands or millions where the largest is."""
    if unit is Unit.PERCENT:
        return f"{value * 100:,.{_places(step * 100)}f} %"
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if abs(largest) >= size:
            divided = 1e3 if sign == "k" else size
            return f"{value / divided:,.{_places(step / divided)}f} {sign}" if value else "0"
    text = f"{value:,.{_places(step)}f}"
    return f"{text}{ {Unit.SECONDS: ' s', Unit.TIMES: '×'}.get(unit, '') if unit else '' }"


def change(value: float, unit: Unit) -> str:
    """How much, without its sign. Rates change by points: ten per cent of a rate could be read in two ways."""
    return f"{abs(value) * 100:,.2f} points" if unit is Unit.PERCENT else f"{abs(value) * 100:,.1f} %"


def day(value: date) -> str:
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime) -> str:
    return f"{value.day} {value:%b %Y, %H:%M}"


def spelled(name: str) -> str:
    """A name of the code as people write it: `emails_delivered` is E-mails delivered."""
    if name in PRODUCT_NAMES:
        return PRODUCT_NAMES[name]
    words = [_SPELLED.get(word, word) for word in name.split("_")]
    return words[0][:1].upper() + " ".join(words)[1:] if words[0] == words[0].lower() else " ".join(words)


def title(metric: Metric) -> str:
    return spelled(metric.name)


def value_of(dimension: Dimension, value: Any) -> str:  # noqa: ANN401 - a key of any kind
    """A dimension's value as people read it."""
    if value is None:
        return "(none)"
    if dimension.name == "weekday":
        return _WEEKDAYS[int(value) - 1]
    if dimension.name == "hour":
        return f"{int(value):02}:00"
    if isinstance(value, date):
        return bucket(dimension.name, value)
    return spelled(str(value)) if dimension.values else str(value)


def name_of(dimension: Dimension, row: Mapping[str, Any]) -> str:
    """What a row has of a dimension, by name where it has one."""
    return value_of(dimension, row.get(f"{dimension.name}_name") or row[dimension.name])


def told_apart(names: Mapping[Key, str]) -> dict[Key, str]:
    """Names by key; things of one name bear the end of their keys as well."""
    how_often = Counter(names.values())
    return {key: name if how_often[name] == 1 else f"{name} (…{_end(key)})" for key, name in names.items()}


def _end(key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return " · ".join(str(part)[-_END_OF_KEY:] for part in parts)


def bucket(grain: str, start: date | int) -> str:
    """A stretch of time by its first day, or by how far it lies from a beginning."""
    if isinstance(start, int):
        return f"{grain} {start}"
    if grain == "month":
        return f"{start:%b %Y}"
    if grain == "quarter":
        return f"Q{(start.month + 2) // 3} {start.year}"
    if grain == "year":
        return str(start.year)
    if isinstance(start, datetime):
        return f"{start.day} {start:%b, %H:00}"
    return f"week of {day(start)}" if grain == "week" else day(start)


def _amount(amount: Decimal | float) -> str:
    if not amount or not -1 < amount < 1:
        return f"{amount:,.2f}"
    # What is not nothing never looks like nothing: two digits of it are seen.
    places = max(_PLACES_BELOW_ONE, 1 - Decimal(amount).adjusted())
    return f"{amount:,.{min(places, _PLACES_KEPT)}f}"


def _places(step: float) -> int:
    """As many as it takes to write the step exactly, up to six."""
    return next(
        (places for places in range(_MOST_PLACES) if abs(step - round(step, places)) < _NEARLY * step), _MOST_PLACES
    )
