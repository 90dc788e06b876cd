"""Nothing of a workspace that a viewer does not see ever reaches them: no figure, no name, no hint."""

from datetime import date
from itertools import combinations

import pytest

from app.access import NotPermittedError, Role
from app.metrics.errors import UnknownValueError
from app.metrics.glossary import metrics
from app.metrics.metric import Unit
from tests.metrics.small_lake import campaign_id, money, sent, viewer, workspace_id

DAY = date(2026, 1, 10)


@pytest.fixture
def ask(lake, asking):
    """Acme (1) got 100 e-mails, Birch (2) 300; Birch alone has visitors from a partner's page."""
    lake.add("email_days", sent(DAY, 1, delivered=100), sent(DAY, 3, delivered=300))
    lake.add(
        "web_days",
        {"workspace_code": 1, "campaign_code": 2, "day": DAY, "source": "newsletter", "views": 1, "web_events": 1},
        {"workspace_code": 2, "campaign_code": 3, "day": DAY, "source": "secret-partner", "views": 9, "web_events": 9},
    )
    lake.add("ai_days", {"workspace_code": 2, "user_code": 7, "day": DAY, "generations": 3, "ai_cost": money("1")})
    lake.add("email_contact_days", {"workspace_code": 2, "contact_code": 5, "day": DAY, "opened_events": 1})
    lake.add("audience_days", {"workspace_code": 2, "day": DAY, "contacts_added": 4})
    lake.add("ai_latency", {"workspace_code": 2, "day": DAY, "latency_bucket": 348, "timed_generations": 4})
    return asking()


def test_each_viewer_gets_the_figures_of_their_own_workspaces(ask):
    assert ask.one("sent", who=viewer(1)) == 100
    assert ask.one("sent", who=viewer(2)) == 300
    assert ask.one("sent", who=viewer(1, 2)) == 400


def test_every_set_of_workspaces_gets_its_own_and_nothing_of_the_others(lake, asking):
    """Workspace n sent 10 to the n: each digit tells whose rows were counted, with gaps between them and without."""
    lake.tables["workspaces"] = []
    numbers = (1, 2, 3, 5)
    lake.add(
        "workspaces", *({"code": n, "id": str(workspace_id(n)), "name": f"W{n}", "slug": f"w{n}"} for n in numbers)
    )
    lake.add("email_days", *({"workspace_code": n, "day": DAY, "emails_sent": 10**n} for n in (*numbers, 4)))
    ask = asking()
    for size in range(len(numbers) + 1):
        for chosen in combinations(numbers, size):
            assert ask.one("sent", who=viewer(*chosen)) == sum(10**n for n in chosen), chosen


@pytest.mark.parametrize("metric", ["generations", "unique_openers", "contacts", "ai_cost"])
def test_every_kind_of_metric_is_limited(ask, metric):
    assert ask.one(metric, who=viewer(1)) == 0
    assert ask.one(metric, who=viewer(2)) > 0


def test_a_percentile_is_limited_too(ask):
    assert ask.one("generation_time_p50", who=viewer(1)) is None


def test_a_viewer_of_nothing_gets_nothing(ask):
    assert ask.one("sent", who=viewer()) == 0
    assert ask.rows("sent", by="campaign", who=viewer()) == []


def test_names_of_others_are_not_among_the_labels(ask):
    rows = ask.rows("sent", by=["workspace", "campaign"], who=viewer(1))
    assert [(row["workspace_name"], row["campaign_name"]) for row in rows] == [("Acme", "Spring")]


@pytest.mark.parametrize(
    "where",
    [
        {"workspace": str(workspace_id(2))},
        {"workspace": "birch"},
        {"campaign": campaign_id(3)},
        {"campaign": "Secret"},
    ],
)
def test_a_key_of_others_is_as_unknown_as_one_that_never_was(ask, where):
    (name, value) = next(iter(where.items()))
    with pytest.raises(UnknownValueError) as theirs:
        ask.rows("sent", where=where, who=viewer(1))
    with pytest.raises(UnknownValueError) as nobodys:
        ask.rows("sent", where={name: "nonsense"}, who=viewer(1))
    assert str(theirs.value).replace(value, "?") == str(nobodys.value).replace("nonsense", "?")


