"""The parts of one campaign, its test, its budget, what was changed on it and what happened are those of its rows."""

import math
import re
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from app.ui import words
from tests.pages.counted import told_as
from tests.pages.every_view import address_of
from tests.pages.facts import Facts
from tests.pages.held import wrong_on_card
from tests.pages.oracles import choices
from tests.pages.paced import LAST_DAY, paced
from tests.pages.views import Told

SETS = choices("mailer")
_COMPONENTS = """
    SELECT k.name, k.component_type, k.version,
        (SELECT COUNT(*) FROM campaign_events AS e WHERE e.component_id = k.id AND e.event_type = 'view'),
        (SELECT COUNT(*) FROM campaign_events AS e WHERE e.component_id = k.id AND e.event_type = 'click'),
        (SELECT COUNT(*) FROM conversions AS v WHERE v.component_id = k.id)
    FROM campaign_components AS k WHERE k.campaign_id = '{}'
"""
_ASSETS = """
    SELECT a.filename, a.asset_type, u.asset_role, u.is_active, a.ai_model, a.format, u.performance_score
    FROM campaign_assets AS u JOIN creative_assets AS a ON a.workspace_id = u.workspace_id AND a.id = u.asset_id
    WHERE u.campaign_id = '{}'
"""
# The newest of what happened: when, what, and to whom or on what.
_HAPPENED = {
    "e-mail campaign": """
        SELECT t.occurred_at, t.event_type, p.email FROM email_events AS t
        JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
        WHERE t.campaign_id = '{}' ORDER BY t.occurred_at DESC, t.id DESC LIMIT 25
    """,
    "web campaign": """
        SELECT t.occurred_at, t.event_type, k.name FROM campaign_events AS t
        LEFT JOIN campaign_components AS k ON k.workspace_id = t.workspace_id AND k.id = t.component_id
        WHERE t.campaign_id = '{}' ORDER BY t.occurred_at DESC, t.id DESC LIMIT 25
    """,
    "ad campaign": """
        SELECT t.optimized_at, t.optimization_type, t.trigger_condition FROM ai_optimization_logs AS t
        WHERE t.campaign_id = '{}' ORDER BY t.optimized_at DESC, t.id DESC LIMIT 25
    """,
}
_MEASURED = re.compile(
    r"In (\d+) days? on each side its rate went (–|\S+ %)(?:; that of (\d+) unchanged campaigns? (\S+ %))?"
)


def opened(pages, name, view, **more):
    """The page of the largest campaign of a channel, and its key."""
    file, query = address_of(pages, name, show=view, **more)
    return pages.open(file, query), re.search(r"campaign=([0-9a-f-]+)", query)[1]


def test_components_did_what_their_events_say(pages):
    seen, key = opened(pages, "web campaign", "Parts")
    counted = pages.rows(_COMPONENTS.format(key))
    expected = [
        (name, words.spelled(kind), *(f"{one:,}" for one in (version, views, clicks, conversions)),
            f"{conversions / views * 100:,.2f} %" if views else words.NOTHING)
        for name, kind, version, views, clicks, conversions in counted
    ]  # fmt: skip
    card = seen.cards["Components"]
    assert sorted(map(tuple, card.rows)) == sorted(expected)
    assert sum(views for *_, views, _, _ in counted) > 0
    conversions = [int(row[5].replace(",", "")) for row in card.rows]
    assert conversions == sorted(conversions, reverse=True)


@pytest.mark.parametrize("chosen", SETS)
def test_components_are_ranked_by_what_happened_on_them_in_the_period(pages, chosen):
    choice = replace(SETS[chosen], address=SETS[chosen].address.partition("&product")[0], product=None)
    file, query = address_of(pages, "web campaign", show="Parts")
    key = re.search(r"campaign=([0-9a-f-]+)", query)[1]
    seen = pages.open(file, f"campaign={key}&show=Parts&{choice.address}")
    facts = Facts(pages.rows, choice, "admin", only=f"t.campaign_id = '{key}'")
    card = seen.cards["Clicks per view of each component"]
    assert [*wrong_on_card(card, Told(("component",), "clicks_per_view"), facts)] == []


