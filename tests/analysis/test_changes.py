"""Before and after a change, beside campaigns that were left alone."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from app.analysis import student
from app.analysis.changes import Course, before_and_after, courses, window_days

DAY = date(2026, 3, 10)


def course(before, after, earlier=None, of=1000):
    return Course((before * of, of), (after * of, of), ((earlier or before) * of, of))


def drawn(rng, rates, trials=10_000):
    """A campaign for each rate: three windows of as many trials."""
    hits = rng.binomial(trials, rates, (3, len(rates)))
    return [
        Course((int(b), trials), (int(a), trials), (int(e), trials)) for e, b, a in zip(*hits.tolist(), strict=True)
    ]


@pytest.mark.parametrize(("freedom", "t"), [(1, 12.7062), (2, 4.3027), (3, 3.1824), (10, 2.2281), (120, 1.9799)])
def test_students_t_has_the_printed_values(freedom, t):
    assert student.quantile(0.95, freedom) == pytest.approx(t, abs=5e-5)


def test_students_t_is_what_its_density_adds_up_to():
    at = np.linspace(-2, 2, 40_001)
    for freedom in (1, 2, 5, 8, 31):
        log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
        density = np.exp(log - (freedom + 1) / 2 * np.log1p(at**2 / freedom))
        assert student.within(2, freedom) == pytest.approx(np.trapezoid(density, at), abs=1e-8)


def test_what_all_campaigns_did_is_no_effect():
    """All doubled, the changed one too."""
    outcome = before_and_after([course(0.1, 0.2)], [course(0.1, 0.2), course(0.2, 0.4), course(0.05, 0.1)])
    assert outcome.own == pytest.approx(1.0)
    assert outcome.others == pytest.approx(1.0)
    assert outcome.effect.estimate == pytest.approx(0.0)
    assert not outcome.is_sure


def test_the_effect_of_one_campaign_by_hand():
    """It doubled; three others moved by a tenth up, a tenth down and not at all: their spread is ln 1.1 each way."""
    unchanged = [course(0.1, 0.11), course(0.11, 0.1), course(0.1, 0.1)]
    outcome = before_and_after([course(0.1, 0.2)], unchanged)
    reach = 4.302653 * math.log(1.1) * math.sqrt(4 / 3)
    assert outcome.effect.estimate == pytest.approx(1.0)
    assert outcome.effect.low == pytest.approx(2 * math.exp(-reach) - 1)
    assert outcome.effect.high == pytest.approx(2 * math.exp(reach) - 1)
    assert outcome.is_sure


def test_the_effect_on_several_campaigns_is_welchs():
    """Changed: up by 21 % and 44 % (twice ln 1.1, twice ln 1.2); the oracle is written from the textbook."""
    changed, unchanged = [math.log(1.21), math.log(1.44)], [0.0, 0.1, -0.1, 0.05]
    outcome = before_and_after(
        [course(0.1, 0.1 * math.exp(move)) for move in changed], [course(0.1, 0.1 * math.exp(m)) for m in unchanged]
    )
    a, b = np.var(changed, ddof=1) / 2, np.var(unchanged, ddof=1) / 4
    freedom = math.floor((a + b) ** 2 / (a**2 / 1 + b**2 / 3))
    reach = student.quantile(0.95, freedom) * math.sqrt(a + b)
    middle = np.mean(changed) - np.mean(unchanged)
    assert [math.log1p(bound) for bound in (outcome.effect.low, outcome.effect.high)] == pytest.approx(
        [middle - reach, middle + reach]
    )


def test_with_fewer_than_three_unchanged_campaigns_nothing_is_said_of_the_effect():
    outcome = before_and_after([course(0.1, 0.2)], [course(0.1, 0.1), course(0.1, 0.11)])
    assert (outcome.effect.estimate, outcome.unchanged) == (None, 2)
    assert outcome.own == pytest.approx(1.0)
    assert before_and_after([], []).own is None


def test_campaigns_without_a_rate_are_left_out_and_counted():
    nothing = Course((0, 1000), (5, 1000))
    gone = Course((5, 1000), (0, 0))
    outcome = before_and_after([course(0.1, 0.1)], [course(0.1, 0.1)] * 3 + [nothing, gone])
    assert (outcome.unchanged, outcome.left_out) == (3, 2)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """No change did anything, two thousand times; campaigns stray by 20 % for no reason."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(2000):
        moves = np.exp(rng.normal(0, 0.2, 9))
        outcome = before_and_after([course(0.1, 0.1 * moves[0])], [course(0.1, 0.1 * move) for move in moves[1:]])
        held += not outcome.is_sure
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_a_campaign_chosen_at_its_worst_recovers_by_itself_and_the_warning_says_how_far():
    """Sixty campaigns of one and the same rate; the one that did worst is 'changed', and nothing is done to it.

    It rises by a quarter and more. The slope is −1/2, as earlier days stray as much: half of its fall is foretold.
    """
    rng = np.random.default_rng(2)
    own, expected, warned = [], [], 0
    for _ in range(100):
        made = drawn(rng, np.full(60, 0.01))
        worst = min(made, key=lambda one: one.before[0])
        outcome = before_and_after([worst], [one for one in made if one is not worst])
        own.append(outcome.own)
        expected.append(outcome.rebound.expected)
        warned += outcome.rebound.is_extreme
    assert np.mean(own) > 0.2
    assert np.mean(own) / 3 < np.mean(expected) < np.mean(own)
    assert warned > 60


def test_a_campaign_chosen_for_no_reason_is_seldom_warned_of():
    rng = np.random.default_rng(4)
    warned = 0
    for _ in range(200):
        first, *others = drawn(rng, np.full(30, 0.02))
        warned += before_and_after([first], others).rebound.is_extreme
    assert 20 < warned < 60


def test_few_unchanged_campaigns_give_a_warning_without_a_figure():
    unchanged = [course(0.1, 0.1, earlier) for earlier in (0.09, 0.1, 0.11, 0.105)]
    rebound = before_and_after([course(0.05, 0.1, 0.1)], unchanged).rebound
    assert rebound.is_extreme
    assert rebound.off < 0
    assert rebound.expected is None


def test_days_are_summed_into_windows_and_the_day_of_the_change_is_in_none():
    rows = [("a", DAY + timedelta(days=back), 1, 10) for back in range(-9, 10)]
    rows += [("b", DAY - timedelta(days=1), None, 5), ("c", DAY, 7, 7)]
    assert courses(rows, DAY, 3) == {
        "a": Course((3, 30), (3, 30), (3, 30)),
        "b": Course((0, 5), (0, 0), (0, 0)),
    }


def test_both_sides_have_as_many_days():
    assert window_days(DAY, DAY - timedelta(days=30), DAY + timedelta(days=5)) == 5
    assert window_days(DAY, DAY - timedelta(days=30), DAY + timedelta(days=40)) == 14
    assert window_days(DAY, DAY - timedelta(days=2), DAY + timedelta(days=40)) is None
