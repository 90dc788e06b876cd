"""What can't be asked is refused by name, with what was meant or what can be asked in its place."""

from datetime import date

import pytest

from app.metrics.errors import (
    CannotAnswerError,
    EmptyPeriodError,
    MalformedQuestionError,
    UnknownDimensionError,
    UnknownMetricError,
    UnknownValueError,
)
from app.metrics.question import Checked, check, question
from app.metrics.route import Held, nearest, route
from app.metrics.shapes import shapes
from tests.metrics.small_lake import JANUARY

HELD = Held(shapes(), dict.fromkeys(shapes(), 1))


def checked(metrics, **more) -> Checked:
    return check(question(metrics, *JANUARY, **more))


def routed(metrics, **more):
    return route(checked(metrics, **more), HELD)


@pytest.mark.parametrize(
    ("given", "meant"), [("opnes", "opens"), ("open_rat", "open_rate"), ("Delivered", "delivered"), ("margn", "margin")]
)
def test_an_unknown_metric_is_asked_back(given, meant):
    with pytest.raises(UnknownMetricError) as refused:
        checked(given)
    assert f"'{meant}'" in refused.value.fix


def test_a_name_like_no_other_is_sent_to_the_glossary():
    with pytest.raises(UnknownMetricError) as refused:
        checked("xyzzy")
    assert "sightline metrics" in refused.value.fix


def test_an_unknown_dimension_grain_or_value_is_asked_back():
    with pytest.raises(UnknownDimensionError, match="Did you mean 'campaign'"):
        checked("sent", by="campain")
    with pytest.raises(UnknownDimensionError, match="Did you mean 'month'"):
        checked("sent", grain="monht")
    with pytest.raises(UnknownValueError, match="Did you mean 'mailer'"):
        checked("sent", where={"product": "mailr"})
    with pytest.raises(UnknownValueError, match="whole number"):
        checked("sent", where={"hour": "noon"})


def test_a_period_without_a_day_is_refused():
    with pytest.raises(EmptyPeriodError, match="End it at 2026-01-02"):
        check(question("sent", date(2026, 1, 1), date(2026, 1, 1)))


@pytest.mark.parametrize(
    ("metrics", "more", "says"),
    [
        ((), {}, "No metric"),
        ("sent", {"by": ["day", "month"]}, "by day and by month"),
        ("sent", {"where": {"day": "2026-01-01"}}, "Set since and until"),
        ("sent", {"limit": 0}, "at least 1"),
        ("sent", {"order": "-opened", "by": "campaign"}, "can't be ordered by 'opened'"),
        ("sent", {"compare": "yesterday"}, "'previous' or 'year'"),
        ("views", {"where": {"source": ()}}, "has no value"),
    ],
)
def test_a_question_that_contradicts_itself_is_refused(metrics, more, says):
    with pytest.raises(MalformedQuestionError, match=says):
        checked(metrics, **more)


def test_people_by_campaign_are_refused_with_the_nearest_questions():
    with pytest.raises(CannotAnswerError) as refused:
        routed("unique_openers", by=["campaign", "workspace"])
    assert refused.value.what == "unique_openers can't be answered by campaign, workspace."
    assert "emails_opened by campaign, workspace" in refused.value.fix
    assert "unique_openers by workspace" in refused.value.fix


@pytest.mark.parametrize(
    ("metrics", "more"),
    [
        ("open_rate", {"by": "device"}),
        ("unique_openers", {"by": "campaign"}),
        ("impressions", {"by": ["platform", "age"]}),
        ("reach", {"by": "campaign"}),
        ("contacts", {"by": "weekday"}),
        ("ai_cost", {"by": "currency"}),
        ("quota_used", {"by": "workspace"}),
        ("quantity", {}),
        ("margin", {"by": "model"}),
        ("generation_time_p95", {"by": "user"}),
        ("conversions", {"where": {"provider": "openai"}}),
    ],
)
def test_what_is_refused_comes_with_questions_that_are_answered(metrics, more):
    """Each offer, read back as a question, finds its rollups."""
    asked = checked(metrics, **more)
    with pytest.raises(CannotAnswerError):
        route(asked, HELD)
    offers = nearest(asked.metrics[0], asked, HELD)
    assert offers
    for offer in offers:
        name, _, split = offer.replace(" without a split", "").partition(" by ")
        name, _, filtered = name.partition(" where a ")
        split = split.partition(" where a ")[0]
        if not filtered:
            assert route(
                check(question(name, date(2026, 1, 1), date(2026, 1, 2), by=split.split(", ") if split else ())), HELD
            )


def test_a_meter_must_be_split_by_or_fixed():
    assert routed("quota_used", by=["meter", "quota_period"])
    assert routed("quota_used", where={"meter": "emails", "quota_period": "month"})
    with pytest.raises(CannotAnswerError, match="quota_period"):
        routed("quota_used", where={"meter": ["emails", "contacts"]}, by="quota_period")


def test_a_version_without_a_rollup_says_so():
    with pytest.raises(CannotAnswerError, match="this version of the lake lacks"):
        route(checked("sent"), Held(shapes(), {}))


def test_metrics_of_several_rollups_are_read_from_each():
    assert {part.shape.name for part in routed(["margin", "mrr"], by="workspace")} >= {"revenue_days", "mrr_days"}
