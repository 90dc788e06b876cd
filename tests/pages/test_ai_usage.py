"""The page of AI usage: each attempt is one click away, with its cost for those alone who may read it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.pages.oracles import ROLES, choices

CHOICE = choices("craft_ads")["first"]
RAW = "Raw generations, the newest first"


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_raw_rows_follow_each_other_without_gap_or_repetition(pages, role):
    choice = replace(CHOICE, since=CHOICE.until - timedelta(days=365))
    ((counted,),) = pages.rows(
        f"SELECT count(*) FROM ai_generations AS t WHERE {choice.holds('t.created_at', role)} AND t.status = 'failed'"
    )
    query, told = "show=Raw+generations&status=Failed&period=Last+365+days", 0
    while query is not None:
        seen = pages.open("ai_usage.py", query, role)
        told += len(seen.cards[RAW].rows)
        query = seen.query_of("Older")
    assert told == counted > (25 if role == "admin" else 0)


def test_what_attempts_cost_is_shown_to_those_who_may_read_it(pages):
    heads = {
        role: pages.open("ai_usage.py", "show=Raw+generations", role).cards[RAW].head for role in ("viewer", "finance")
    }
    assert "Cost, USD" in heads["finance"]
    assert "Cost, USD" not in heads["viewer"]


def test_what_can_not_be_used_falls_back_and_is_said(pages):
    seen = pages.open("ai_usage.py", urlencode({"show": "Nowhere", "model": "<b>"}), "viewer")
    assert all(part in " ".join(seen.notices) for part in ("show=Nowhere", "model=<b>"))
    assert len(seen.cards["Models"].rows) > 1
    broken = {"show": "Raw generations", "status": "Unheard", "error_code": "<b>", "after": "nonsense"}
    raw = " ".join(pages.open("ai_usage.py", urlencode(broken), "viewer").notices)
    assert all(part in raw for part in ("status=Unheard", "error_code=<b>", "no place in the list"))
