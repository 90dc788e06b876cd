"""Intervals of rates: against the literature's examples, and against the definitions they come from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.proportions import Rate, difference, needed_each, quantile, smallest_seen, two_sided, wilson

RATES = st.integers(1, 10**6).flatmap(lambda of: st.builds(Rate, st.integers(0, of), st.just(of)))


def rounded(interval, digits=4):
    return tuple(round(bound, digits) for bound in (interval.low, interval.high))


@pytest.mark.parametrize(
    ("hits", "of", "bounds"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_gives_the_bounds_of_newcombes_examples(hits, of, bounds):
    """Statistics in Medicine 17 (1998), pages 857 to 872, table I, method 3."""
    assert rounded(wilson(Rate(hits, of))) == bounds


@given(RATES)
def test_at_a_bound_of_wilsons_what_was_seen_is_just_as_far_off_as_is_allowed(rate):
    """The definition: |p − bound| = z · sqrt(bound (1 − bound) / n)."""
    interval = wilson(rate)
    for bound in (interval.low, interval.high):
        if 0 < bound < 1:
            off = quantile(0.95) * math.sqrt(bound * (1 - bound) / rate.of)
            assert abs(interval.estimate - bound) == pytest.approx(off, rel=1e-6, abs=1e-12)


def test_nothing_tried_tells_nothing():
    assert wilson(Rate(0, 0)).estimate is None
    assert wilson(Rate(0, 0)).holds(0.99)
    assert difference(Rate(0, 0), Rate(1, 2)).p_value is None


def test_a_rate_above_one_is_no_rate():
    with pytest.raises(ValueError, match="3 of 2"):
        Rate(3, 2)


@pytest.mark.parametrize(
    ("one", "other", "bounds"),
    [
        (Rate(56, 70), Rate(48, 80), (0.0524, 0.3339)),
        (Rate(9, 10), Rate(3, 10), (0.1705, 0.8090)),
        (Rate(5, 56), Rate(0, 29), (-0.0381, 0.1926)),
        (Rate(10, 10), Rate(0, 10), (0.6075, 1.0)),
    ],
)
def test_a_difference_has_the_bounds_of_newcombes_examples(one, other, bounds):
    """Statistics in Medicine 17 (1998), pages 873 to 890, table II, method 10."""
    assert rounded(difference(one, other).interval) == bounds


def test_the_test_of_a_difference_by_hand():
    """80 and 120 of 1,000: 10 % together, an error of sqrt(0.09 · 0.002) = 0.01342, so z = 2.981 and p = 0.0029."""
    found = difference(Rate(120, 1000), Rate(80, 1000))
    assert found.interval.estimate == pytest.approx(0.04)
    assert round(found.p_value, 4) == 0.0029
    assert not found.is_rough


def test_where_all_or_nothing_was_hit_on_both_sides_there_is_no_difference():
    assert difference(Rate(0, 50), Rate(0, 80)).p_value == 1
    assert difference(Rate(50, 50), Rate(80, 80)).p_value == 1


def test_few_expected_make_a_difference_rough():
    """Four of 100 are expected on each side."""
    assert difference(Rate(8, 100), Rate(0, 100)).is_rough
    assert not difference(Rate(10, 100), Rate(0, 100)).is_rough


@given(RATES, RATES)
def test_the_other_way_round_a_difference_turns_its_sign(one, other):
    forth, back = difference(one, other), difference(other, one)
    assert forth.p_value == pytest.approx(back.p_value)
    assert (forth.interval.low, forth.interval.high) == pytest.approx((-back.interval.high, -back.interval.low))


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Ten thousand draws: 300 of 10 %, and the difference of two such."""
    rng = np.random.default_rng(3)
    draws = rng.binomial(300, 0.1, (2, 10_000))
    held = np.mean([wilson(Rate(int(hits), 300)).holds(0.1) for hits in draws[0]])
    both = np.mean(
        [difference(Rate(int(a), 300), Rate(int(b), 300)).interval.holds(0) for a, b in zip(*draws, strict=True)]
    )
    assert held == pytest.approx(0.95, abs=0.015)
    assert both == pytest.approx(0.95, abs=0.015)


def test_what_is_far_out_is_small_and_not_nothing():
    assert two_sided(1.959963984540054) == pytest.approx(0.05)
    assert 0 < two_sided(30) < 1e-190


def test_how_many_are_needed_by_hand():
    """From 10 to 12 %: 7.849 · (0.09 + 0.1056) / 0.0004 = 3,838.1."""
    assert needed_each(0.10, 0.02) == 3839
    with pytest.raises(ValueError, match="can't be looked for"):
        needed_each(0.1, 0)
    with pytest.raises(ValueError, match="can't be looked for"):
        needed_each(0.1, -0.2)


def test_so_many_find_about_the_difference_that_they_are_needed_for():
    assert smallest_seen(0.10, needed_each(0.10, 0.005)) == pytest.approx(0.005, rel=0.03)
    assert smallest_seen(0.5, 1) == 1
