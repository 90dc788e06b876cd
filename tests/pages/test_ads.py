"""The page of ads: budgets are paced in their own currency, and creatives are ranked among those shown often enough."""

from urllib.parse import urlencode

import pytest

from tests.pages.oracles import ROLES, choices

CHOICE = choices("ads_autopilot")["first"]


@pytest.mark.parametrize("role", ROLES)
def test_budgets_are_held_against_all_that_was_spent_in_the_campaigns_own_currency(pages, role):
    rows = pages.open("ads.py", "show=Pacing&campaigns=Ended", role).cards["Budgets"].table()
    seen = CHOICE.holds("CURRENT_DATE", role, workspace="c.workspace_id").partition(" AND c.workspace_id")[2]
    spent = {
        (name, currency): f"{amount:,.2f}"
        for name, currency, amount in pages.rows(
            f"""
            SELECT c.name, c.currency, sum(t.spend) FROM campaigns AS c
            JOIN performance_analytics AS t ON t.workspace_id = c.workspace_id AND t.campaign_id = c.id
            WHERE t.breakdown = 'none' AND t.currency = c.currency AND t.date < CURRENT_DATE
                AND c.status = 'completed' AND c.workspace_id{seen}
            GROUP BY c.id, c.name, c.currency
            """
        )
    }
    assert rows
    for name, row in rows.items():
        assert row["Spent"] == spent[name, row["Currency"]]


@pytest.mark.parametrize("role", ROLES)
def test_creatives_are_of_campaigns_that_were_shown_often_enough(pages, role):
    rows = pages.open("ads.py", "show=Creatives&least=1%2C000", role).cards["Creatives"].table()
    counted = {
        name: f"{number:,}"
        for name, number in pages.rows(
            f"""
            SELECT c.name, sum(t.impressions) FROM performance_analytics AS t
            JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id
            WHERE {CHOICE.holds("t.date", role)} AND t.breakdown = 'none' GROUP BY 1
            """
        )
    }
    # On some days nobody of two workspaces has one.
    assert rows or role == "limited"
    for row in rows.values():
        assert row["Impressions"] == counted[row["Campaign"]]
        assert int(row["Impressions"].replace(",", "")) >= 1_000
    scores = [float(row["Score"]) for row in rows.values()]
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
