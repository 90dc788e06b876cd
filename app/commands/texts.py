"""Texts as people type and read them, made fit to be kept in one line, or told in a sentence."""

from datetime import UTC, datetime
from decimal import Decimal

_LONGEST = 80


def one_line(text: str) -> str:
    """Without control characters, and with single spaces."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def shortened(text: str) -> str:
    """Enough of it to know it by."""
    line = one_line(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def plain(value: object) -> str:
    """A field's value as people read it."""
    if value is None or value in ("", (), []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(plain(one) for one in value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%d %B %Y %H:%M} UTC"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
