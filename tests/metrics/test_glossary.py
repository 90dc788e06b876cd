"""Every metric and dimension is described, and is to be had from the rollups as they are written."""

import itertools
from datetime import date

import pytest

from app.metrics.dimensions import dimension, dimensions
from app.metrics.glossary import SUBJECTS, metric, metrics
from app.metrics.metric import (
    Additivity,
    Difference,
    Direction,
    Leaf,
    Percentile,
    Ratio,
    Single,
    Stock,
    Sum,
    Total,
    Unit,
    leaves,
    permissions,
)
from app.metrics.question import check, question
from app.metrics.route import Held, route
from app.metrics.shapes import shapes
from app.rollups import rollups

ALL = list(metrics().values())
HELD = Held(shapes(), dict.fromkeys(shapes(), 1))
NEEDED = {"meter": "emails", "quota_period": "month", "feature": "editor", "campaign": "x"}
# What design and documents call by name.
PROMISED = (
    "open_rate click_rate bounce_rate unsubscribe_rate complaint_rate clicks_per_open confirmed_opens "
    "views clicks conversions conversion_rate conversion_value attributed_conversions unattributed_conversions "
    "impressions ad_clicks spend ctr cpc cpm cpa roas reach "
    "generations ai_cost reported_cost cost_per_accepted unpriced_generations failure_rate acceptance_rate retry_rate "
    "generation_time_p50 generation_time_p95 recognised_revenue margin margin_rate mrr mrr_new mrr_expansion "
    "mrr_contraction mrr_churn mrr_reactivation invoiced credits_purchased credits_granted credits_spent "
    "credits_expired credits_refunded credits_balance contacts uses quota_used quota_limit unique_openers"
)


@pytest.mark.parametrize("name", PROMISED.split())
def test_what_was_promised_is_there(name):
    assert metric(name)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_metric_is_described(one):
    assert one.meaning.endswith(".")
    assert one.meaning[0].isupper()
    assert len(one.meaning) > 10
    assert one.formula
    assert isinstance(one.unit, Unit)
    assert isinstance(one.good, Direction)
    assert isinstance(one.additivity, Additivity)
    assert one.permission in permissions(one)
    assert all(metric(other) for other in one.instead)
    assert all(dimension(name) for name in one.needs)
    assert one.name.replace("_", "").isalnum()
    assert one.name == one.name.lower()


def test_no_name_stands_for_two_metrics():
    names = list(itertools.chain.from_iterable((one.name, *one.aliases) for one in ALL))
    assert len(names) == len(set(names))
    assert len(ALL) == sum(len(subject) for subject in SUBJECTS.values())


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_every_metric_is_to_be_had_from_the_rollups(one):
    fixed = {
        name: value for name, value in NEEDED.items() if name in {need for leaf in leaves(one) for need in leaf.needs}
    }
    assert route(check(question(one.name, date(2026, 1, 1), date(2026, 1, 2), where=fixed)), HELD)


@pytest.mark.parametrize("one", dimensions().values(), ids=lambda one: one.name)
def test_every_dimension_is_described_and_reached_from_a_rollup(one):
    assert one.meaning.endswith(".")
    assert any(one.way(shape) for shape in shapes().values())


@pytest.mark.parametrize("name", rollups())
def test_every_measure_of_a_rollup_is_in_a_metric(name):
    """What is counted can be asked for."""
    used = {measure for one in ALL for leaf in leaves(one) for measure in _measures(leaf)}
    assert shapes()[name].measures - used <= {"events"}


def _measures(leaf: Leaf) -> set[str]:
    if isinstance(leaf, Stock):
        return {flow.measure for flow in leaf.flows}
    return {leaf.measure}


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_additivity_follows_from_what_a_metric_is(one):
    if isinstance(one, Ratio | Percentile | Single):
        assert one.additivity is Additivity.NOTHING
    if isinstance(one, Stock):
        assert one.additivity is Additivity.NOT_OVER_TIME
    if isinstance(one, Total):
        assert all(part.additivity is Additivity.EVERYTHING for part in one.parts)
    if isinstance(one, Difference):
        # What was there at a period's beginning is no more a sum over time than what is there at its end.
        assert one.subtrahend.additivity is Additivity.EVERYTHING
        assert one.additivity is one.minuend.additivity is not Additivity.NOTHING


def test_amounts_are_never_whole_numbers():
    assert not [one.name for one in ALL if isinstance(one, Sum) and one.is_money and one.is_whole]
