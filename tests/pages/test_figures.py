"""Every figure of every page equals what counting the rows gives: under two scopes and three sets of filters.

The pages are walked: each card with figures is held against the rows, and one that nobody has described fails.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.metrics.dimensions import dimension
from app.metrics.glossary import metrics
from app.ui import words
from tests.pages.counted import of_tiles, same, told_as
from tests.pages.facts import KNOWN, Facts, name_of
from tests.pages.oracles import ROLES, choices

TITLES = {words.title(one): one.name for one in metrics().values()}


@dataclass(frozen=True)
class Told:
    """What a card's figures are of: what splits them, and the metric where the card itself names none."""

    by: tuple[str, ...] = ()
    metric: str = ""
    where: str = "TRUE"
    is_added_up: bool = True


@dataclass(frozen=True)
class View:
    """A page as one of its addresses shows it, and the cards that are checked elsewhere."""

    page: str
    product: str
    cards: dict[str, Told]
    query: str = ""
    # Cards that others hold against the rows: the test that does so.
    elsewhere: frozenset[str] = frozenset()


def _show(view: str, **more: str) -> str:
    return urlencode({"show": view, **more})


OVER_TIME = Told()
_EMAIL = {
    "Delivered, opened, clicked": OVER_TIME,
    "Complaint rate": OVER_TIME,
    "Unsubscribe rate": OVER_TIME,
}
_WEB = {"Funnel": OVER_TIME, "What visitors did": Told(("conversion_type",), "conversions"), "Revenue": OVER_TIME}
_ADS = {"Spend and revenue": OVER_TIME, "Return on ad spend": OVER_TIME}
_AI = {"Generations by product": Told(("product",), "generations"), "Time until a result": OVER_TIME}
_AUDIENCE = {"Size of the lists": OVER_TIME, "Who came and who went": OVER_TIME}
_MAILS = frozenset({"From sent to clicked"})
VIEWS = {
    "overview": View(
        "overview.py",
        "mailer",
        {
            "Conversions": OVER_TIME,
            "AI generations by product": Told(("product",), "generations"),
            "Products": Told(("product",)),
        },
        elsewhere=frozenset({"Open alerts", "What changed most, and why"}),
    ),
    "email": View("emails.py", "mailer", {**_EMAIL, "Campaigns": Told(("campaign",))}, elsewhere=_MAILS),
    "email of people": View(
        "emails.py",
        "mailer",
        {**_EMAIL, "Campaigns": Told(("campaign",))},
        _show("Campaigns", opens="People only"),
        _MAILS,
    ),
    "email domains": View(
        "emails.py", "mailer", {**_EMAIL, "Receiving domains": Told(("domain",))}, _show("Domains"), _MAILS
    ),
    "email bounces": View(
        "emails.py",
        "mailer",
        {
            **_EMAIL,
            "Bounce events by class": Told(("bounce_type",), "total_bounces", "t.event_type = 'bounced'"),
            "Why they came back": Told(("bounce_type", "bounce_reason"), "total_bounces", "t.event_type = 'bounced'"),
            "Who turned mail away, and why": Told(("domain", "bounce_type", "bounce_reason"), "total_bounces"),
        },
        _show("Bounces"),
        _MAILS,
    ),
    "email links": View("emails.py", "mailer", {**_EMAIL, "Links": Told(("link",))}, _show("Links"), _MAILS),
    "email readers": View(
        "emails.py",
        "mailer",
        {
            **_EMAIL,
            "Opens by device": Told(("device",), "total_opens"),
            "Opens by place": Told(("location",), "total_opens"),
        },
        _show("Device and place"),
        _MAILS,
    ),
    "web": View("web.py", "web_builder", {**_WEB, "Landing pages": Told(("campaign",))}),
    "web components": View(
        "web.py",
        "web_builder",
        {
            **_WEB,
            "Clicks per view of each kind of component": Told(("component_type",), "clicks_per_view"),
            "Components": Told(("component", "component_type")),
        },
        _show("Components"),
    ),
    "web sources": View(
        "web.py",
        "web_builder",
        {
            **_WEB,
            "Conversions by source": Told(("source",), "conversions"),
            "Sources and mediums": Told(("source", "medium")),
        },
        _show("Sources"),
    ),
    "web countries": View(
        "web.py",
        "web_builder",
        {**_WEB, "Views by country": Told(("country",), "views"), "Countries": Told(("country",))},
        _show("Countries"),
    ),
    **{
        f"ads by {part}": View(
            "ads.py",
            "ads_autopilot",
            # What a platform tells by one breakdown need not add up to what it tells by none.
            {**_ADS, f"Spend by {part}": Told((part,), "spend"), f"By {part}": Told((part,), is_added_up=False)},
            urlencode({"by": part.capitalize()}),
        )
        for part in ("platform", "placement", "age", "gender")
    },
    "ads campaigns": View("ads.py", "ads_autopilot", {**_ADS, "Ad campaigns": Told(("campaign",))}, _show("Campaigns")),
    "ads restatements": View(
        "ads.py",
        "ads_autopilot",
        {**_ADS, "Restatements": OVER_TIME},
        _show("Restatements"),
        frozenset({"Changed since then"}),
    ),
    **{
        f"ai {view.lower()}": View("ai_usage.py", "craft_ads", {**_AI, view: Told((key,))}, _show(view))
        for view, key in {"Models": "model", "Products": "product", "Types": "generation_type"}.items()
    },
    "ai failures": View(
        "ai_usage.py",
        "craft_ads",
        {
            **_AI,
            "Success and acceptance": OVER_TIME,
            "Failures by reason": Told(("error_code",)),
            "Failures by model and reason": Told(("model", "error_code")),
        },
        _show("Failures"),
    ),
    "audience domains": View(
        "audience.py", "", {**_AUDIENCE, "Domains of their addresses": Told(("domain",))}, _show("Domains")
    ),
    "audience workspaces": View(
        "audience.py", "", {**_AUDIENCE, "Lists of the workspaces": Told(("workspace",))}, _show("Workspaces")
    ),
    "templates components": View(
        "templates.py",
        "web_builder",
        {
            "Clicks per view of each kind": Told(("component_type",), "clicks_per_view"),
            "Clicks per view over time": OVER_TIME,
            "Components of web campaigns": Told(("component", "component_type")),
        },
        _show("Components"),
    ),
    "campaigns": View(
        "campaigns.py",
        "mailer",
        {"What they did in this period": Told(("campaign", "channel"))},
        elsewhere=frozenset({"All campaigns, the newest first"}),
    ),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", VIEWS)
def test_every_figure_of_the_page_is_what_counting_the_rows_gives(pages, name, role):
    view = VIEWS[name]
    for chosen, choice in choices(view.product or "mailer").items():
        if chosen == "product" and not view.product:
            # Contacts are of no product.
            choice = replace(choice, address="period=Last+90+days", product=None)  # noqa: PLW2901
        query = f"{choice.address}&{view.query}&grain=Day" + ("" if "compare" in choice.address else "&compare=Off")
        seen = pages.open(view.page, query, role)
        assert seen.notices == []
        facts = Facts(pages.rows, choice, role)
        wrong = [*_tiles(seen, facts)]
        for title, card in seen.cards.items():
            if card.has_figures and title not in view.elsewhere and "since launch" not in title:
                assert title in view.cards, f"Nobody says what “{title}” is of."
                wrong += [f"{title}: {one}" for one in _card(card, view.cards[title], facts)]
        assert wrong == [], (name, role, chosen, wrong[:8])


_OF_CHANNEL = {
    "email": (
        "SELECT campaign_id FROM email_campaigns ORDER BY emails_delivered DESC, campaign_id LIMIT 1",
        {"Links": Told(("link",)), "Receiving domains": Told(("domain",))},
    ),
    "web": (
        "SELECT campaign_id FROM web_campaigns ORDER BY views DESC, campaign_id LIMIT 1",
        {"Sources": Told(("source",)), "Countries": Told(("country",))},
    ),
    "ads": (
        "SELECT campaign_id FROM ad_campaigns ORDER BY total_impressions DESC, campaign_id LIMIT 1",
        {
            "Platforms": Told(("platform",), is_added_up=False),
            "Placements": Told(("placement",), is_added_up=False),
        },
    ),
}


@pytest.mark.parametrize("channel", _OF_CHANNEL)
def test_every_figure_of_a_campaign_is_what_counting_its_rows_gives(pages, channel):
    """Of the largest one of each channel, over all days, a quarter, and days that were picked."""
    largest, splits = _OF_CHANNEL[channel]
    ((key,),) = pages.rows(largest)
    sets = choices("mailer")
    days = urlencode([("period", "Custom"), ("days", "2024-01-01"), ("days", sets["first"].until - timedelta(days=1))])
    everything = replace(sets["first"], address=days, since=date(2024, 1, 1))
    quarter = replace(sets["product"], address="period=Last+90+days", product=None)
    for choice in (everything, quarter, sets["picked"]):
        seen = pages.open("campaign.py", f"campaign={key}&{choice.address}&grain=Day")
        facts = Facts(pages.rows, choice, "admin", only=f"t.campaign_id = '{key}'")
        wrong = [*_tiles(seen, facts)]
        for title, card in seen.cards.items():
            if card.has_figures:
                wrong += [
                    f"{title}: {one}"
                    for one in _card(card, {"Funnel": OVER_TIME, "Course": OVER_TIME, **splits}[title], facts)
                ]
        assert wrong == [], (channel, choice, wrong[:8])
    assert seen.tiles


def _tiles(seen, facts):
    """Unrounded, as programs read them; those that a sentence stands for have none."""
    counted = of_tiles(seen, facts)
    for name, value in seen.tiles.items():
        expected = counted.get(name)
        if not same(name, Decimal(value) if value else None, expected, Decimal("1e-9")):
            yield f"tile {name}: {value} is not {expected}"


def _card(card, of, facts):
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
    labelled = {(_labels(of.by, key), words.day(key[-1])): values for key, values in counted.items() if key[-1]}
    for day, values in card.over_time:
        for name, text in values.items():
            metric = of.metric if of.by else TITLES[name]
            expected = labelled.get(((name,) if of.by else (), day), {}).get(metric)
            if not told_as(metric, text, expected):
                yield f"{day}, {name}: {text} is not {expected}"
    drawn = {(name, day) for day, values in card.over_time for name in values}
    for (labels, day), values in labelled.items():
        if of.by and values.get(of.metric) and len(names) < 6:
            assert (labels[0], day) in drawn, (labels, day)


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
        listed[" · ".join(_labels(of.by, key))].append(values[of.metric])
    for name, text in card.ranked:
        if not any(
            told_as(of.metric, text.split(" ")[0] + text[len(text.split(" ")[0]) :], one) for one in listed[name]
        ):
            yield f"{name}: {text} is none of {listed[name]}"
    there = [one for values in listed.values() for one in values if one]
    assert len(card.ranked) >= min(15, len(there))


def _table(card, of, facts):
    columns = {
        place: TITLES[head.split(",")[0] if head.endswith(", USD") else head]
        for place, head in enumerate(card.head)
        if place >= len(of.by) and head
    }
    assert KNOWN.issuperset(columns.values()), columns
    counted = _counted(facts, [*columns.values()], of.by)
    expected = defaultdict(list)
    for key, values in counted.items():
        expected[_labels(of.by, key)].append(values)
    for row in card.rows:
        there = expected[tuple(row[: len(of.by)])]
        if not any(_agrees(columns, row, values) for values in there):
            yield f"{row} is none of {there[:3]}"
    if card.total and of.is_added_up:
        whole = next(iter(_counted(facts, [*columns.values()], ()).values()), {})
        if not _agrees(columns, card.total, whole):
            yield f"{card.total} is not {whole}"
    # Rows of which nothing at all is told are none.
    there = sum(any(value for value in values.values()) for values in counted.values())
    assert int(re.match(r"[\d,]+", card.counted)[0].replace(",", "")) >= min(there, 100)


def _counted(facts, metrics, by):
    others = [metric for metric in metrics if metric != "contacts"]
    counted = facts.of(others, by) if others else {}
    if "contacts" in metrics:
        by_day = facts.contacts_on(by)
        last = max(key[-1] for key in by_day)
        for key, values in by_day.items():
            if key[-1] == last:
                counted.setdefault(key[:-1], dict.fromkeys(others, 0))["contacts"] = values["contacts"]
    return counted


def _agrees(columns, row, values):
    return all(told_as(metric, row[place], values.get(metric)) for place, metric in columns.items())


def _labels(by, key):
    return tuple(words.value_of(dimension(name), name_of(value)) for name, value in zip(by, key, strict=False))
