"""What changed and why: parts that add up, whatever came, went or has no denominator."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.analysis.effects import ratio_effects, sum_effects, volume_effects

COUNTS = st.integers(0, 10**9)
PAIRS = st.dictionaries(st.sampled_from("abcdefghijkl"), st.tuples(COUNTS, COUNTS), max_size=12)


def parts(effects):
    rest = [effects.others] if effects.others else []
    return effects.volume + sum(one.mix + one.rate for one in [*effects.members, *rest])


def by_member(effects):
    return {one.member: (one.mix, one.rate) for one in effects.members}


def test_a_ratio_that_changed_because_all_members_did_is_all_rate():
    """Half of the mail each: 10 % became 20 %, 30 % became 40 %; together 20 % became 30 %."""
    effects = ratio_effects({"a": (10, 100), "b": (30, 100)}, {"a": (20, 100), "b": (40, 100)})
    assert effects.change == Fraction(1, 10)
    assert by_member(effects) == {"a": (0, Fraction(1, 20)), "b": (0, Fraction(1, 20))}


def test_a_ratio_that_changed_because_a_better_member_grew_is_all_mix():
    """10 % and 30 % stay; b's share goes from 50 to 75 %: 20 % become 25 %. The middle of both wholes is 22.5 %."""
    effects = ratio_effects({"a": (10, 100), "b": (30, 100)}, {"a": (10, 100), "b": (90, 300)})
    assert effects.change == Fraction(5, 100)
    # a shrank by 25 points and lies 12.5 points below the middle; b grew by 25 and lies 7.5 above it.
    assert by_member(effects) == {"a": (Fraction(1, 32), 0), "b": (Fraction(3, 160), 0)}


def test_every_member_may_improve_while_the_whole_falls():
    """Simpson's: 10→12 % and 40→44 %, but the weak one grew from a tenth to nine tenths: 37 % became 15.2 %."""
    effects = ratio_effects({"weak": (10, 100), "good": (360, 900)}, {"weak": (108, 900), "good": (44, 100)})
    assert effects.change == Fraction(152, 1000) - Fraction(370, 1000)
    assert all(rate > 0 and mix < 0 for mix, rate in by_member(effects).values())
    assert parts(effects) == effects.change


def test_a_new_member_and_one_that_vanished_change_the_whole_by_their_mix_alone():
    """20 % of 100 was all that was; now 40 % of another 100 is: up 20 points, ten for each."""
    effects = ratio_effects({"gone": (20, 100)}, {"new": (40, 100)})
    assert by_member(effects) == {"gone": (Fraction(1, 10), 0), "new": (Fraction(1, 10), 0)}
    assert {one.member: (one.before, one.after) for one in effects.members} == {
        "gone": (Fraction(1, 5), None),
        "new": (None, Fraction(2, 5)),
    }


def test_opens_without_a_delivery_count_as_rate():
    """Last month's mail is opened this month: nothing was delivered to it, and still it lifts the whole by 5 points."""
    effects = ratio_effects({"a": (10, 100)}, {"a": (10, 100), "late": (5, 0)})
    assert by_member(effects) == {"late": (0, Fraction(1, 20)), "a": (0, 0)}


@pytest.mark.parametrize(("before", "after"), [({}, {"a": (1, 2)}), ({"a": (1, 2)}, {"a": (0, 0)}), ({}, {})])
def test_a_period_without_a_denominator_has_no_ratio_and_nothing_to_explain(before, after):
    effects = ratio_effects(before, after)
    assert (effects.change, effects.members, effects.others) == (None, (), None)


def test_an_unknown_amount_leaves_the_change_unknown():
    effects = ratio_effects({"a": (1, 2), "b": (None, 2)}, {"a": (1, 2), "b": (1, 2)})
    assert (effects.before, effects.after, effects.change) == (None, Fraction(1, 2), None)
    assert sum_effects({"a": Decimal("NaN")}, {"a": 1}).change is None


def test_the_largest_effects_come_first_and_the_rest_are_one_row():
    before = dict.fromkeys("abcdef", 100)
    after = {"a": 101, "b": 50, "c": 103, "d": 190, "e": 102, "f": 100}
    effects = sum_effects(before, after, shown=2)
    assert [one.member for one in effects.members] == ["d", "b"]
    assert (effects.others.members, effects.others.total) == (4, 6)
    assert effects.change == 46 == parts(effects)


