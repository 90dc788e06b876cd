"""How tests hold what a page shows against what counting the rows gives."""

import re
from decimal import Decimal

from app.metrics.dimensions import dimension
from app.metrics.glossary import metrics
from app.ui import words
from tests.pages.facts import name_of

TITLES = {words.title(one): one.name for one in metrics().values()}

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


def columns_of(card, of):
    """Which metric stands in which place; a change, which stands beside its figure, has no heading of its own."""
    return {
        place: TITLES[head.split(",")[0] if head.endswith(", USD") else head]
        for place, head in enumerate(card.head)
        if place >= len(of.by) and head
    }


def counted_by(facts, names, by):
    """Of each key; how many contacts there were at the end of the last day."""
    others = [metric for metric in names if metric != "contacts"]
    counted = facts.of(others, by) if others else {}
    if "contacts" in names:
        by_day = facts.contacts_on(by)
        last = max(key[-1] for key in by_day)
        for key, values in by_day.items():
            if key[-1] == last:
                counted.setdefault(key[:-1], dict.fromkeys(others, 0))["contacts"] = values["contacts"]
    return counted


def labels(by, key):
    """As pages write them."""
    return tuple(words.value_of(dimension(name), name_of(value)) for name, value in zip(by, key, strict=False))
