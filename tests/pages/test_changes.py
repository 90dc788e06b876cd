"""Every change that is shown equals what counting both periods gives: days that are over, and those they are held
against, as many before them or the same dates a year ago."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.metrics.glossary import metrics
from app.metrics.metric import Unit
from app.ui import words
from tests.pages.counted import NEARLY, TITLES, columns_of, counted_by, labels, of_tiles, told_as
from tests.pages.every_view import address_of
from tests.pages.facts import RATIOS, Facts
from tests.pages.oracles import ROLES, choices
from tests.pages.views import VIEWS

PAGES = ("overview", "e-mail", "audience", "web", "ads", "ai usage", "templates")
BEFORE, YEAR = "Previous period", "Year ago"
AGAINST = {BEFORE: "the period before", YEAR: "a year ago"}
# Of tiles, each kind of days with each comparison, by one of the roles.
ASKED = {"admin": {"first": BEFORE, "picked": YEAR}, "limited": {"first": YEAR, "picked": BEFORE}}
# Views whose cards compare, beside the tiles at their top: by columns, marks on bars, or a line of the days before.
COMPARED = {
    "overview": {"Conversions", "Products"},
    "email bounces": {"Bounce events by class"},
    "email links": {"Links"},
    "email readers": {"Opens by device", "Opens by place"},
    "web sources": {"What visitors did", "Conversions by source"},
    "web countries": {"What visitors did", "Views by country", "Countries"},
    **{f"ads by {part}": {f"Spend by {part}"} for part in ("platform", "age")},
    "ai failures": {"Failures by reason", "Failures by model and reason"},
    "audience workspaces": {"Size of the lists", "Lists of the workspaces"},
    "templates components": {"Clicks per view of each kind", "Clicks per view over time"},
}


@dataclass(frozen=True)
class Periods:
    """What is held against each other; `days` are those that are shown, of which the last may be running."""

    days: Facts
    over: Facts
    before: Facts
    is_year: bool

    def earlier(self, day: date) -> date:
        if not self.is_year:
            return day - (self.over.choice.since - self.before.choice.since)
        return _a_year_before(day)


def _a_year_before(day):
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def periods(pages, choice, role, compare):
    """The running day is on neither side."""
    today = choices("mailer")["first"].until - timedelta(days=1)
    over = replace(choice, until=min(choice.until, today))
    if compare == YEAR:
        before = replace(over, since=_a_year_before(over.since), until=_a_year_before(over.until))
    else:
        before = replace(over, since=over.since - (over.until - over.since), until=over.since)
    return Periods(*(Facts(pages.rows, one, role) for one in (choice, over, before)), is_year=compare == YEAR)


def query_of(choice, compare, more=""):
    return f"{choice.address.replace('&compare=Off', '')}&{urlencode({'compare': compare})}&grain=Day&{more}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", PAGES)
def test_every_change_of_a_tile_is_what_counting_both_periods_gives(pages, name, role):
    file, _ = address_of(pages, name)
    for chosen, compare in ASKED[role].items():
        choice = choices("mailer")[chosen]
        seen = pages.open(file, query_of(choice, compare), role)
        asked = periods(pages, choice, role, compare)
        assert seen.changes.keys() == seen.tiles.keys()
        assert [*_wrong_on_tiles(seen, *(of_tiles(seen, one) for one in (asked.over, asked.before)), compare)] == []


@pytest.mark.parametrize(("role", "compare"), [("admin", BEFORE), ("admin", YEAR), ("limited", BEFORE)])
@pytest.mark.parametrize("name", COMPARED)
def test_every_change_on_a_card_is_what_counting_both_periods_gives(pages, name, role, compare):
    view = VIEWS[name]
    choice = choices("mailer")["first"]
    seen = pages.open(view.page, query_of(choice, compare, view.query), role)
    asked = periods(pages, choice, role, compare)
    compared = {title: card for title, card in seen.cards.items() if title in view.cards and _is_compared(card)}
    # A year ago there may have been nothing to draw a mark for.
    assert compared.keys() <= COMPARED[name]
    assert compare == YEAR or compared.keys() == COMPARED[name]
    wrong = {title: [*_wrong_on_card(card, view.cards[title], asked)] for title, card in compared.items()}
    assert {title: found[:5] for title, found in wrong.items() if found} == {}


def _is_compared(card):
    return "" in card.head or any(card.before) or any("before" in values for _, values in card.over_time)


def _wrong_on_tiles(seen, now, then, compare):
    for name, (text, against) in seen.changes.items():
        was, grew = then.get(name), _grew(name, now.get(name), then.get(name))
        told = re.fullmatch(f"against (.*) {AGAINST[compare]}", against)
        if told is None or not told_as(name, told[1], was):
            yield f"{name}: “{against}” is not {was}"
        if not _is_shown(name, text, grew):
            yield f"{name}: “{text}” is not {grew}"


def _wrong_on_card(card, of, asked):
    if card.over_time:
        yield from _wrong_before(card, asked)
    if card.ranked:
        yield from _wrong_marks(card, of, asked)
    if card.rows:
        yield from _wrong_changes(card, of, asked)


def _wrong_before(card, asked):
    """The line of the days before lies under the days that are shown; the running day has nothing under it."""
    (name,) = {name for _, values in card.over_time for name in values} - {"before"}
    metric = TITLES[name]
    counted = asked.before.contacts_on() if metric == "contacts" else asked.before.of([metric], daily=True)
    shown, over = asked.days.choice, asked.over.choice
    days = [shown.since + timedelta(days=place) for place in range((shown.until - shown.since).days)]
    assert [at for at, _ in card.over_time] == [words.day(day) for day in days]
    for day, (_, values) in zip(days, card.over_time, strict=True):
        was = counted.get((asked.earlier(day),), {}).get(metric) if day < over.until else None
        if not told_as(metric, values["before"], was) or (day >= over.until and values["before"] != words.NOTHING):
            yield f"{day}: {values['before']} is not {was}"


def _wrong_marks(card, of, asked):
    counted = defaultdict(list)
    for key, values in asked.before.of([of.metric], of.by).items():
        counted[" · ".join(labels(of.by, key))].append(values[of.metric])
    for (name, _), was in zip(card.ranked, card.before, strict=True):
        there = counted[name] or [None]
        if not any(told_as(of.metric, was, one) if was else not one for one in there):
            yield f"{name}: before “{was}” is none of {there}"


def _wrong_changes(card, of, asked):
    columns = columns_of(card, of)
    now, then = (counted_by(facts, [*columns.values()], of.by) for facts in (asked.over, asked.before))
    both = defaultdict(list)
    for key in now.keys() | then.keys():
        both[labels(of.by, key)].append((now.get(key, {}), then.get(key, {})))
    for row in card.rows:
        there = both[tuple(row[: len(of.by)])]
        if not any(_agree(columns, row, *values) for values in there):
            yield f"{row} is none of {there[:3]}"
    if card.total and of.is_added_up:
        whole = [
            next(iter(counted_by(facts, [*columns.values()], ()).values()), {}) for facts in (asked.over, asked.before)
        ]
        if not _agree(columns, card.total, *whole):
            yield f"{card.total} is not {whole}"


def _agree(columns, row, now, then):
    return all(
        _is_shown(metric, row[place + 1], _grew(metric, now.get(metric), then.get(metric)))
        for place, metric in columns.items()
    )


def _is_shown(name, text, grew):
    found = re.match(r"([▲▼=]) ([\d,]+\.\d+) ", text)
    if found is None or grew is None:
        return (found is None) is (grew is None)
    shown = Decimal(found[2].replace(",", "")) * (-1 if found[1] == "▼" else 1)
    half = Decimal("0.0051") if "points" in text else Decimal("0.051")
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
