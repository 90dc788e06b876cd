"""Takes secrets out of whatever is about to be logged: known ones, and what looks like one by its name or shape."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from structlog.typing import EventDict, WrappedLogger

HIDDEN = "***"
# A shorter known value would blacken half of every line.
_SHORTEST_KNOWN = 4
# Deeper than this, a value is written out as one text, which also ends values that contain themselves.
_DEEPEST = 6

_HIDDEN_NAME = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|authorization|credential|cookie"
    r"|(?:api|private|access|signing|encryption)[-_ ]?key)"
)
_NAMES_A_SECRET = re.compile(_HIDDEN_NAME, re.IGNORECASE)
_NAMES_A_COUNT = re.compile(r"token(?:s|_?count)", re.IGNORECASE)
_COUNT = re.compile(r"-?\d[\d.,]*\W*")

_NAMED_VALUE = re.compile(
    rf"(?P<name>{_HIDDEN_NAME}[\w.-]{{0,40}})"
    r"(?P<between>[\"'\\]*\s*(?:=>|[:=])\s*)"
    r"(?P<value>\\+[\"'].*?(?:\\+[\"']|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)"
    r"|[\[{(][^\n]*|(?:(?:bearer|basic|token)\s+)?\S+)",  # of a list or mapping, the rest of its line
    re.IGNORECASE | re.DOTALL,
)
# Every pattern ends at the end of the text where its own end is missing: what is cut off stays hidden, and a hostile
# text is read once and not once per beginning.
_SHAPES = [
    (re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:sk|rk|whsec|xox[a-z]|gh[a-z])[-_][\w-]{16,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\bEAA[A-Za-z0-9]{20,}"), HIDDEN),
    (re.compile(r"\bv1\.[a-z0-9]{1,32}\.[\w-]{38,}"), HIDDEN),
    # What Postgres repeats of a row or a value when it refuses it.
    (re.compile(r"(Failing row contains )\(.*?(?:\)\.?(?=\n|\Z)|\Z)", re.DOTALL), rf"\1({HIDDEN})."),
    (
        re.compile(r"(Key \([^\n]{0,200}?\)=)\(.*?(?:\)(?= already| is not| is still| conflicts|\n|\Z)|\Z)", re.DOTALL),
        rf"\1({HIDDEN})",
    ),
    (
        re.compile(r"(invalid input (?:syntax|value) for [^:\n]{0,80}: )\".*?(?:\"(?=\n|\Z)|\Z)", re.DOTALL),
        rf'\1"{HIDDEN}"',
    ),
]
_ADDRESS = re.compile(r"://\S*")
_USER_IN_ADDRESS = re.compile(r"://([^/:@]*)([:@])")

_known: set[str] = set()


def never_log(*secrets: str) -> None:
    """From now on, hide these values wherever they appear, also as they are spelled in URLs, JSON and `repr`."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_KNOWN:
            _known.update({secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]})


def without_secrets(text: str) -> str:
    """A text with every known and every secret-looking part hidden."""
    for known in sorted(_known, key=len, reverse=True):
        text = text.replace(known, HIDDEN)
    for shape, hidden in _SHAPES:
        text = shape.sub(hidden, text)
    text = _ADDRESS.sub(_hide_password, text)
    return _NAMED_VALUE.sub(_hide_value, text)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The structlog processor: what comes out is plain data without secrets, so that no renderer can spell one out."""
    return _clean_mapping(event, _DEEPEST)


def is_secret(name: str, value: object) -> bool:
    """Whether a value must be hidden because of its name; a number of language-model tokens need not be."""
    if value is None or isinstance(value, bool):
        return False
    if _NAMES_A_COUNT.search(name) and _COUNT.fullmatch(str(value)):
        return False
    return _NAMES_A_SECRET.search(name) is not None


def _hide_password(found: re.Match[str]) -> str:
    """Of postgresql://user:password@host, what lies before the last @: a password may contain one."""
    address = found[0]
    end = address.rfind("@")
    user = _USER_IN_ADDRESS.search(address, 0, end + 1)
    if user is None:
        return address
    shown = user.end() if user[2] == ":" else user.start(1)
    return address[:shown] + HIDDEN + address[end:]


def _hide_value(found: re.Match[str]) -> str:
    if not is_secret(found["name"], found["value"]):
        return found[0]
    quote_mark = found["value"][0] if found["value"][0] in "\"'" else ""
    return f"{found['name']}{found['between']}{quote_mark}{HIDDEN}{quote_mark}"


def _clean(value: object, deepest: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and deepest:
        return _clean_mapping(value, deepest)
    if isinstance(value, list | tuple | set | frozenset) and deepest:
        return [_clean(item, deepest - 1) for item in value]
    if isinstance(value, bytes | bytearray):
        return without_secrets(value.decode(errors="replace"))
    return without_secrets(str(value))


def _clean_mapping(values: Mapping[Any, object], deepest: int) -> dict[str, object]:
    return {
        without_secrets(str(name)): HIDDEN if is_secret(str(name), value) else _clean(value, deepest - 1)
        for name, value in values.items()
    }
