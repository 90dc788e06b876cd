"""A budget is held against what its own campaign spent, whatever the page is narrowed to."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from uuid import UUID

import pytest

from app.access import Role
from app.metrics.desk import Desk
from app.ui import asking
from app.ui.paced import spent_on
from app.ui.paces import _spent
from app.ui.scope import Scope
from tests.metrics.small_lake import campaign_id, money, two_workspaces, viewer

DAY, LAST = date(2026, 1, 10), date(2026, 1, 31)


@pytest.fixture
def scope(tmp_path, monkeypatch):
    """Campaign 1 spent 10, campaign 2 spent 5, on the same day in the same currency."""
    lake = two_workspaces(tmp_path)
    for number, amount in ((1, "10"), (2, "5")):
        row = {"workspace_code": 1, "campaign_code": number, "day": DAY, "breakdown": "none"}
        lake.add("ad_days", row | {"currency": "USD", "platform": "meta", "spend": money(amount)})
    lake.publish()
    desk = Desk(lake, currency="USD")
    monkeypatch.setattr(asking, "the_desk", lambda: desk)
    ada = viewer(1, role=Role.ADMIN)
    yield Scope(ada, date(2026, 1, 20), LAST, "previous", {}, "day", None, "UTC", "USD")
    desk.close()


def spent(answer):
    return {(row.get("campaign"), row["day"]): row["spend"] for row in answer.rows() if row["spend"]}


@pytest.mark.parametrize("where", [{}, {"channel": ("web",)}, {"product": ("mailer",)}])
def test_a_campaigns_budget_is_held_against_its_own_spend_alone(scope, where):
    answer = spent_on(UUID(campaign_id(2)), replace(scope, where=where), DAY, LAST)
    assert spent(answer) == {(None, DAY): 5}


def test_campaigns_are_paced_whatever_channel_is_chosen(scope):
    planned = {campaign_id(number): SimpleNamespace(start_date=DAY) for number in (1, 2)}
    answer = _spent(planned, scope.narrowed(channel="ads"), LAST)
    assert spent(answer) == {(campaign_id(1), DAY): 10, (campaign_id(2), DAY): 5}
