"""Values find their place between the edges of a chart."""

import pytest

from app.ui.scales import Scale, every_nth, path, round_step, scale_for


def test_a_scale_starts_at_zero_and_ends_at_a_round_number():
    assert scale_for([3, 12, None]) == Scale(0, 15, 5)
    assert scale_for([3, 12]).ticks == [0, 5, 10, 15]


def test_values_below_zero_have_their_own_lines():
    scale = scale_for([-3.0, 6.0])
    assert (scale.low, scale.high, scale.step) == (-5, 7.5, 2.5)
    assert scale.share(-5) == 0
    assert scale.share(7.5) == 1


def test_nothing_but_zeros_still_has_a_scale():
    assert scale_for([0, 0]).high == 1
    assert scale_for([None]).high == 1
    assert scale_for([]).high == 1


def test_what_is_counted_has_no_half_lines():
    assert scale_for([2], whole=True).ticks == [0, 1, 2]


@pytest.mark.parametrize(("least", "step"), [(0.9, 1), (1, 1), (1.1, 2), (2.2, 2.5), (2.6, 5), (5.1, 10), (0.03, 0.05)])
def test_a_step_is_round(least, step):
    assert round_step(least) == pytest.approx(step)


def test_a_line_breaks_where_there_is_no_value():
    assert path([0, None, 1], width=100, height=10) == "M0.0 10.0M100.0 0.0"
    assert path([0, 0.5, 1], width=100, height=10) == "M0.0 10.0L50.0 5.0L100.0 0.0"


def test_at_most_so_many_are_labelled():
    assert every_nth(28, 7) == [0, 4, 8, 12, 16, 20, 24]
    assert every_nth(3, 7) == [0, 1, 2]
