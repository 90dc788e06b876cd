"""Figures are made anew from Postgres by few at once: each such question reads every row."""

import pytest

from app import answering
from app.answering import BusyRecomputingError, recomputed
from tests.metrics.small_lake import viewer


def test_the_third_at_once_is_asked_to_wait_and_the_next_one_is_let_in(monkeypatch):
    def made(answer, _):
        if answer:
            recomputed(answer - 1, viewer(1))
        return answer

    monkeypatch.setattr(answering, "_recomputed", made)
    with pytest.raises(BusyRecomputingError, match="Try again") as refused:
        recomputed(2, viewer(1))
    assert "at most 2" in str(refused.value)
    assert recomputed(1, viewer(1)) == 1
