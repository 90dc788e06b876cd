"""The page of ads: budgets are paced in their own currency, and creatives are ranked among those shown often enough."""

from urllib.parse import urlencode

import pytest

from tests.pages.counted import told_as
from tests.pages.facts import Facts, name_of
from tests.pages.oracles import ROLES, choices
from tests.pages.paced import paced

CHOICE = choices("ads_autopilot")["first"]
_PACED = {
    "Time gone": "Time",
    "Budget spent": "Share",
    "Budget": "Budget",
    "Spent": "Spent",
    "Heading for": "At its end, at this rate",
    "Left a day": "Left a day",
}
_CREATIVES = {
    "Impressions": "impressions",
    "CTR": "ctr",
    "Conversions": "ad_conversions",
    "ROAS": "roas",
    "CPA, USD": "cpa",
}


@pytest.mark.parametrize("campaigns", ["Running", "Ended"])
@pytest.mark.parametrize("role", ROLES)
def test_budgets_are_held_against_all_that_was_spent_in_the_campaigns_own_currency(pages, role, campaigns):
    statuses = {"Running": "('launched', 'active', 'paused')", "Ended": "('completed')"}[campaigns]
    seen = CHOICE.holds("CURRENT_DATE", role, workspace="c.workspace_id").split(" AND ", 2)[2]
    expected = paced(pages.rows, f"c.status IN {statuses} AND c.deleted_at IS NULL AND {seen}")
    card = pages.open("ads.py", f"show=Pacing&campaigns={campaigns}", role).cards["Budgets"]
    rows = [dict(zip(card.head, row, strict=True)) for row in card.rows]
    assert len(rows) == min(25, len(expected))
    # On some days nobody has one, or nobody of two workspaces.
    assert rows or campaigns == "Running" or role == "limited"
    for row in rows:
        alike = [
            stands for name, money, stands in expected.values() if (name, money) == (row["Campaign"], row["Currency"])
        ]
        assert any(
            all(told_as(fact, row[column], stands[fact]) for column, fact in _PACED.items() if column in row)
            for stands in alike
        ), (row, alike)


@pytest.mark.parametrize("role", ROLES)
def test_creatives_bear_the_figures_of_campaigns_that_were_shown_often_enough(pages, role):
    card = pages.open("ads.py", "show=Creatives&least=1%2C000", role).cards["Creatives"]
    facts = Facts(pages.rows, CHOICE, role)
    counted = {
        name_of(campaign): values for (campaign,), values in facts.of([*_CREATIVES.values()], ("campaign",)).items()
    }
    used = pages.rows(
        "SELECT a.filename, c.name, u.performance_score FROM campaign_assets AS u"
        " JOIN campaigns AS c ON c.workspace_id = u.workspace_id AND c.id = u.campaign_id"
        " JOIN creative_assets AS a ON a.workspace_id = u.workspace_id AND a.id = u.asset_id WHERE u.is_active"
    )
    # On some days nobody of two workspaces has one.
    assert card.rows or role == "limited"
    for row in (dict(zip(card.head, one, strict=True)) for one in card.rows):
        values = counted[row["Campaign"]]
        assert values["impressions"] >= 1_000
        assert any(
            (row["Creative"], row["Campaign"]) == (name, campaign) and told_as("score", row["Score"], score)
            for name, campaign, score in used
        )
        for column, metric in _CREATIVES.items():
            assert told_as(metric, row[column], values[metric]), (row, column, values)
    scores = [float(row[3]) for row in card.rows]
    assert scores == sorted(scores, reverse=True)


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    seen = pages.open("ads.py", urlencode({"show": "Nowhere", "by": "Weather", "platform": "<b>"}), "viewer")
    told = " ".join(seen.notices)
    assert all(part in told for part in ("show=Nowhere", "by=Weather", "platform=<b>"))
    assert len(seen.cards["By platform"].rows) > 1


def test_two_breakdowns_at_once_are_refused_in_a_sentence(pages):
    seen = pages.open("ads.py", "platform=Facebook&by=Age", "viewer")
    assert "can't be answered" in seen.texts
    assert seen.cards["Spend and revenue"].over_time