def test_of_several_keys_those_that_are_newer_than_the_lake_have_no_figures_yet(ask):
    """A page lists campaigns from the database; a version that is pinned or late doesn't know the newest."""
    listed = (campaign_id(1), campaign_id(99))
    assert ask.one("sent", where={"campaign": listed}, who=viewer(1)) == 100
    assert ask.one("sent", where={"campaign": (campaign_id(1), campaign_id(3))}, who=viewer(1)) == 100
    february = (date(2026, 2, 1), date(2026, 3, 1))
    assert ask.one("sent", *february, where={"campaign": listed}, who=viewer(1)) == 0
    with pytest.raises(UnknownValueError):
        ask.rows("sent", where={"campaign": (campaign_id(98), campaign_id(99))}, who=viewer(1))


def test_ones_own_keys_and_names_are_known(ask):
    assert ask.one("sent", where={"campaign": campaign_id(1)}, who=viewer(1)) == 100
    assert ask.one("sent", where={"campaign": "Spring"}, who=viewer(1)) == 100
    assert ask.one("sent", where={"workspace": "acme"}) == 100


def test_what_was_meant_is_offered_from_ones_own_rows_only(ask):
    with pytest.raises(UnknownValueError) as refused:
        ask.rows("views", where={"source": "newsleter"}, who=viewer(1))
    assert refused.value.fix == "Did you mean 'newsletter'?"
    with pytest.raises(UnknownValueError) as refused:
        ask.rows("views", where={"source": "secret-partnr"}, who=viewer(1))
    assert "secret-partner" not in str(refused.value)
    with pytest.raises(UnknownValueError) as refused:
        ask.rows("sent", where={"campaign": "Secre"}, who=viewer(1))
    assert "Secret" not in refused.value.fix


def test_a_person_who_worked_elsewhere_is_as_unknown_as_nobody(ask):
    """Grace worked in workspace 2 alone."""
    said = []
    for value in ("Grace", "00000000-0000-0000-0000-000000000007", "Nobody"):
        with pytest.raises(UnknownValueError) as refused:
            ask.rows("generations", where={"user": value}, who=viewer(1))
        said.append(str(refused.value).replace(value, "?"))
    assert len(set(said)) == 1
    assert ask.one("generations", where={"user": "Grace"}, who=viewer(2)) == 3


def test_a_known_value_without_rows_in_the_period_is_no_error(ask):
    assert ask.one("views", date(2026, 3, 1), date(2026, 3, 2), where={"source": "newsletter"}) == 0


def test_kept_answers_are_never_handed_to_somebody_else(ask):
    for _ in range(2):
        assert ask.one("sent", who=viewer(1, 2)) == 400
        assert ask.one("sent", who=viewer(1)) == 100


def test_money_is_for_those_who_may_see_it(ask):
    for metric in (
        "ai_cost",
        "margin",
        "mrr",
        "invoiced",
        "recognised_revenue",
        "cost_per_accepted",
        "credits_balance",
    ):
        with pytest.raises(NotPermittedError):
            ask.rows(metric, who=viewer(1, role=Role.VIEWER))
    assert ask.one("ai_cost", who=viewer(2, role=Role.FINANCE)) == 1
    with pytest.raises(NotPermittedError):
        ask.rows("quota_balances", who=viewer(1, role=Role.FINANCE))


def test_a_kept_answer_is_refused_to_somebody_who_may_not_see_it(ask):
    assert ask.one("ai_cost", who=viewer(2)) == 1
    with pytest.raises(NotPermittedError):
        ask.one("ai_cost", who=viewer(2, role=Role.VIEWER))


def test_a_viewer_sees_what_customers_spend_and_earn_but_not_what_they_cost_and_pay_us():
    seen = {
        name
        for name, metric in metrics().items()
        if metric.unit is Unit.MONEY and viewer(role=Role.VIEWER).may(metric.permission)
    }
    assert {"spend", "conversion_value", "ad_revenue"} <= seen
    assert not {name for name in seen if name.startswith(("ai_", "mrr", "invoiced", "recognised", "margin"))}
