"""Limits of services by the day are changed by who sees everything; a lost call gives up what it holds, safely."""

from datetime import UTC, datetime, timedelta

import pytest

from app.access import NotPermittedError, Role, Viewer
from app.commands.quota_rules import give_up, set_service_limits
from app.commands.stale import EditedMeanwhileError
from app.records import quotas as reading
from db.errors import SightlineError
from tests.db.rows import add
from tests.quotas.shop import make_shop


@pytest.fixture
def company(database):
    shop = make_shop(database, began=datetime.now(UTC) - timedelta(days=40))
    shop.limit(10)
    return shop


def person(shop, role=Role.ADMIN, member_id=None):
    return Viewer("Ada", frozenset({role}), frozenset({shop.workspace}), member_id)


def limits(shop):
    found = reading.service_limits(shop.database.ro, person(shop))
    return {one.meter: one.amount for one in found if one.amount is not None}, found[0].revision


def audited(shop, table):
    return shop.ask(
        "SELECT actor, reason, before, after FROM audit_log WHERE table_name = :name ORDER BY position", name=table
    )


def test_limits_of_services_are_changed_ruled_by_and_audited(company):
    before, revision = limits(company)
    assert before == {"imagen": 100, "veo": 50}
    set_service_limits(company.database.rw, person(company), {"veo": 1}, revision=revision, reason="Dear videos")
    assert limits(company)[0] == {"veo": 1}
    assert company.reserve("a", meters={"veo": 1}, customer=company.owner)["verdict"] == "admitted"
    assert company.reserve("b", meters={"veo": 1}, customer=company.owner)["verdict"] == "refused"
    actor, reason, was, now = audited(company, "settings")[-1]
    assert (actor, reason, was["value"], now["value"]) == ("Ada", "Dear videos", before, {"veo": 1})


def test_two_edits_of_service_limits_are_told_apart_and_together(company):
    rw, by = company.database.rw, person(company)
    base, revision = limits(company)
    set_service_limits(rw, by, {**base, "veo": 7}, revision=revision, reason="First", made_on=base)
    with pytest.raises(EditedMeanwhileError, match="both can be saved together") as refused:
        set_service_limits(rw, by, {**base, "imagen": 9}, revision=revision, reason="Second", made_on=base)
    assert refused.value.merged.together == {"imagen": 9, "veo": 7}
    with pytest.raises(EditedMeanwhileError, match="change it again"):
        set_service_limits(rw, by, {**base, "veo": 8}, revision=revision, reason="Third", made_on=base)
    assert limits(company)[0] == {"imagen": 100, "veo": 7}


@pytest.mark.parametrize(
    ("wanted", "reason", "sentence"),
    [
        ({"apples": 1}, "x", "'apples' is no meter"),
        ({"veo": -1}, "x", "-1 is no limit"),
        ({"veo": 10**16}, "x", "is no limit"),
        ({"veo": 1}, " ", "done for a reason"),
    ],
)
def test_bad_limits_of_services_are_refused_with_their_sentence(company, wanted, reason, sentence):
    with pytest.raises(SightlineError, match=sentence):
        set_service_limits(company.database.rw, person(company), wanted, revision=1, reason=reason)


def test_who_is_limited_or_no_admin_changes_neither(company):
    rw = company.database.rw
    company.reserve("a")
    [held] = reading.held(company.database.ro, person(company))
    for role in (Role.VIEWER, Role.FINANCE):
        with pytest.raises(NotPermittedError):
            set_service_limits(rw, person(company, role), {}, revision=1, reason="x")
        with pytest.raises(NotPermittedError):
            give_up(rw, person(company, role), company.workspace, held.id, reason="x")
    with company.database.setup.begin() as connection:
        limited = add(connection, "team_members", email="lin@example.com", roles=["admin"],
            workspace_ids=[company.workspace]).id  # fmt: skip
    with pytest.raises(NotPermittedError, match="every workspace"):
        set_service_limits(rw, person(company, member_id=limited), {}, revision=1, reason="x")
    stranger = Viewer("Eve", frozenset({Role.ADMIN}), frozenset())
    with pytest.raises(SightlineError, match="holds nothing any more"):
        give_up(rw, stranger, company.workspace, held.id, reason="x")
    assert company.used_and_held() == (0, 1)


def test_a_lost_call_gives_up_what_it_holds_and_is_counted_should_it_still_end(company):
    company.reserve("a", meters={"generations": 7})
    [held] = reading.held(company.database.ro, person(company))
    rw, by = company.database.rw, person(company)
    with pytest.raises(SightlineError, match="done for a reason"):
        give_up(rw, by, company.workspace, held.id, reason="")
    assert give_up(rw, by, company.workspace, held.id, reason="Its process was killed") == 1
    assert company.used_and_held() == (0, 0)
    with pytest.raises(SightlineError, match="holds nothing any more"):
        give_up(rw, by, company.workspace, held.id, reason="Again")
    [(actor, reason, before, after)] = audited(company, "quota_reservations")
    assert (actor, reason, before["state"], after["state"], before["amount"]) == (
        "Ada", "Its process was killed", "held", "expired", 7,
    )  # fmt: skip
    company.settle("a")
    assert company.used_and_held() == (7, 0)
    assert company.wrong_sums() == []
