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


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    query = urlencode({"show": "Nowhere", "source": "<b>", "country": "XX", "period": "Sometimes"})
    seen = pages.open("web.py", query, "viewer")
    told = " ".join(seen.notices)
    assert all(part in told for part in ("show=Nowhere", "source=<b>", "country=XX", "period=Sometimes"))
    assert len(seen.cards["Landing pages"].rows) > 1
