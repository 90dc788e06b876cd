"""The web page gives every conversion to somebody, by three models of whom it belongs to."""

from urllib.parse import urlencode

import pytest

from tests.pages.oracles import ROLES, choices


@pytest.mark.parametrize("split", ["Source", "Medium", "Campaign"])
@pytest.mark.parametrize("role", ROLES)
def test_three_models_give_every_conversion_to_somebody(pages, role, split):
    """What no touch earned is counted apart, and each column adds up to all conversions."""
    choice = choices("web_builder")["first"]
    query = f"{choice.address}&{urlencode({'show': 'Attribution', 'split': split})}"
    ((untouched, number),) = pages.rows(
        f"""
        SELECT count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM campaign_events AS e
            WHERE e.workspace_id = t.workspace_id AND e.session_id = t.session_id AND e.event_type <> 'conversion'
                AND e.occurred_at BETWEEN t.occurred_at - INTERVAL '168 hours' AND t.occurred_at
        )), count(*)
        FROM conversions AS t WHERE {choice.holds("t.occurred_at", role)}
        """
    )
    listed, page = [], 1
    while page:
        card = pages.open("web.py", f"{query}&attribution-page={page}", role).cards[f"Attribution by {split.lower()}"]
        listed += [dict(zip(card.head, row, strict=True)) for row in card.rows]
        page = page + 1 if len(listed) < int(card.counted.split(" ")[0].replace(",", "")) else 0
    # Two campaigns may bear one name; the last two rows are of none.
    *parts, untold, whole = listed
    assert (untold[split], whole[split]) == ("Unattributed", "All")
    for model in ("First touch", "Last touch", "Linear"):
        assert untold[model] == f"{untouched:,}"
        assert whole[model] == f"{number:,}"
        told = sum(float(row[model].replace(",", "")) for row in (*parts, untold))
        assert told == pytest.approx(number, abs=0.005 * len(listed))


_TOUCHES = """
    SELECT {split}, COUNT(*) FILTER (WHERE at_first = 1), COUNT(*) FILTER (WHERE at_last = 1), SUM(1.0 / touches)
    FROM (
        SELECT e.source, e.medium, c.name AS campaign, c.id AS key,
            ROW_NUMBER() OVER (PARTITION BY t.id ORDER BY e.occurred_at, e.id) AS at_first,
            ROW_NUMBER() OVER (PARTITION BY t.id ORDER BY e.occurred_at DESC, e.id DESC) AS at_last,
            COUNT(*) OVER (PARTITION BY t.id) AS touches
        FROM conversions AS t
        JOIN campaign_events AS e ON e.workspace_id = t.workspace_id AND e.session_id = t.session_id
            AND e.event_type <> 'conversion'
            AND e.occurred_at BETWEEN t.occurred_at - INTERVAL '168 hours' AND t.occurred_at
        JOIN campaigns AS c ON c.workspace_id = e.workspace_id AND c.id = e.campaign_id
        WHERE {holds}
    ) AS touched
    GROUP BY {by}
"""


@pytest.mark.parametrize("split", ["Source", "Medium", "Campaign"])
@pytest.mark.parametrize("role", ROLES)
def test_each_model_gives_a_conversion_to_the_touches_it_names(pages, role, split):
    choice = choices("web_builder")["first"]
    by = "campaign, key" if split == "Campaign" else split.lower()
    counted = pages.rows(_TOUCHES.format(split=split.lower(), by=by, holds=choice.holds("t.occurred_at", role)))
    expected = {(name or "(none)", *(round(float(one), 2) for one in figures)) for name, *figures in counted}
    query = f"{choice.address}&{urlencode({'show': 'Attribution', 'split': split})}"
    card = pages.open("web.py", query, role).cards[f"Attribution by {split.lower()}"]
    told = [(name, *(float(one.replace(",", "")) for one in figures)) for name, *figures in card.rows]
    parts = [row for row in told if row[0] not in {"Unattributed", "All"}]
    assert len(parts) == min(25, len(counted)) > 0
    for name, *figures in parts:
        assert any(name == one[0] and figures == pytest.approx(one[1:], abs=0.011) for one in expected), (name, figures)


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    query = urlencode({"show": "Nowhere", "source": "<b>", "country": "XX", "period": "Sometimes"})
    seen = pages.open("web.py", query, "viewer")
    told = " ".join(seen.notices)
    assert all(part in told for part in ("show=Nowhere", "source=<b>", "country=XX", "period=Sometimes"))
    assert len(seen.cards["Landing pages"].rows) > 1