def test_a_single_member_that_would_be_left_over_is_shown_by_its_name():
    effects = sum_effects({}, {"a": 3, "b": 2, "c": 1}, shown=2)
    assert [one.member for one in effects.members] == ["a", "b", "c"]
    assert effects.others is None


def test_a_sum_of_money_is_split_to_the_last_digit():
    effects = sum_effects({"a": Decimal("0.1"), "b": Decimal("0.2")}, {"a": Decimal("0.2"), "c": Decimal("0.3")})
    assert effects.change == Fraction(2, 10)
    assert {one.member: one.total for one in effects.members} == {
        "c": Fraction(3, 10),
        "b": Fraction(-2, 10),
        "a": Fraction(1, 10),
    }


def test_a_sum_that_grew_because_more_was_sent_is_all_volume():
    """10 clicks of 100 became 30 of 300."""
    effects = volume_effects({"a": (10, 100)}, {"a": (30, 300)})
    assert (effects.change, effects.volume, by_member(effects)) == (20, 20, {"a": (0, 0)})


def test_a_sum_is_volume_and_mix_and_rate():
    """10 of 100 became 60 of 300: at the mean rate of 15 %, 200 more bring 30; 10 points more of 200 bring 20."""
    effects = volume_effects({"a": (10, 100)}, {"a": (60, 300)})
    assert (effects.change, effects.volume, by_member(effects)) == (50, 30, {"a": (0, 20)})


def test_a_sum_that_came_of_nothing_is_split_by_its_members_own_change():
    effects = volume_effects({}, {"a": (6, 60), "b": (4, 40)})
    assert (effects.change, effects.volume, parts(effects)) == (10, 0, 10)


@given(PAIRS, PAIRS, st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_the_parts_add_up_exactly_and_looking_back_turns_every_sign(before, after, shown):
    for explain in (ratio_effects, volume_effects):
        forth, back = explain(before, after, shown=shown), explain(after, before, shown=shown)
        if forth.change is None:
            assert forth.members == ()
            continue
        assert parts(forth) == forth.change
        assert (back.change, back.volume) == (-forth.change, -forth.volume)
        assert {one.member: (-one.mix, -one.rate) for one in back.members} == by_member(forth)


@given(PAIRS, PAIRS)
@settings(max_examples=200, deadline=None)
def test_mix_and_rate_are_those_of_the_textbook_where_every_member_is_in_both_periods(before, after):
    """The oracle writes the two products down in floats, from shares and ratios."""
    both = {key for key in before.keys() & after.keys() if before[key][1] and after[key][1]}
    before, after = ({key: period[key] for key in sorted(both)} for period in (before, after))
    if not both:
        return
    n0, d0 = np.array(list(before.values()), dtype=float).T
    n1, d1 = np.array(list(after.values()), dtype=float).T
    r0, r1, s0, s1 = n0 / d0, n1 / d1, d0 / d0.sum(), d1 / d1.sum()
    level = ((s0 * r0).sum() + (s1 * r1).sum()) / 2
    effects = by_member(ratio_effects(before, after, shown=99))
    mix = [float(effects[key][0]) for key in sorted(both)]
    rate = [float(effects[key][1]) for key in sorted(both)]
    scale = max(r0.max(), r1.max(), 1)
    assert mix == pytest.approx((s1 - s0) * ((r0 + r1) / 2 - level), abs=1e-12 * scale)
    assert rate == pytest.approx((s0 + s1) / 2 * (r1 - r0), abs=1e-12 * scale)


def test_whole_numbers_of_numpy_do_not_overflow():
    most = np.int64(2**62)
    assert sum_effects({}, {"a": most, "b": most, "c": most}).change == 3 * 2**62


def test_five_thousand_campaigns_are_split_while_a_person_waits():
    """Without the rounding of the mix, the common denominator of five thousand shares would take minutes."""
    numbers = np.random.default_rng(1).integers(1, 10**6, (4, 5000))
    before = {n: (numbers[0][n], numbers[1][n]) for n in range(5000)}
    after = {n: (numbers[2][n], numbers[3][n]) for n in range(5000)}
    effects = ratio_effects(before, after)
    assert effects.others.members == 4992
    assert parts(effects) == effects.change
