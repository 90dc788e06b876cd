"""A/B tests: who is better, how sure that is among several, and whether visitors were divided as meant."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analysis.proportions import Rate
from app.analysis.variants import Verdict, best, check_split, chi_square_tail, compare_variants, holm


def verdicts(comparison):
    return {one.name: one.verdict for one in comparison.variants}


def test_a_variant_with_half_as_many_clicks_again_is_better():
    test = compare_variants({"A": Rate(80, 1000), "B": Rate(120, 1000)})
    assert verdicts(test) == {"A": Verdict.CONTROL, "B": Verdict.BETTER}
    assert best(test.variants).name == "B"
    assert round(test.variants[1].p_value, 4) == 0.0029


def test_what_chance_may_have_done_is_not_decided_and_says_what_would_be_seen():
    """80 and 90 of 1,000; with so many, about 2.8 · sqrt(2 · 0.08 · 0.92 / 1000) = 3.4 points would show."""
    test = compare_variants({"A": Rate(80, 1000), "B": Rate(90, 1000)})
    assert verdicts(test)["B"] is Verdict.OPEN
    assert best(test.variants) is None
    assert round(test.smallest_seen, 3) == 0.034


def test_the_control_may_be_named_and_a_worse_variant_is_called_so():
    test = compare_variants({"A": Rate(80, 1000), "B": Rate(120, 1000)}, control="B")
    assert verdicts(test) == {"B": Verdict.CONTROL, "A": Verdict.WORSE}


def test_too_few_are_called_too_few_however_large_the_difference():
    assert verdicts(compare_variants({"A": Rate(0, 4), "B": Rate(4, 4)}))["B"] is Verdict.TOO_FEW
    assert verdicts(compare_variants({"A": Rate(0, 0), "B": Rate(0, 0)}))["B"] is Verdict.TOO_FEW


def test_among_several_comparisons_one_must_be_surer():
    """106 against 80 of 1,000 is p = 0.045 alone; as one of four comparisons it counts as 0.18."""
    alone = compare_variants({"A": Rate(80, 1000), "B": Rate(106, 1000)})
    among = compare_variants(
        {"A": Rate(80, 1000), "B": Rate(106, 1000), "C": Rate(80, 1000), "D": Rate(81, 1000), "E": Rate(79, 1000)}
    )
    assert verdicts(alone)["B"] is Verdict.BETTER
    assert verdicts(among)["B"] is Verdict.OPEN
    assert among.variants[1].p_value == pytest.approx(4 * alone.variants[1].p_value)
    assert among.variants[1].difference.interval.low < alone.variants[1].difference.interval.low


def test_chance_alone_seldom_finds_a_winner_among_five():
    """Five equal variants, two thousand times: some variant is called better or worse in at most 5 % of them."""
    draws = np.random.default_rng(5).binomial(500, 0.2, (2000, 5))
    found = [
        any(
            one.verdict in {Verdict.BETTER, Verdict.WORSE}
            for one in compare_variants({str(n): Rate(int(hits), 500) for n, hits in enumerate(row)}).variants
        )
        for row in draws
    ]
    assert np.mean(found) < 0.06


def test_holm_by_hand():
    """0.01 · 3, 0.02 · 2, and 0.03 · 1, which must not be less than the one before; what is unknown stays so."""
    corrected = holm({"a": 0.03, "b": 0.01, "c": 0.02, "d": None})
    assert corrected == {"a": pytest.approx(0.04), "b": pytest.approx(0.03), "c": pytest.approx(0.04), "d": None}


def test_one_variant_alone_is_no_test():
    with pytest.raises(ValueError, match="at least one variant beside it"):
        compare_variants({"A": Rate(1, 2)})


def test_a_split_by_hand():
    """5,200 and 4,800 where 5,000 were meant: 40,000 / 5,000 twice is 16, which chance does once in 15,787."""
    split = check_split({"A": 5200, "B": 4800})
    assert split.is_mismatched
    assert round(1 / split.p_value) == 15_787
    assert not check_split({"A": 5050, "B": 4950}).is_mismatched


def test_a_split_is_checked_against_the_shares_that_were_meant():
    assert not check_split({"A": 9000, "B": 1000}, {"A": 0.9, "B": 0.1}).is_mismatched
    assert check_split({"A": 9000, "B": 1000}, {"A": 80, "B": 20}).is_mismatched
    with pytest.raises(ValueError, match="a share of its own"):
        check_split({"A": 1, "B": 1}, {"A": 1})


def test_nobody_at_all_is_no_mismatch():
    assert check_split({"A": 0, "B": 0}).p_value is None


@pytest.mark.parametrize(
    ("freedom", "distance"), [(1, 3.841459), (2, 5.991465), (3, 7.814728), (4, 9.487729), (10, 18.307038)]
)
def test_the_tail_is_five_per_cent_at_the_printed_values(freedom, distance):
    assert chi_square_tail(distance, freedom) == pytest.approx(0.05, abs=1e-7)


@given(st.integers(2, 12), st.floats(0.01, 60))
def test_the_tail_is_what_the_density_leaves(freedom, distance):
    """The oracle adds up the density by the trapezoidal rule; a single degree of freedom has none at 0."""
    at = np.linspace(0, distance, 20_001)
    with np.errstate(divide="ignore"):
        log = (freedom / 2 - 1) * np.log(at) if freedom > 2 else np.zeros_like(at)
    density = np.exp(log - at / 2 - freedom / 2 * math.log(2) - math.lgamma(freedom / 2))
    assert chi_square_tail(distance, freedom) == pytest.approx(1 - np.trapezoid(density, at), abs=2e-5)