def test_a_ranking_of_what_nobody_saw_says_so(pages):
    """There were views in the days before, and none in these: no component has a rate."""
    ((key, last),) = pages.rows(
        """
        SELECT campaign_id, CAST(MAX(occurred_at) AS DATE) FROM campaign_events WHERE component_id IS NOT NULL
        GROUP BY 1 HAVING MAX(occurred_at) < CURRENT_DATE - 40 ORDER BY COUNT(*) DESC, 1 LIMIT 1
        """
    )
    days = [("period", "Custom"), ("days", last + timedelta(days=1)), ("days", last + timedelta(days=30))]
    seen = pages.open("campaign.py", f"campaign={key}&show=Parts&{urlencode(days)}")
    assert seen.cards["Components"].rows
    assert not seen.cards["Clicks per view of each component"].ranked
    assert "Nothing happened in this period." in seen.texts


def test_assets_are_those_that_the_campaign_uses(pages):
    seen, key = opened(pages, "ad campaign", "Parts")
    used = {name: row for name, *row in pages.rows(_ASSETS.format(key))}
    card = seen.cards["Assets"]
    assert len(card.rows) == len(used) > 0
    for name, kind, role, active, score, model, form in card.rows:
        *told, scored = used[name]
        is_active = told.pop(2)
        assert [kind, role, model, form] == [one or words.NOTHING for one in told]
        assert active == ("yes" if is_active else "no")
        assert told_as("score", score, scored)


def test_variants_of_a_test_did_what_their_events_say(pages):
    """Of all campaigns of a letter together, each person once a campaign."""
    ((campaign, workspace, test),) = pages.rows(
        """
        SELECT MIN(CAST(c.id AS TEXT)), c.workspace_id, c.metadata ->> 'ab_test_key' FROM campaigns AS c
        JOIN email_campaigns AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
        WHERE c.metadata ->> 'ab_test_variant' IS NOT NULL AND c.deleted_at IS NULL AND e.emails_delivered > 0
        GROUP BY 2, 3 HAVING COUNT(DISTINCT c.metadata ->> 'ab_test_variant') > 1
        ORDER BY SUM(e.emails_delivered) DESC LIMIT 1
        """
    )
    counted = pages.rows(
        f"""
        SELECT c.metadata ->> 'ab_test_variant', {
            ", ".join(
                f"COUNT(DISTINCT (c.id, e.contact_id)) FILTER (WHERE e.event_type = '{kind}')"
                for kind in ("delivered", "opened", "clicked")
            )
        }
        FROM campaigns AS c JOIN email_events AS e ON e.workspace_id = c.workspace_id AND e.campaign_id = c.id
        WHERE c.workspace_id = '{workspace}' AND c.metadata ->> 'ab_test_key' = '{test}' AND c.deleted_at IS NULL
        GROUP BY 1 ORDER BY 1
        """
    )
    card = pages.open("campaign.py", f"campaign={campaign}&show=Changes").cards["A/B test"]
    expected = [
        (letter, f"{hits / delivered * 100:,.2f} % {hits:,} of {delivered:,}")
        for place in (0, 1)
        for letter, delivered, *numbers in counted
        for hits in [numbers[place]]
    ]
    assert len(counted) > 1
    assert [(name.partition(" · ")[0], told) for name, told in card.ranked] == expected


def test_a_budget_is_held_against_what_the_campaign_spent(pages):
    seen, key = opened(pages, "ad campaign", "Changes")
    name, currency, expected = paced(pages.rows, f"c.id = '{key}'")[key]
    assert expected["Spent"] > 0
    card = seen.cards["Budget"]
    amounts = {fact: told for fact, told in card.facts.items() if fact in expected}
    assert amounts.keys() >= {"Spent"}
    for fact, told in amounts.items():
        assert told.endswith(currency)
        assert told_as(fact, told, expected[fact]), (name, fact, told, expected[fact])
    for told, fact in (("Time", "Time"), ("Budget", "Share")):
        shown = dict(card.ranked).get(told)
        assert told_as(fact, shown or words.NOTHING, expected[fact]), (name, fact)


@pytest.mark.parametrize(("rate", "over", "under"), [("ctr", "clicks", "impressions"), ("roas", "revenue", "spend")])
def test_changes_are_held_against_campaigns_that_were_left_alone(pages, rate, over, under):
    """The rate after over the rate before, of as many days; of the others, the mean of the logarithms."""
    seen, key = opened(pages, "ad campaign", "Changes", rate=rate)
    (card,) = (card for title, card in seen.cards.items() if title.startswith("What the autopilot changed"))
    changes = pages.rows(
        f"SELECT CAST(optimized_at AS DATE) FROM ai_optimization_logs WHERE campaign_id = '{key}'"
        " ORDER BY optimized_at DESC, id DESC"
    )
    assert len(card.items) == len(changes) > 0
    for said, (on,) in zip(card.items, changes, strict=True):
        days, own, others, number = _courses(pages, key, on, over, under)
        if days < 3:
            assert "fewer than three whole days" in said
            continue
        counted, told, alone, told_of_others = _MEASURED.search(said).groups()
        assert int(counted) == days
        assert told == words.NOTHING if own is None else _is_percent(told, own), said
        # Of fewer nothing is told but how few they are.
        if own is not None and number >= 3:
            assert int(alone) == number
            assert _is_percent(told_of_others, others), said
        elif own is not None:
            assert alone is None
            assert f"{number} of the campaigns" in said if number else "None that was left alone" in said


