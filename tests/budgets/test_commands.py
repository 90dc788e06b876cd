"""Who may make, change, stop and acknowledge what; what is refused in which words; and what the audit log keeps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.access import NotPermittedError, Role
from app.commands.alerts import acknowledge_alert, snooze_alert
from app.commands.budgets import (
    Terms,
    change_budget,
    create_budget,
    delete_budget,
    pause_budget,
    resume_budget,
)
from app.commands.stale import EditedMeanwhileError
from app.commands.stops import end_stop, start_stop
from app.records.alerts import AlertState, alerts, open_alerts
from app.records.budgets import budget, budgets, evaluations
from app.records.stops import stops
from db.errors import SightlineError
from tests.budgets.conftest import Place
from tests.db.rows import add, workspace

TERMS = Terms("AI", Decimal(100))
AUDIT = """
    SELECT actor, action, before, after, reason FROM audit_log
    WHERE table_name = :table AND row_key = CAST(:key AS TEXT) ORDER BY position
"""


def audit(place: Place, table, key):
    return place.ask(AUDIT, table=table, key=key)


def alert_of(place: Place, **values):
    row = {"period_start": datetime.now(UTC), "threshold": 50, "reason": "50 % of the budget are spent.", **values}
    with place.database.setup.begin() as connection:
        return add(connection, "budget_alerts", **row).id


def test_a_budget_is_made_changed_paused_resumed_and_deleted_with_an_audit_row_each(place):
    rw, ada = place.database.rw, place.person(Role.FINANCE)
    key = create_budget(rw, ada, TERMS, scope="provider", scope_value="openai")
    change_budget(rw, ada, key, replace(TERMS, amount=Decimal(150)), revision=1, reason="A launch.")
    pause_budget(rw, ada, key, revision=2, reason="Under discussion.")
    resume_budget(rw, ada, key, revision=3)
    delete_budget(rw, ada, key, revision=4, reason="Replaced.")
    rows = audit(place, "budgets", key)
    assert [(row.actor, row.action, row.reason) for row in rows] == [
        ("Ada", "insert", None), ("Ada", "update", "A launch."), ("Ada", "update", "Under discussion."),
        ("Ada", "update", None), ("Ada", "update", "Replaced."),
    ]  # fmt: skip
    assert (rows[1].before["amount"], rows[1].after["amount"]) == (100, 150)
    assert budgets(place.database.ro, ada) == ()


def test_an_edit_on_an_older_state_is_refused_with_both_versions(place):
    rw, ada, bob = place.database.rw, place.person(Role.FINANCE), place.person(Role.ADMIN, name="Bob")
    key = create_budget(rw, ada, TERMS, scope="company")
    change_budget(rw, bob, key, replace(TERMS, amount=Decimal(200), thresholds=(90,)), revision=1)
    with pytest.raises(EditedMeanwhileError) as refused:
        change_budget(rw, ada, key, replace(TERMS, amount=Decimal(300)), revision=1)
    assert (refused.value.now["amount"], refused.value.wanted["amount"]) == (200, 300)
    assert "It now says: amount 200, thresholds 90. You wrote: amount 300, thresholds 50, 80, 100." in str(
        refused.value
    )
    assert budget(place.database.ro, ada, key).amount == 200


def test_two_edits_that_do_not_collide_can_be_saved_together(place):
    rw, ada, bob = place.database.rw, place.person(Role.FINANCE), place.person(Role.ADMIN, name="Bob")
    key = create_budget(rw, ada, TERMS, scope="company")
    change_budget(rw, bob, key, replace(TERMS, thresholds=(90,)), revision=1)
    with pytest.raises(EditedMeanwhileError, match="can be saved together") as refused:
        change_budget(rw, ada, key, replace(TERMS, amount=Decimal(300)), revision=1, made_on=TERMS)
    both = Terms(**refused.value.merged.together)
    assert both == replace(TERMS, amount=Decimal(300), thresholds=(90,))
    change_budget(rw, ada, key, both, revision=refused.value.revision, made_on=Terms(**refused.value.now))
    assert budget(place.database.ro, ada, key).amount == 300


def test_two_edits_of_one_field_collide(place):
    rw, ada = place.database.rw, place.person(Role.FINANCE)
    key = create_budget(rw, ada, TERMS, scope="company")
    change_budget(rw, ada, key, replace(TERMS, amount=Decimal(200)), revision=1)
    with pytest.raises(EditedMeanwhileError, match="Look at both") as refused:
        change_budget(rw, ada, key, replace(TERMS, amount=Decimal(300)), revision=1, made_on=TERMS)
    assert refused.value.merged.colliding == ("amount",)


def test_of_two_who_save_at_once_one_is_told(place):
    rw, ada = place.database.rw, place.person(Role.FINANCE)
    key = create_budget(rw, ada, TERMS, scope="company")

    def save(amount):
        try:
            change_budget(rw, ada, key, replace(TERMS, amount=Decimal(amount)), revision=1)
        except EditedMeanwhileError:
            return "stale"
        return amount

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(save, (200, 300)))
    [saved] = [one for one in answers if one != "stale"]
    assert len(answers) - 1 == answers.count("stale")
    assert budget(place.database.ro, ada, key).amount == saved


WRONG = {
    "has no name": {"name": " \n "},
    "The name has 81 characters": {"name": "x" * 81},
    "0 is no amount of a budget": {"amount": Decimal(0)},
    "-5 is no amount": {"amount": Decimal(-5)},
    "NaN is no amount": {"amount": Decimal("NaN")},
    "0.00001 is no amount": {"amount": Decimal("0.00001")},
    "1E+20 is no amount": {"amount": Decimal("1E+20")},
    "Mars/Olympus is no time zone": {"timezone": "Mars/Olympus"},
    "'fortnight' is no period": {"period": "fortnight"},
    "'explode' is no way to act at 100 %": {"at_limit": "explode"},
    "These thresholds can't be used": {"thresholds": (0,)},
    "per cent from 1 to 1,000": {"thresholds": (1001,)},
    "at most 10 of them": {"thresholds": tuple(range(1, 12))},
}


@pytest.mark.parametrize("says", WRONG)
def test_what_can_not_be_is_refused_in_words(place, says):
    with pytest.raises(SightlineError, match=says.replace("+", r"\+")):
        create_budget(place.database.rw, place.finance, replace(TERMS, **WRONG[says]), scope="company")
    assert place.ask("SELECT COUNT(*) FROM budgets") == [(0,)]


NOWHERE = {
    "'planet' is no scope": {"scope": "planet"},
    "'acme' is no provider": {"scope": "provider", "scope_value": "acme"},
    "'nothing' is no product": {"scope": "product"},
    "names no workspace": {"scope": "workspace"},
    "No workspace that you see is called elsewhere": {"scope": "workspace", "workspace_slug": "elsewhere"},
    "Nobody of this workspace has the address 'eve@people.example'": {
        "scope": "user", "workspace_slug": "acme", "user_email": "eve@people.example",
    },
}  # fmt: skip


@pytest.mark.parametrize("says", NOWHERE)
def test_a_budget_is_of_something_that_there_is(place, says):
    with pytest.raises(SightlineError, match=says):
        create_budget(place.database.rw, place.finance, TERMS, **NOWHERE[says])


def test_a_customer_is_named_by_address_however_it_is_spelled(place):
    key = create_budget(
        place.database.rw, place.finance, TERMS, scope="user", workspace_slug="acme", user_email="Carl@People.example "
    )
    assert budget(place.database.ro, place.finance, key).customer == "carl@people.example"


def test_who_is_no_finance_changes_and_stops_nothing(place):
    viewer = place.person(Role.VIEWER)
    key = place.budget()
    rw = place.database.rw
    for refused in (
        lambda: create_budget(rw, viewer, TERMS, scope="company"),
        lambda: change_budget(rw, viewer, key, TERMS, revision=1),
        lambda: pause_budget(rw, viewer, key, revision=1, reason="x"),
        lambda: resume_budget(rw, viewer, key, revision=1),
        lambda: delete_budget(rw, viewer, key, revision=1, reason="x"),
        lambda: start_stop(rw, viewer, scope="all", reason="x"),
        lambda: end_stop(rw, viewer, key, reason="x"),
        lambda: acknowledge_alert(rw, viewer, key),
        lambda: snooze_alert(rw, viewer, key, until=datetime.now(UTC) + timedelta(hours=1)),
        lambda: budgets(place.database.ro, viewer),
        lambda: evaluations(place.database.ro, viewer),
        lambda: alerts(place.database.ro, viewer, AlertState.OPEN),
        lambda: stops(place.database.ro, viewer),
    ):
        with pytest.raises(NotPermittedError):
            refused()


def test_who_is_limited_to_workspaces_has_budgets_of_these_and_touches_no_other(place):
    with place.database.setup.begin() as connection:
        other = workspace(connection, slug="other").id
    rw, ro, ada = place.database.rw, place.database.ro, place.person(Role.FINANCE, place.workspace)
    company = place.budget(name="All")
    theirs = place.budget(name="Theirs", scope="workspace", workspace_id=other)
    alert_company = alert_of(place, budget_id=company)
    alert_theirs = alert_of(place, budget_id=theirs, workspace_id=other)
    own = create_budget(rw, ada, TERMS, scope="workspace", workspace_slug="acme")
    alert_own = alert_of(place, budget_id=own, workspace_id=place.workspace)
    assert [one.id for one in budgets(ro, ada)] == [own]
    assert [one.id for one in alerts(ro, ada, AlertState.OPEN).rows] == [alert_own]
    assert stops(ro, ada) == ()
    for refused in (
        lambda: create_budget(rw, ada, TERMS, scope="company"),
        lambda: create_budget(rw, ada, TERMS, scope="workspace", workspace_slug="other"),
        lambda: change_budget(rw, ada, company, TERMS, revision=1),
        lambda: change_budget(rw, ada, theirs, TERMS, revision=1),
        lambda: delete_budget(rw, ada, theirs, revision=1, reason="x"),
        lambda: acknowledge_alert(rw, ada, alert_company),
        lambda: acknowledge_alert(rw, ada, alert_theirs),
        lambda: start_stop(rw, ada, scope="all", reason="x"),
    ):
        with pytest.raises(SightlineError):
            refused()
    acknowledge_alert(rw, ada, alert_own)
    assert place.ask("SELECT COUNT(*) FROM budget_alerts WHERE acknowledged_at IS NOT NULL") == [(1,)]


def test_a_stop_has_a_reason_an_alert_and_its_start_and_end_in_the_audit_log(place):
    rw, ro, ada = place.database.rw, place.database.ro, place.person(Role.FINANCE)
    with pytest.raises(SightlineError, match="for a reason"):
        start_stop(rw, ada, scope="all", reason="  ")
    with pytest.raises(SightlineError, match="'acme' is no provider"):
        start_stop(rw, ada, scope="provider", value="acme", reason="x")
    key = start_stop(rw, ada, scope="provider", value="openai", reason="A key leaked.")
    with pytest.raises(SightlineError, match="stopped already"):
        start_stop(rw, ada, scope="provider", value="openai", reason="Again.")
    [alert] = open_alerts(ro, ada).rows
    assert (alert.kind, alert.reason, alert.about) == ("emergency_stop", "A key leaked.", "openai")
    with pytest.raises(SightlineError, match="End the stop"):
        acknowledge_alert(rw, ada, alert.id)
    end_stop(rw, ada, key, reason="It was replaced.")
    with pytest.raises(SightlineError, match="does not hold any more"):
        end_stop(rw, ada, key, reason="Twice.")
    assert open_alerts(ro, ada).rows == ()
    rows = audit(place, "ai_stops", key)
    assert [(row.actor, row.action, row.reason) for row in rows] == [
        ("Ada", "insert", "A key leaked."),
        ("Ada", "update", "It was replaced."),
    ]
    [one] = stops(ro, ada)
    assert (one.started_by, one.ended_by, one.end_reason) == ("Ada", "Ada", "It was replaced.")


def test_two_who_stop_at_once_start_one_stop(place):
    rw, ada = place.database.rw, place.person(Role.FINANCE)

    def stop(_number):
        try:
            start_stop(rw, ada, scope="all", reason="Now.")
        except SightlineError as refused:
            return refused.what
        return "stopped"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(stop, range(2))) == ["This is stopped already.", "stopped"]


def test_an_alert_is_acknowledged_once_and_the_second_is_told_by_whom(place):
    rw, ro, ada = place.database.rw, place.database.ro, place.person(Role.FINANCE)
    key = alert_of(place, budget_id=place.budget())
    acknowledge_alert(rw, ada, key)
    with pytest.raises(SightlineError, match="Ada has acknowledged this already"):
        acknowledge_alert(rw, place.person(Role.ADMIN, name="Bob"), key)
    assert open_alerts(ro, ada).rows == ()
    [done] = alerts(ro, ada, AlertState.DONE).rows
    assert done.acknowledged_by == "Ada"
    [row] = audit(place, "budget_alerts", key)
    assert (row.actor, row.action) == ("Ada", "update")


def test_an_alert_is_put_off_for_some_time_to_come(place):
    rw, ro, ada = place.database.rw, place.database.ro, place.person(Role.FINANCE)
    key = alert_of(place, budget_id=place.budget())
    for until in (datetime.now(UTC) - timedelta(seconds=1), datetime.now(UTC) + timedelta(days=32)):
        with pytest.raises(SightlineError, match="can't be put off until then"):
            snooze_alert(rw, ada, key, until=until)
    snooze_alert(rw, ada, key, until=datetime.now(UTC) + timedelta(days=1))
    assert open_alerts(ro, ada).rows == ()
    assert [one.id for one in alerts(ro, ada, AlertState.SNOOZED).rows] == [key]
    place.change("UPDATE budget_alerts SET snoozed_until = now() - interval '1 second'")
    assert [one.id for one in open_alerts(ro, ada).rows] == [key]


def test_what_a_budget_shows_is_what_was_spent_held_and_found(place):
    key = place.budget(amount=50, at_limit="block")
    place.spend("12.5")
    place.change(
        "INSERT INTO ai_holds (workspace_id, call_key, amount, expires_at) VALUES (:own, 'x', 2, 'infinity')",
        own=place.workspace,
    )
    place.work("watch_budgets")
    one = budget(place.database.ro, place.finance, key)
    assert (one.spent, one.held, one.refused, one.unpriced, one.error) == (Decimal("12.5"), 2, 0, 0, None)
    assert one.looked_at is not None
    [found] = evaluations(place.database.ro, place.finance, key).rows
    assert (found.spent, found.held, found.amount) == (Decimal("12.5"), 2, 50)
