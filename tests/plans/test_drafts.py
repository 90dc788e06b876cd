"""Drafts of plans are made, edited by several at once, compared, discarded and brought back; what is live stays."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError

from app.access import NotPermittedError, Role
from app.commands import plans
from app.commands.plan_checks import checked_terms
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.records import plans as reading
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms, differing
from db.engine import seeing, text
from db.errors import SightlineError
from tests.plans.shelf import BASIC

EMAILS = "emails month"


def test_a_draft_of_a_live_plan_says_the_same_and_is_the_next_version(shelf):
    found = shelf.now(shelf.draft())
    assert (found.now.version, found.now.status) == (2, "draft")
    assert found.terms == BASIC
    assert found.beside.id == shelf.live
    assert differing(found.terms, found.beside_terms) == ()


def test_a_new_draft_is_the_first_version_of_its_tier_currency_and_period(shelf):
    rw, ada = shelf.database.rw, shelf.ada
    keys = [plans.new_draft(rw, ada, "mailer", "pro", replace(BASIC, currency=one)) for one in ("EUR", "EUR", "USD")]
    assert [shelf.now(key).now.version for key in keys] == [1, 2, 2]
    assert shelf.now(keys[0]).beside is None


def test_every_part_of_a_draft_changes_and_each_change_is_in_the_log_alone(shelf):
    key = shelf.draft()
    wanted = PlanTerms("Mailer Pro+", Decimal("24.50"), "USD", "monthly", "For teams", 50, True,
        {EMAILS: PlanLimit(200, "soft", 20, 3, True), "contacts lifetime": PlanLimit(None)},
        {"team_seats": PlanFeature("static", 10), "api": PlanFeature("boolean", True),
         "sending": PlanFeature("metered", {"meter": "emails"})})  # fmt: skip
    plans.change_draft(
        shelf.database.rw, shelf.ada, key, wanted, revision=shelf.revision(key), reason="Costs rose", made_on=BASIC
    )
    found = shelf.now(key)
    assert found.terms == wanted
    assert differing(found.terms, found.beside_terms) == (
        "name", "price", "description", "generation_credits", "has_watermark", "limit contacts lifetime",
        "limit emails month", "feature api", "feature sending", "feature team_seats",
    )  # fmt: skip
    log = shelf.ask("SELECT table_name, action FROM audit_log WHERE reason = 'Costs rose' ORDER BY 1, 2")
    assert log == [("plan_features", "insert"), ("plan_features", "insert"), ("plan_features", "update"),
        ("plan_limits", "insert"), ("plan_limits", "update"), ("plans", "update")]  # fmt: skip
    told = reading.changes(shelf.database.ro, shelf.ada, key)
    assert {(one.actor, one.what) for one in told if one.reason == "Costs rose"} == {
        ("Ada", None), ("Ada", "emails month"), ("Ada", "contacts lifetime"), ("Ada", "team_seats"), ("Ada", "api"),
        ("Ada", "sending"),
    }  # fmt: skip
    plans.change_draft(shelf.database.rw, shelf.ada, key, BASIC, revision=found.now.revision, made_on=wanted)
    assert shelf.now(key).terms == BASIC


def test_another_currency_or_period_is_another_version(shelf):
    key = shelf.draft(currency="EUR", billing_period="annual")
    assert (shelf.now(key).now.version, shelf.now(key).beside) == (1, None)


def test_an_edit_of_a_limit_makes_the_plan_another_revision(shelf):
    key = shelf.draft()
    before = shelf.revision(key)
    after = shelf.change(key, limits={EMAILS: PlanLimit(300)})
    assert after > before
    assert shelf.revision(key) == after


def test_the_second_of_two_admins_is_refused_and_both_edits_fit_together(shelf):
    """Ada raises the price while Bob raises a limit; then both change the price."""
    key = shelf.draft()
    revision = shelf.revision(key)
    shelf.change(key, shelf.ada, price=Decimal(25))
    rw, wanted = shelf.database.rw, BASIC.with_limit("emails", "month", PlanLimit(200))
    with pytest.raises(EditedMeanwhileError, match="Somebody changed the draft Mailer Pro version 2") as refused:
        plans.change_draft(rw, shelf.bob, key, wanted, revision=revision, made_on=BASIC)
    stale = refused.value
    assert (stale.fits, set(stale.differing)) == (True, {"price", "limit emails month"})
    assert shelf.now(key).terms.limits[EMAILS] == PlanLimit(100)
    both = PlanTerms.of(stale.merged.together)
    plans.change_draft(rw, shelf.bob, key, both, revision=stale.revision, made_on=PlanTerms.of(stale.now))
    assert shelf.now(key).terms == replace(wanted, price=Decimal(25))
    with pytest.raises(EditedMeanwhileError) as refused:
        plans.change_draft(rw, shelf.bob, key, replace(BASIC, price=Decimal(30)), revision=revision, made_on=BASIC)
    assert (refused.value.fits, refused.value.merged.colliding) == (False, ("price",))


def test_a_limit_that_one_took_away_and_another_changed_collides(shelf):
    key = shelf.draft()
    revision = shelf.revision(key)
    shelf.change(key, limits={})
    wanted = BASIC.with_limit("emails", "month", PlanLimit(200))
    with pytest.raises(EditedMeanwhileError, match="limit emails month none") as refused:
        plans.change_draft(shelf.database.rw, shelf.bob, key, wanted, revision=revision, made_on=BASIC)
    assert refused.value.merged.colliding == ("limit emails month",)


def test_a_discarded_draft_is_off_the_list_and_comes_back_as_it_was(shelf):
    key = shelf.draft(price=Decimal(25))
    rw, ro, ada = shelf.database.rw, shelf.database.ro, shelf.ada
    with pytest.raises(StaleEditError, match="Nothing was done"):
        plans.discard_draft(rw, ada, key, revision=1)
    revision = plans.discard_draft(rw, ada, key, revision=shelf.revision(key), reason="Another is better")
    assert key not in {one.id for one in reading.plans(ro, ada)}
    assert key in {one.id for one in reading.plans(ro, ada, discarded=True)}
    with pytest.raises(SightlineError, match="is discarded, and not draft"):
        shelf.change(key, price=Decimal(30))
    plans.restore_draft(rw, ada, key, revision=revision)
    assert shelf.now(key).terms.price == 25
    assert ("Ada", "update", "Another is better") in shelf.audited("plans")


@pytest.mark.parametrize("status", ["published", "retired"])
def test_neither_the_command_nor_the_database_edits_what_was_published(shelf, status):
    shelf.do("UPDATE plans SET status = :status, retired_at = now()", status=status)
    with pytest.raises(SightlineError, match=f"is {status}, and not draft") as refused:
        shelf.change(shelf.live, price=Decimal(1))
    assert refused.value.fix == "Make a draft of it, and edit that."
    for statement in (
        "UPDATE plans SET price = 1",
        "UPDATE plans SET name = 'x', status = 'draft'",
        "UPDATE plan_limits SET amount = 1",
        "DELETE FROM plan_limits",
        "INSERT INTO plan_limits (plan_id, meter) SELECT id, 'contacts' FROM plans",
        "UPDATE plan_features SET value = '1'",
        "DELETE FROM plan_features",
    ):
        with pytest.raises(DBAPIError, match="edited while it is a draft alone"), _as_commands(shelf) as connection:
            connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="permission denied"), _as_commands(shelf) as connection:
        connection.execute(text("DELETE FROM plans"))
    with pytest.raises(DBAPIError, match="begins as a draft"), _as_commands(shelf) as connection:
        connection.execute(text("INSERT INTO plans (product, tier, name, price, currency, status, published_at)"
            " VALUES ('mailer', 'free', 'Free', 0, 'USD', 'published', now())"))  # fmt: skip


def _as_commands(shelf):
    return seeing(shelf.database.rw, [shelf.workspace])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_admins_see_and_change_plans(shelf, role):
    key, by = shelf.draft(), shelf.person(role)
    rw, ro = shelf.database.rw, shelf.database.ro
    for change in (
        lambda: plans.new_draft(rw, by, "mailer", "pro", BASIC),
        lambda: plans.draft_from(rw, by, shelf.live),
        lambda: plans.change_draft(rw, by, key, BASIC, revision=1),
        lambda: plans.discard_draft(rw, by, key, revision=1),
        lambda: plans.restore_draft(rw, by, key, revision=1),
        lambda: reading.plans(ro, by),
        lambda: reading.plan(ro, by, key),
        lambda: reading.subscribers(ro, by, key),
        lambda: reading.approvals(ro, by),
        lambda: reading.moves(ro, by, key),
        lambda: reading.changes(ro, by, key),
    ):
        with pytest.raises(NotPermittedError):
            change()


def test_an_admin_who_is_limited_to_workspaces_reads_plans_and_changes_none(shelf):
    key, by = shelf.draft(), shelf.person(limited=True)
    assert {one.id for one in reading.plans(shelf.database.ro, by)} == {key, shelf.live}
    rw = shelf.database.rw
    for change in (
        lambda: plans.new_draft(rw, by, "mailer", "pro", BASIC),
        lambda: plans.draft_from(rw, by, shelf.live),
        lambda: plans.change_draft(rw, by, key, BASIC, revision=1),
        lambda: plans.discard_draft(rw, by, key, revision=1),
    ):
        with pytest.raises(NotPermittedError, match="Plans are for every workspace"):
            change()


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"name": "  "}, "The plan has no name"),
        ({"name": "x" * 81}, "The name has 81 characters"),
        ({"description": "x" * 301}, "The description has 301 characters"),
        ({"price": Decimal(-1)}, "-1 is no price of a plan"),
        ({"price": Decimal("NaN")}, "NaN is no price of a plan"),
        ({"price": Decimal("1.005")}, "1.005 is no price of a plan"),
        ({"price": Decimal("1.5"), "currency": "JPY"}, "1.5 is no price of a plan"),
        ({"currency": "usd"}, "'usd' is no currency"),
        ({"billing_period": "weekly"}, "'weekly' is no billing period"),
        ({"generation_credits": -1}, "-1 is no number of credits"),
        ({"limits": {"apples month": PlanLimit(1)}}, "'apples' is no meter"),
        ({"limits": {"emails week": PlanLimit(1)}}, "'week' is no period of a limit"),
        ({"limits": {EMAILS: PlanLimit(-1)}}, "-1 is no limit"),
        ({"limits": {EMAILS: PlanLimit(1, "medium")}}, "'medium' is no way to enforce a limit"),
        ({"limits": {EMAILS: PlanLimit(1, "hard", -1)}}, "-1 is no grace amount"),
        ({"limits": {EMAILS: PlanLimit(1, "hard", 1, 367)}}, "367 is no number of days of grace"),
        ({"limits": {"contacts lifetime": PlanLimit(1, rolls_over=True)}}, "left of a lifetime goes nowhere"),
        ({"features": {"Team seats": PlanFeature()}}, "'Team seats' is no name of a feature"),
        ({"features": {"api": PlanFeature("magic")}}, "'magic' is no kind of feature"),
        ({"features": {"api": PlanFeature("boolean", "yes")}}, "api is a feature that is there or not"),
        ({"features": {"api": PlanFeature("static", None)}}, "api has no fixed value"),
        ({"features": {"api": PlanFeature("static", " ")}}, "The value of api has 0 characters"),
        ({"features": {"api": PlanFeature("metered", {"meter": "veo"})}}, "api is metered by veo, which the plan does"),
    ],
)
def test_a_bad_term_is_refused_with_its_sentence(terms, sentence):
    with pytest.raises(SightlineError, match=sentence):
        checked_terms(replace(BASIC, **terms))


def test_what_is_refused_changes_nothing(shelf):
    key = shelf.draft()
    with pytest.raises(SightlineError, match="-1 is no price of a plan"):
        shelf.change(key, price=Decimal(-1), name="Cheaper")
    with pytest.raises(SightlineError, match="-1 is no price of a plan"):
        plans.new_draft(shelf.database.rw, shelf.ada, "mailer", "pro", replace(BASIC, price=Decimal(-1)))
    assert shelf.now(key).terms == BASIC


def test_what_there_is_not_is_refused(shelf):
    rw, ada = shelf.database.rw, shelf.ada
    with pytest.raises(SightlineError, match="No plan has this key"):
        plans.draft_from(rw, ada, shelf.workspace)
    with pytest.raises(SightlineError, match="'golf' is no product"):
        plans.new_draft(rw, ada, "golf", "pro", BASIC)
    with pytest.raises(SightlineError, match="'golden' is no tier"):
        plans.new_draft(rw, ada, "mailer", "golden", BASIC)
    with pytest.raises(SightlineError, match="The reason has 301 characters"):
        plans.draft_from(rw, ada, shelf.live, reason="x" * 301)