def _is_percent(text, share):
    return abs(float(text.removesuffix(" %").replace("−", "-")) - share * 100) < 0.051


def _courses(pages, key, on, over, under):
    ((first, last),) = pages.rows(f"SELECT start_date, end_date FROM campaigns WHERE id = '{key}'")
    days = min((on - first).days, (min(last or LAST_DAY, LAST_DAY) - on).days, 14)
    reach = timedelta(days=days)
    alone = pages.rows(
        f"""
        SELECT c.id FROM campaigns AS c JOIN workspaces AS w ON w.id = c.workspace_id AND w.kind = 'customer'
        WHERE c.channel = 'ads' AND c.deleted_at IS NULL AND w.deleted_at IS NULL
            AND c.start_date <= '{on - reach}' AND (c.end_date IS NULL OR c.end_date >= '{on + reach}')
            AND NOT EXISTS (SELECT FROM ai_optimization_logs AS o WHERE o.campaign_id = c.id
                AND CAST(o.optimized_at AS DATE) BETWEEN '{on - reach}' AND '{on + reach}')
        """
    )
    rate = (
        "(SELECT r.rate FROM fx_rates AS r WHERE r.currency = t.currency AND r.reporting_currency = 'USD'"
        " AND r.day <= t.date ORDER BY r.day DESC LIMIT 1)"
    )
    added = {"spend": f"t.spend * {rate}", "revenue": f"t.revenue * {rate}"}
    sums = defaultdict(lambda: [0.0] * 4)
    keys = ", ".join(f"'{one}'" for one in (key, *(one for (one,) in alone)))
    for one, day, *figures in pages.rows(
        f"""
        SELECT t.campaign_id, t.date, SUM({added.get(over, f"t.{over}")}), SUM({added.get(under, f"t.{under}")})
        FROM performance_analytics AS t WHERE t.breakdown = 'none' AND t.campaign_id IN ({keys})
            AND t.date BETWEEN '{on - reach}' AND '{on + reach}' AND t.date <> '{on}' GROUP BY 1, 2
        """
    ):
        side = 0 if day < on else 2
        for place, figure in enumerate(figures):
            sums[str(one)][side + place] += float(figure or 0)
    moves = {
        one: math.log(after / of_after) - math.log(before / of_before)
        for one, (before, of_before, after, of_after) in sums.items()
        if min(before, of_before, after, of_after) > 0
    }
    own = moves.pop(key, None)
    others = math.expm1(sum(moves.values()) / len(moves)) if moves else None
    return days, None if own is None else math.expm1(own), others, len(moves)


@pytest.mark.parametrize("name", _HAPPENED)
def test_raw_events_are_the_newest_rows(pages, name):
    seen, key = opened(pages, name, "Raw events")
    listed = [tuple(row[:3]) for row in seen.cards["Raw events, the newest first"].rows]
    expected = pages.rows(_HAPPENED[name].format(key))
    told = words.spelled if name == "ad campaign" else str
    assert listed == [
        (words.moment(at), words.spelled(what), told(of) if of else words.NOTHING) for at, what, of in expected
    ]
    assert listed


def test_raw_events_are_of_the_period(pages):
    choice = SETS["picked"]
    key = opened(pages, "web campaign", "Course")[1]
    query, told = f"campaign={key}&{urlencode({'show': 'Raw events'})}&{choice.address}", 0
    while query:
        seen = pages.open("campaign.py", query)
        card = seen.cards["Raw events, the newest first"]
        told += int(card.counted.split(" ")[0].replace(",", "")) if card.counted else 0
        query = seen.query_of("Older")
    ((counted,),) = pages.rows(
        f"SELECT COUNT(*) FROM campaign_events WHERE campaign_id = '{key}'"
        f" AND occurred_at >= '{choice.since}' AND occurred_at < '{choice.until}'"
    )
    assert told == counted
