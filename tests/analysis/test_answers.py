"""Answers of the metrics layer, explained from a lake of a few rows."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from app.analysis.answers import NotExplainedError, explained, figures_behind
from tests.metrics.small_lake import campaign_id, sent

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
WEEK = (date(2026, 1, 2), date(2026, 1, 9))


@pytest.fixture
def compared(lake, asking):
    """Two campaigns of 100 each at 10 % and 30 %; then one vanishes and the other goes on with 200; 40 came today."""
    lake.add(
        "email_days",
        sent(date(2025, 12, 30), campaign=1, delivered=100, opened=10),
        sent(date(2025, 12, 30), campaign=2, delivered=100, opened=30),
        sent(date(2026, 1, 3), campaign=2, delivered=200, opened=60),
        sent(date(2026, 1, 8), campaign=2, delivered=40, opened=40),
    )
    return asking(data_through=NOON)


def ask(compared, metrics, **more):
    return compared.answer(metrics, *WEEK, by="campaign", compare="previous", **more)


def test_a_rate_is_explained_by_the_campaigns_that_made_it(compared):
    """20 % became 30 % by mix alone; the running day, which is at 100 %, is left out."""
    effects = explained(ask(compared, figures_behind("open_rate")), "open_rate", by="campaign")
    assert (effects.before, effects.after) == (Fraction(1, 5), Fraction(3, 10))
    assert {one.member: (one.mix, one.rate) for one in effects.members} == {
        campaign_id(1): (Fraction(3, 40), 0),
        campaign_id(2): (Fraction(1, 40), 0),
    }


def test_a_sum_is_explained_by_each_members_own_change(compared):
    effects = explained(ask(compared, ["opens"]), "opens", by="campaign")
    assert {one.member: one.total for one in effects.members} == {campaign_id(1): -10, campaign_id(2): 30}
    assert effects.change == 20


@pytest.mark.parametrize("name", ["generation_time_p95", "unique_openers", "reach"])
def test_what_does_not_add_up_is_refused(name):
    with pytest.raises(NotExplainedError, match="no sum and no ratio of sums"):
        figures_behind(name)


def test_an_answer_with_parts_left_out_is_refused(compared):
    for answer in (
        ask(compared, figures_behind("open_rate"), limit=1),
        ask(compared, "opens"),
        compared.answer(figures_behind("open_rate"), *WEEK, by="campaign"),
        compared.answer(figures_behind("open_rate"), *WEEK, by=("campaign", "channel"), compare="previous"),
    ):
        with pytest.raises(NotExplainedError, match="emails_opened and emails_delivered"):
            explained(answer, "open_rate", by="campaign")
