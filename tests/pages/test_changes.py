"""Every change on a tile equals what counting both periods gives: days that are over, and as many before them."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.metrics.glossary import metrics
from app.metrics.metric import Unit
from tests.pages.counted import NEARLY, of_tiles, told_as
from tests.pages.every_view import address_of
from tests.pages.facts import RATIOS, Facts
from tests.pages.oracles import ROLES, choices

PAGES = ("overview", "e-mail", "audience", "web", "ads", "ai usage", "templates")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", PAGES)
def test_every_change_is_what_counting_both_periods_gives(pages, name, role):
    sets = choices("mailer")
    today = sets["first"].until - timedelta(days=1)
    file, _ = address_of(pages, name)
    for choice in (sets["first"], sets["picked"]):
        seen = pages.open(file, choice.address.replace("&compare=Off", ""), role)
        # The running day is in neither.
        over = replace(choice, until=min(choice.until, today))
        before = replace(over, since=over.since - (over.until - over.since), until=over.since)
        assert seen.changes.keys() == seen.tiles.keys()
        now, then = (of_tiles(seen, Facts(pages.rows, one, role)) for one in (over, before))
        assert [*_wrong(seen, now, then)] == []


def _wrong(seen, now, then):
    for name, (text, against) in seen.changes.items():
        was, grew = then.get(name), _grew(name, now.get(name), then.get(name))
        told = re.fullmatch(r"against (.*) the period before", against)
        if told is None or not told_as(name, told[1], was):
            yield f"{name}: “{against}” is not {was}"
        found = re.match(r"([▲▼=]) ([\d,]+\.\d+) ", text)
        shown = Decimal(found[2].replace(",", "")) * (-1 if found[1] == "▼" else 1) if found else None
        if not _is_shown(name, shown, grew, "points" in text):
            yield f"{name}: “{text}” is not {grew}"


def _is_shown(name, shown, grew, is_in_points):
    if shown is None or grew is None:
        return shown is grew
    half = Decimal("0.0051") if is_in_points else Decimal("0.051")
    return abs(shown - grew * 100) <= (3 if name in NEARLY else half)


def _grew(name, now, before):
    """Percentages by points, all else by its part of what was before; a sum of nothing is nought."""
    is_rate = metrics()[name].unit is Unit.PERCENT
    if name not in RATIOS and name not in NEARLY:
        now, before = now or 0, before or 0
    if now is None or before is None or (not before and not is_rate):
        return None
    change = Decimal(now) - Decimal(before)
    return change if is_rate else change / abs(Decimal(before))
