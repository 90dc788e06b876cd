"""A question that a program sends gets the rows, the receipt and the refusals that a page gets."""

import json
from datetime import date

import pytest

from app.access import NotPermittedError, Role
from app.web.api_question import MOST_ROWS, answer_of
from app.web.refusals import as_json
from db.errors import SightlineError
from tests.metrics.small_lake import sent, viewer

DAY, NEXT = date(2026, 1, 10), date(2026, 1, 11)
ASKED = {"metrics": ["open_rate"], "by": ["campaign"], "since": str(DAY), "until": str(NEXT)}


@pytest.fixture
def asked(lake, asking):
    """Asks as JSON, and reads the answer as a program does."""
    lake.add("email_days", sent(DAY, 1, delivered=100, opened=40), sent(DAY, 3, delivered=300, opened=60))
    ask = asking()

    def by(who=ask.who, **more):
        return json.loads(as_json(answer_of(ask.desk, who, json.dumps({**ASKED, **more}).encode())).body)

    by.desk = ask
    return by


def test_rows_and_receipt_are_those_of_the_same_question_on_a_page(asked):
    told = asked()
    page = asked.desk.answer(["open_rate"], DAY, NEXT, by="campaign", limit=MOST_ROWS)
    assert [row["open_rate"] for row in told["rows"]] == [0.40, 0.20]
    assert (told["rows_in_all"], told["receipt"]["id"]) == (2, page.receipt.id)
    assert told["receipt"]["period"] == ["2026-01-10", "2026-01-11"]


def test_filters_order_and_limit_are_taken(asked):
    assert [row["open_rate"] for row in asked(order="open_rate", limit=1)["rows"]] == [0.20]
    assert asked(limit=1)["rows_in_all"] == 2
    assert len(asked(where={"workspace": ["acme"]}, by=[])["rows"]) == 1


def test_another_workspaces_rows_are_in_no_answer(asked):
    assert [row["open_rate"] for row in asked(who=viewer(1))["rows"]] == [0.40]
    assert asked(who=viewer())["rows"] == []


WRONG = {
    "No metric is named 'open_rte'": {"metrics": ["open_rte"]},
    "Input should be less than or equal to 10000": {"limit": MOST_ROWS + 1},
    "sql: Extra inputs are not permitted": {"sql": "SELECT 1"},
    "by.0: Input should be a valid string": {"by": [1]},
    "has no day in it": {"until": "0001-01-01", "since": None},
    "since: Input should be a valid date": {"since": "yesterday"},
    "compare: Input should be": {"compare": "'; DROP TABLE users"},
    "can't be ordered by": {"order": "1; DROP TABLE users"},
    "No dimension is named": {"where": {"1=1 --": "x"}},
}


@pytest.mark.parametrize("says", WRONG)
def test_what_can_not_be_asked_is_refused_in_words(asked, says):
    with pytest.raises(SightlineError, match=says):
        asked(**WRONG[says])


def test_who_may_not_see_a_figure_is_refused_it(asked):
    with pytest.raises(NotPermittedError):
        asked(who=viewer(1, role=Role.VIEWER), metrics=["margin"], by=[])
