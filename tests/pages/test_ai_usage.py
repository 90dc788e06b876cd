"""The page of AI usage: each attempt is one click away, with its cost for those alone who may read it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.ui import words
from tests.pages.counted import told_as
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


@pytest.mark.parametrize("role", ["finance", "limited-finance"])
def test_the_newest_attempts_are_told_as_they_were(pages, role):
    card = pages.open("ai_usage.py", f"show=Raw+generations&{CHOICE.address}", role).cards[RAW]
    expected = pages.rows(
        f"""
        SELECT t.created_at, t.status, t.error_code, t.generation_type, t.product, t.model, t.generation_time_ms,
            t.input_tokens + t.cached_input_tokens + t.cache_write_tokens, t.output_tokens + t.reasoning_tokens,
            t.user_rating, t.cost
        FROM ai_generations AS t
        WHERE {CHOICE.holds("t.created_at", role)} ORDER BY t.created_at DESC, t.id DESC LIMIT 25
        """
    )
    assert len(card.rows) == len(expected) > 0
    for row, (at, status, error, kind, product, model, took, *figures) in zip(card.rows, expected, strict=True):
        told = dict(zip(card.head, row, strict=True))
        named = [told[one] for one in ("When", "Status", "Error", "Type", "Product", "Model")]
        spelled = [words.spelled(one) for one in (kind, product)]
        assert named == [words.moment(at), words.spelled(status), error or words.NOTHING, *spelled, model]
        assert told_as("seconds", told["Seconds"], took and Decimal(took) / 1000)
        for name, figure in zip(("Tokens in", "Tokens out", "Rating", "Cost, USD"), figures, strict=True):
            assert told_as("figure", told[name], figure), (told, name, figure)


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
