"""Tiles, charts and tables of figures held against what counting the rows gives: whatever is wrong, in a sentence."""

import re
from collections import defaultdict
from decimal import Decimal

from app.ui import words
from tests.pages.counted import TITLES, columns_of, counted_by, labels, of_tiles, same, told_as
from tests.pages.facts import KNOWN


def wrong_on_tiles(seen, facts):
    """Unrounded, as programs read them; those that a sentence stands for have none."""
    counted = of_tiles(seen, facts)
    for name, value in seen.tiles.items():
        expected = counted.get(name)
        if not same(name, Decimal(value) if value else None, expected, Decimal("1e-9")):
            yield f"tile {name}: {value} is not {expected}"


def wrong_on_card(card, of, facts):
    if card.over_time:
        yield from _course(card, of, facts)
    if card.ranked:
        yield from _ranking(card, of, facts)
    if card.rows:
        yield from _table(card, of, facts)


def _course(card, of, facts):
    """Each point of each line; what adds up is nothing where nothing happened."""
    names = {name for _, values in card.over_time for name in values}
    metrics = [of.metric] if of.by else [TITLES[name] for name in names]
    assert KNOWN.issuperset(metrics), metrics
    counted = facts.contacts_on() if metrics == ["contacts"] else facts.of(metrics, of.by, daily=True)
    labelled = {(labels(of.by, key), words.day(key[-1])): values for key, values in counted.items() if key[-1]}
    for day, values in card.over_time:
        for name, text in values.items():
            metric = of.metric if of.by else TITLES[name]
            expected = labelled.get(((name,) if of.by else (), day), {}).get(metric)
            if not told_as(metric, text, expected):
                yield f"{day}, {name}: {text} is not {expected}"
    drawn = {(name, day) for day, values in card.over_time for name in values}
    for (names_of, day), values in labelled.items():
        if of.by and values.get(of.metric) and len(names) < 6:
            assert (names_of[0], day) in drawn, (names_of, day)


def _ranking(card, of, facts):
    """The largest fifteen; a funnel's steps are metrics themselves."""
    if not of.by:
        names = [TITLES[name] for name, _ in card.ranked]
        counted = next(iter(facts.of(names).values()), {})
        for (name, text), metric in zip(card.ranked, names, strict=True):
            if not told_as(metric, text.split(" · ")[0], counted.get(metric)):
                yield f"{name}: {text} is not {counted.get(metric)}"
        return
    counted = facts.of([of.metric], of.by)
    listed = defaultdict(list)
    for key, values in counted.items():
        listed[" · ".join(labels(of.by, key))].append(values[of.metric])
    for name, text in card.ranked:
        if not any(told_as(of.metric, text, one) for one in listed[name]):
            yield f"{name}: {text} is none of {listed[name]}"
    there = [one for values in listed.values() for one in values if one]
    assert len(card.ranked) >= min(15, len(there))


def _table(card, of, facts):
    columns = columns_of(card, of)
    assert KNOWN.issuperset(columns.values()), columns
    counted = counted_by(facts, [*columns.values()], of.by)
    expected = defaultdict(list)
    for key, values in counted.items():
        expected[labels(of.by, key)].append(values)
    for row in card.rows:
        there = expected[tuple(row[: len(of.by)])]
        if not any(_agrees(columns, row, values) for values in there):
            yield f"{row} is none of {there[:3]}"
    if card.total and of.is_added_up:
        whole = next(iter(counted_by(facts, [*columns.values()], ()).values()), {})
        if not _agrees(columns, card.total, whole):
            yield f"{card.total} is not {whole}"
    # Rows of which nothing at all is told are none.
    there = sum(any(value for value in values.values()) for values in counted.values())
    assert int(re.match(r"[\d,]+", card.counted)[0].replace(",", "")) >= min(there, 100)


def _agrees(columns, row, values):
    return all(told_as(metric, row[place], values.get(metric)) for place, metric in columns.items())
