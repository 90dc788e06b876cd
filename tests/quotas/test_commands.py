"""Exceptions and credits have a reason and an end, are audited, and are refused where they can't be."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer
from app.commands import quotas
from app.commands.quotas import Allowance
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.records import quotas as reading
from app.records.quotas import Within
from db.errors import SightlineError
from tests.db.rows import NOON, add, member, plan, subscription, user, workspace
from tests.quotas.shop import make_shop

DAY = timedelta(days=1)
SOON = datetime.now(UTC) + 30 * DAY


@pytest.fixture
def company(database):
    """A shop with a limit of ten, which an admin sees."""
    shop = make_shop(database, began=datetime.now(UTC) - 40 * DAY)
    shop.limit(10)
    return shop


def slug(shop):
    return shop.ask("SELECT slug FROM workspaces WHERE id = :key", key=shop.workspace)[0][0]


def email(shop):
    return shop.ask("SELECT email FROM users WHERE id = :key", key=shop.owner)[0][0]


def person(shop, role=Role.ADMIN, sees=None):
    return Viewer("Ada", frozenset({role}), frozenset({shop.workspace} if sees is None else sees))


def override(shop, by=None, amount=50, ends_at=SOON, **values):
    return quotas.override_quota(
        shop.database.rw, by or person(shop), Allowance(amount, ends_at),
        **{"workspace_slug": slug(shop), "product": "web_builder", "meter": "generations", "period": "month",
           "reason": "A launch"} | values,
    )  # fmt: skip


def listed(shop):
    return reading.overrides(shop.database.ro, person(shop))


def limit_of(shop):
    [one] = [
        one for one in reading.standings(shop.database.ro, person(shop), slug=slug(shop)) if one.meter == "generations"
    ]
    return one.source, one.amount


def test_an_override_rules_at_once_until_it_is_ended_and_all_of_it_is_audited(company):
    company.reserve("a", meters={"generations": 10})
    key = override(company)
    assert limit_of(company) == ("override", 50)
    assert company.ask("SELECT limit_amount FROM quota_balances") == [(50,)]
    assert company.reserve("b", meters={"generations": 40})["verdict"] == "admitted"
    [one] = listed(company)
    quotas.change_override(
        company.database.rw, person(company), key, Allowance(None, SOON), revision=one.revision, reason="More of it"
    )
    assert limit_of(company) == ("override", None)
    quotas.end_override(
        company.database.rw, person(company), key, revision=listed(company)[0].revision, reason="It is over"
    )
    assert (limit_of(company), listed(company)) == (("plan", 10), [])
    assert company.reserve("c")["verdict"] == "refused"
    audited = company.ask(
        "SELECT actor, action, reason, after ->> 'limit_amount' FROM audit_log WHERE table_name = 'quota_overrides'"
        " ORDER BY position"
    )
    assert audited == [("Ada", "insert", "A launch", "50"), ("Ada", "update", "More of it", None),
        ("Ada", "update", "It is over", None)]  # fmt: skip


def test_the_second_of_two_admins_is_refused_and_sees_both_versions(company):
    key = override(company)
    revision = listed(company)[0].revision
    change = quotas.change_override
    change(company.database.rw, person(company), key, Allowance(70, SOON), revision=revision, reason="First")
    with pytest.raises(EditedMeanwhileError, match=r"now says: amount 70\. You wrote: amount 90\.") as refused:
        change(company.database.rw, person(company), key, Allowance(90, SOON), revision=revision, reason="Second")
    assert (refused.value.now["amount"], refused.value.wanted["amount"]) == (70, 90)
    assert listed(company)[0].amount == 70
    with pytest.raises(StaleEditError, match="It now says: “70 until"):
        quotas.end_override(company.database.rw, person(company), key, revision=revision, reason="Third")


def test_two_edits_that_do_not_collide_are_offered_together(company):
    """One admin raises the amount, the other moves the end; a third amount collides with the first."""
    key = override(company)
    [base] = [Allowance(one.amount, one.ends_at) for one in listed(company)]
    rw, by, revision = company.database.rw, person(company), listed(company)[0].revision
    quotas.change_override(rw, by, key, Allowance(70, base.ends_at), revision=revision, reason="First")
    later = base.ends_at + DAY
    with pytest.raises(EditedMeanwhileError, match="both can be saved together") as refused:
        quotas.change_override(rw, by, key, Allowance(50, later), revision=revision, reason="Second", made_on=base)
    assert Allowance(**refused.value.merged.together) == Allowance(70, later)
    with pytest.raises(EditedMeanwhileError, match="change it again") as refused:
        quotas.change_override(rw, by, key, Allowance(90, later), revision=revision, reason="Third", made_on=base)
    assert (refused.value.fits, refused.value.merged.colliding) == (False, ("amount",))


def test_credits_are_granted_until_a_day_and_taken_back_and_both_are_audited(company):
    asked = {"workspace_slug": slug(company), "user_email": email(company).upper()}
    granted = quotas.grant_credits(
        company.database.rw, person(company), amount=30, reason="An outage", ends_at=SOON, **asked
    )
    taken = quotas.take_back_credits(company.database.rw, person(company), amount=10, reason="Too many", **asked)
    assert (granted, taken) == (30, 20)
    with pytest.raises(SightlineError, match="has 20 credits: 21 can't be taken"):
        quotas.take_back_credits(company.database.rw, person(company), amount=21, reason="Too many", **asked)
    ledger = company.ask("SELECT type, amount, balance_after, description FROM credit_transactions ORDER BY position")
    assert ledger == [("grant", 30, 30, "An outage"), ("take_back", -10, 20, "Too many")]
    audited = company.ask(
        "SELECT actor, reason, after ->> 'amount' FROM audit_log WHERE table_name = 'credit_transactions'"
        " ORDER BY position"
    )
    assert audited == [("Ada", "An outage", "30"), ("Ada", "Too many", "-10")]


def test_of_a_grant_that_ended_goes_what_is_left_of_it_and_nothing_else(company):
    """Granted 30, used 12, bought 40: of the grant 18 are left, and they go once."""
    asked = {"workspace_slug": slug(company), "user_email": email(company)}
    quotas.grant_credits(company.database.rw, person(company), amount=30, reason="An outage", ends_at=SOON, **asked)
    for amount, kind in ((-12, "usage"), (40, "purchase")):
        company.add("credit_transactions", workspace_id=company.workspace, user_id=company.owner, amount=amount,
            type=kind, position=1)  # fmt: skip
    sweep = "SELECT expire_granted_credits()"
    company.do(sweep)
    assert company.ask("SELECT credits_balance FROM users WHERE id = :key", key=company.owner) == [(58,)]
    company.do("ALTER TABLE credit_transactions DISABLE TRIGGER refuse_change")
    company.do("UPDATE credit_transactions SET expires_at = now() WHERE type = 'grant'")
    for _ in range(2):
        company.do(sweep)
        assert company.ask("SELECT credits_balance FROM users WHERE id = :key", key=company.owner) == [(40,)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_only_admins_make_exceptions(company, role):
    rw, by = company.database.rw, person(company, role)
    asked = {"workspace_slug": slug(company), "user_email": email(company)}
    key = override(company)
    for change in (
        lambda: override(company, by),
        lambda: quotas.change_override(rw, by, key, Allowance(1, SOON), revision=1, reason="x"),
        lambda: quotas.end_override(rw, by, key, revision=1, reason="x"),
        lambda: quotas.grant_credits(rw, by, amount=1, reason="x", ends_at=SOON, **asked),
        lambda: quotas.take_back_credits(rw, by, amount=1, reason="x", **asked),
        lambda: reading.standings(company.database.ro, by, slug=slug(company)),
        lambda: reading.close_to_limits(company.database.ro, by),
        lambda: reading.overrides(company.database.ro, by),
    ):
        with pytest.raises(NotPermittedError):
            change()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"product": "nothing"}, "'nothing' is no product"),
        ({"meter": "apples"}, "'apples' is no meter"),
        ({"period": "week"}, "'week' is no period"),
        ({"amount": -1}, "-1 is no limit"),
        ({"ends_at": datetime.now(UTC) - DAY}, "can't be its end"),
        ({"ends_at": datetime.now(UTC) + 400 * DAY}, "can't be its end"),
        ({"ends_at": SOON.replace(tzinfo=None)}, "no time zone"),
        ({"reason": "  "}, "done for a reason"),
        ({"reason": "x" * 301}, "301 characters"),
        ({"workspace_slug": "elsewhere"}, "No workspace that you see is called elsewhere"),
        ({"user_email": "nobody@example.com"}, "No customer in this workspace"),
    ],
)
def test_a_bad_exception_is_refused_with_its_sentence(company, values, sentence):
    with pytest.raises(SightlineError, match=sentence):
        override(company, **values)


def test_a_limit_has_one_exception_at_a_time(company):
    override(company)
    with pytest.raises(SightlineError, match="There is an override of this limit already"):
        override(company)
    override(company, user_email=email(company))


def test_nobody_reads_or_changes_quotas_of_workspaces_that_are_not_theirs(company):
    with company.database.setup.begin() as connection:
        stranger = user(connection, email="stranger@example.com").id
        elsewhere = workspace(connection, owner_id=stranger).id
    key = override(company)
    by = person(company, sees={elsewhere})
    with pytest.raises(SightlineError, match="No workspace that you see"):
        override(company, by)
    with pytest.raises(SightlineError, match="over, or was never there"):
        quotas.end_override(company.database.rw, by, key, revision=1, reason="x")
    assert reading.overrides(company.database.ro, by) == []
    assert reading.standings(company.database.ro, by, slug=slug(company)) == []
    with pytest.raises(SightlineError, match="No customer in this workspace"):
        override(company, user_email="stranger@example.com")


def test_reads_say_who_is_close_what_is_held_and_what_was_before(company):
    company.reserve("a", meters={"generations": 8}, at=datetime.now(UTC) - 35 * DAY)
    company.reserve("b", meters={"generations": 7})
    company.settle("b")
    company.reserve("c", meters={"generations": 1})
    ro, by = company.database.ro, person(company)
    [close] = reading.close_to_limits(ro, by)
    assert (close.meter, close.used, close.held, close.amount) == ("generations", 7, 1, 10)
    assert reading.close_to_limits(ro, by, share=0.9) == []
    assert [one.key for one in reading.held(ro, by)] == ["a", "c"]
    page = reading.history(ro, by, slug=slug(company), limit=1)
    assert [(one.used, one.held) for one in page.rows] == [(7, 1)]
    rest = reading.history(ro, by, slug=slug(company), after=page.next)
    assert [(one.used, one.held) for one in rest.rows] == [(0, 8)]
    [standing] = [one for one in reading.standings(ro, by, slug=slug(company)) if one.meter == "generations"]
    assert (standing.amount, standing.used, standing.held, standing.left) == (10, 7, 1, 2)


def test_lists_are_narrowed_by_workspace_and_product(company):
    """Ten of the web builder and one of the mailer: each list tells of the product that was chosen alone."""
    with company.database.setup.begin() as connection:
        theirs = plan(connection, product="mailer", tier="pro", status="published", published_at=NOON)
        add(connection, "plan_limits", plan_id=theirs.id, meter="emails", amount=1)
        subscription(connection, company.workspace, company.owner, plan=theirs, product="mailer", tier="pro")
    company.reserve("a", meters={"generations": 10})
    company.reserve("b", meters={"emails": 1}, product="mailer")
    for product, meter in (("web_builder", "generations"), ("mailer", "emails")):
        override(company, product=product, meter=meter)
    ro, by, of_it = company.database.ro, person(company), slug(company)
    for products, told in (((), {"web_builder", "mailer"}), (("mailer",), {"mailer"}), (("craft_ads",), set())):
        for found in (
            *(
                read(ro, by, Within(slugs, products), **more)
                for read, more in ((reading.close_to_limits, {"share": 0.01}), (reading.overrides, {}),
                    (reading.held, {}))
                for slugs in ((), (of_it,))
            ),
            reading.standings(ro, by, slug=of_it, products=products),
            reading.history(ro, by, slug=of_it, products=products).rows,
        ):  # fmt: skip
            assert {one.product for one in found} == told
    for read in (reading.close_to_limits, reading.overrides, reading.held):
        assert read(ro, by, Within(("another",))) == []


def brought_along(shop):
    """As the page tells it, and then as the next call meets it."""
    [standing] = [
        one for one in reading.standings(shop.database.ro, person(shop), slug=slug(shop)) if one.meter == "generations"
    ]
    told = shop.reserve("the next", meters={"generations": 1})["limits"][0]
    period = (standing.period_start, standing.period_end)
    assert (standing.rolled_over, standing.left - 1) == (told["rolled_over"], told["left"])
    assert period == (datetime.fromisoformat(told["period_start"]), datetime.fromisoformat(told["period_end"]))
    return standing.rolled_over


def test_what_a_period_brings_along_is_told_before_its_first_call(database):
    """Of ten 4 were used in the period before: 6 come along."""
    shop = make_shop(database, began=datetime.now(UTC) - 40 * DAY)
    shop.limit(10, rolls_over=True)
    shop.reserve("a", meters={"generations": 4}, at=datetime.now(UTC) - 35 * DAY)
    assert brought_along(shop) == 6


def test_after_a_period_without_any_call_a_whole_limit_is_brought_along(database):
    shop = make_shop(database, began=datetime.now(UTC) - 40 * DAY)
    shop.limit(10, rolls_over=True)
    assert brought_along(shop) == 10


def test_the_first_period_brings_nothing_along(database):
    shop = make_shop(database, began=datetime.now(UTC) - 5 * DAY)
    shop.limit(10, rolls_over=True)
    assert brought_along(shop) == 0


def test_what_a_call_of_the_period_before_gave_back_late_is_brought_along(database):
    """It held 4 when this period began, and used 1."""
    shop = make_shop(database, began=datetime.now(UTC) - 40 * DAY)
    shop.limit(10, rolls_over=True)
    shop.reserve("a", meters={"generations": 4}, at=datetime.now(UTC) - 35 * DAY)
    shop.reserve("b", meters={"generations": 2})
    shop.settle("a", actual={"generations": 1})
    assert brought_along(shop) == 9


def test_a_period_that_was_moved_begins_where_the_one_before_ended(database):
    """The subscription began anew six days ago; the month before goes on to its end, two days ago."""
    shop = make_shop(database, began=datetime.now(UTC) - 40 * DAY)
    shop.limit(10, rolls_over=True)
    shop.reserve("a", meters={"generations": 3}, at=datetime.now(UTC) - 35 * DAY)
    shop.do("UPDATE quota_balances SET period_end = :ended", ended=datetime.now(UTC) - 2 * DAY)
    shop.do("UPDATE subscriptions SET started_at = :began", began=datetime.now(UTC) - 70 * DAY)
    assert brought_along(shop) == 7


def test_standings_of_a_customer_tell_the_limits_of_a_day_as_well(company):
    with company.database.setup.begin() as connection:
        other = user(connection, email="other@example.com").id
        member(connection, company.workspace, other, "editor")
        connection.execute(text("UPDATE settings SET value = '{\"veo\": 2}' WHERE key = 'ai_service_limits'"))
    company.reserve("a", meters={"veo": 1}, customer=other)
    found = reading.standings(company.database.ro, person(company), slug=slug(company), customer=other)
    assert [(one.meter, one.customer, one.amount, one.used + one.held) for one in found if one.customer] == [
        ("veo", "other@example.com", 2, 1)
    ]
