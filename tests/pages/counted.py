"""How tests hold what a page shows against what counting the rows gives."""

import re
from decimal import Decimal

from app.ui import words

# Told from a histogram: at most a hundredth off.
NEARLY = {"generation_time_p50", "generation_time_p95"}


def of_tiles(seen, facts):
    """What the page's tiles must show."""
    names = [name for name in seen.tiles if name != "contacts"]
    counted = next(iter(facts.of(names).values()), {}) if names else {}
    return {**counted, "contacts": last(facts.contacts_on())} if "contacts" in seen.tiles else counted


def last(by_day):
    return by_day[max(by_day)]["contacts"] if by_day else 0


def told_as(metric, text, expected):
    """Rounded to the places that are shown."""
    found = re.match(r"([−-]?[\d,]+(?:\.\d+)?)( %| s|×)?", text)
    if found is None:
        # A sum of nothing may be told as nothing.
        return not expected if text == words.NOTHING else False
    number = Decimal(found[1].replace(",", "").replace("−", "-"))
    scale = 100 if found[2] == " %" else 1
    half = Decimal(5).scaleb(number.as_tuple().exponent - 1) + Decimal("1e-9")
    return same(metric, number, None if expected is None else Decimal(expected) * scale, half)


def same(metric, shown, expected, within):
    if not shown and not expected:
        return True
    if shown is None or expected is None:
        return False
    expected = Decimal(expected)
    return abs(shown - expected) <= within + (abs(expected) / 90 if metric in NEARLY else abs(expected) / 10**9)
