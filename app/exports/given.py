"""How a list is narrowed, as an address says it: names with texts, read as what they stand for."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from app.metrics.errors import MalformedQuestionError

Values = Mapping[str, tuple[str, ...]]
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


def given(**named: object) -> Values:
    """What is chosen on a page, as texts; what is None or empty narrows nothing and is left out."""
    listed = {name: value if isinstance(value, tuple | list) else (value,) for name, value in named.items()}
    texts = {name: tuple(str(one) for one in values if one not in {None, ""}) for name, values in listed.items()}
    return {name: values for name, values in texts.items() if values}


def text_of(values: Values, name: str) -> str:
    return values.get(name, ("",))[-1]


def key_of(values: Values, name: str) -> UUID | None:
    if name not in values:
        return None
    try:
        return UUID(text_of(values, name))
    except ValueError:
        raise _unreadable(name, "a key") from None


def key_named(values: Values, name: str) -> UUID:
    """A key without which there is no such list."""
    key = key_of(values, name)
    if key is None:
        raise _unreadable(name, "a key")
    return key


def day_of(values: Values, name: str) -> date | None:
    if name not in values:
        return None
    try:
        day = date.fromisoformat(text_of(values, name))
    except ValueError:
        raise _unreadable(name, "a day") from None
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise _unreadable(name, "a day")
    return day


def _unreadable(name: str, what: str) -> MalformedQuestionError:
    return MalformedQuestionError(
        f"The address names {what} as '{name}' that can't be read.", fix="Open the download from a page again."
    )
