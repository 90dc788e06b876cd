"""Workspaces, their people, accounts and subscriptions are changed with a reason, by who may, within their own."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.access import NotPermittedError, Role, Viewer, all_workspaces
from app.commands import customers, subscriptions, workspaces
from app.commands.stale import EditedMeanwhileError, StaleEditError
from app.records import customers as reading
from app.records.customers import Wanted
from db.errors import SightlineError
from tests.db.rows import NOON, add, campaign, contact, member, plan, subscription, user, workspace

SECRET = "v1.00000000.payment-canary"


class Place:
    """A workspace with an owner, an editor and a subscription, and another one that the editor is in as well."""

    def __init__(self, database):
        self.database = database
        with database.setup.begin() as connection:
            self.owner = user(connection, email="owner@shop.example").id
            self.editor = user(connection, email="editor@shop.example").id
            self.shop = workspace(connection, slug="shop", name="Shop", owner_id=self.owner).id
            self.other = workspace(connection, slug="other", name="Other").id
            self.editing = member(connection, self.shop, self.editor, "editor").id
            member(connection, self.other, self.editor, "viewer")
            one = {"product": "mailer", "status": "published", "published_at": NOON}
            self.small = plan(connection, tier="starter", price=10, name="Small", **one)
            self.large = plan(connection, tier="growth", price=30, name="Large", **one)
            self.draft = plan(connection, product="mailer", tier="growth", price=31)
            self.euros = plan(connection, tier="growth", price=30, **{**one, "currency": "EUR"})
            self.foreign = plan(connection, tier="pro", price=30, **{**one, "product": "email_studio"})
            for bought, amount in ((self.small, 10), (self.large, 40)):
                add(connection, "plan_limits", plan_id=bought.id, meter="emails", amount=amount)
            self.bought = subscription(connection, self.shop, self.owner, plan=self.small, payment_id=SECRET).id

    def by(self, *sees, role=Role.ADMIN, member_id=None):
        return Viewer("Ada", frozenset({role}), frozenset(sees or {self.shop, self.other}), member_id)

    def ask(self, question, **named):
        with self.database.setup.connect() as connection:
            return [tuple(row) for row in connection.execute(text(question), named)]

    def do(self, statement, **named):
        with self.database.setup.begin() as connection:
            connection.execute(text(statement), named)

    def audit(self, table):
        return self.ask(
            "SELECT action, reason, workspace_id, before, after FROM audit_log WHERE table_name = :name"
            " AND actor = 'Ada' ORDER BY position",
            name=table,
        )

    def home(self):
        return reading.customer(self.database.ro, self.by(), self.shop)

    def people(self):
        found = reading.people(self.database.ro, self.by(), self.shop)
        return {one.email: one.role for one in found}

    def sold(self):
        [one] = reading.subscriptions(self.database.ro, self.by(), self.shop)
        return one


@pytest.fixture
def place(database):
    return Place(database)


def test_a_deleted_workspace_comes_back_with_exactly_what_went_with_it(place):
    with place.database.setup.begin() as connection:
        kept = [contact(connection, place.shop).id for _ in range(3)]
        before = contact(connection, place.shop).id
        mailing = campaign(connection, place.shop, "email").id
        theirs = contact(connection, place.other).id
        connection.execute(text("UPDATE contacts SET deleted_at = now() - interval '1 day' WHERE id = :key"),
            {"key": before})  # fmt: skip
    rw, pipe = place.database.rw, place.database.pipe
    counted = workspaces.belongings_of(rw, place.by(), place.shop)
    assert (counted.rows["contacts"], counted.rows["campaigns"], counted.rows["members"]) == (3, 1, 1)
    assert counted.live_subscriptions == 1
    workspaces.delete_workspace(rw, place.by(), place.shop, revision=place.home().revision, reason="Asked for it")
    assert place.shop not in all_workspaces(pipe)
    assert place.home() is None
    gone = "SELECT id FROM contacts WHERE deleted_at IS NOT NULL"
    assert {key for (key,) in place.ask(gone)} == {*kept, before}
    assert [one.slug for one in workspaces.deleted_workspaces(pipe, place.by())] == ["shop"]
    workspaces.restore_workspace(rw, place.by(place.other), place.shop, reason="Changed their mind")
    assert [key for (key,) in place.ask(gone)] == [before]
    assert place.ask("SELECT id FROM campaigns WHERE deleted_at IS NULL") == [(mailing,)]
    assert place.ask("SELECT deleted_at FROM contacts WHERE id = :key", key=theirs) == [(None,)]
    assert place.people() == {"owner@shop.example": "owner", "editor@shop.example": "editor"}
    told = [(action, reason, where) for action, reason, where, _, _ in place.audit("workspaces")]
    assert told == [("update", "Asked for it", place.shop), ("update", "Changed their mind", place.shop)]


def test_a_workspace_whose_short_name_was_taken_does_not_come_back_under_it(place):
    rw = place.database.rw
    workspaces.delete_workspace(rw, place.by(), place.shop, revision=1, reason="x")
    with place.database.setup.begin() as connection:
        workspace(connection, slug="shop")
    with pytest.raises(SightlineError, match="Another workspace is called shop"):
        workspaces.restore_workspace(rw, place.by(), place.shop, reason="x")


def test_who_is_limited_neither_sees_nor_restores_what_others_deleted(place):
    rw, pipe = place.database.rw, place.database.pipe
    with place.database.setup.begin() as connection:
        limited = add(connection, "team_members", email="lin@example.com", roles=["admin"],
            workspace_ids=[place.other]).id  # fmt: skip
    lin = place.by(place.other, member_id=limited)
    with pytest.raises(SightlineError, match="not there, or you don't see it"):
        workspaces.delete_workspace(rw, lin, place.shop, revision=1, reason="x")
    workspaces.delete_workspace(rw, place.by(), place.shop, revision=1, reason="x")
    assert workspaces.deleted_workspaces(pipe, lin) == []
    with pytest.raises(SightlineError, match="No deleted workspace is known by this"):
        workspaces.restore_workspace(rw, lin, place.shop, reason="x")


def test_people_are_invited_changed_removed_and_all_of_it_is_audited(place):
    rw, by = place.database.rw, place.by()
    added = customers.invite(rw, by, place.shop, email=" New@shop.example ", role="viewer", reason="Hired")
    assert place.people()["New@shop.example"] == "viewer"
    customers.change_role(rw, by, place.shop, added, "admin", was="viewer", reason="Promoted")
    with pytest.raises(EditedMeanwhileError, match=r"now says: role admin\. You wrote: role editor"):
        customers.change_role(rw, by, place.shop, added, "editor", was="viewer", reason="x")
    customers.remove(rw, by, place.shop, added, reason="Left")
    assert "New@shop.example" not in place.people()
    told = [(action, reason, where == place.shop) for action, reason, where, _, _ in place.audit("workspace_members")]
    assert told == [("insert", "Hired", True), ("update", "Promoted", True), ("update", "Left", True)]
    customers.invite(rw, by, place.shop, email="new@SHOP.example", role="viewer", reason="Is back")
    assert place.ask("SELECT COUNT(*) FROM users WHERE lower(email) = 'new@shop.example'") == [(1,)]


def test_who_is_a_customer_of_others_is_invited_as_the_same_person(place):
    with place.database.setup.begin() as connection:
        stranger = user(connection, email="stranger@example.com").id
        member(connection, place.other, stranger, "editor")
    customers.invite(
        place.database.rw, place.by(place.shop), place.shop, email="stranger@example.com", role="viewer", reason="x"
    )
    assert place.ask("SELECT user_id FROM workspace_members WHERE workspace_id = :shop AND role = 'viewer'",
        shop=place.shop) == [(stranger,)]  # fmt: skip


def test_a_workspace_is_handed_over_and_back_and_its_owner_can_be_neither_changed_nor_removed(place):
    rw, by = place.database.rw, place.by()
    before = customers.hand_over(rw, by, place.shop, place.editing, revision=1, reason="Sold")
    assert place.people() == {"editor@shop.example": "owner", "owner@shop.example": "admin"}
    for change in (
        lambda: customers.change_role(rw, by, place.shop, place.editing, "viewer", was="owner", reason="x"),
        lambda: customers.remove(rw, by, place.shop, place.editing, reason="x"),
    ):
        with pytest.raises(SightlineError, match="This person owns the workspace"):
            change()
    with pytest.raises(StaleEditError, match=r"Shop, owned by editor@shop\.example"):
        customers.hand_over(rw, by, place.shop, before, revision=1, reason="x")
    customers.hand_over(rw, by, place.shop, before, revision=2, reason="Taken back")
    assert place.people()["owner@shop.example"] == "owner"


def test_a_deactivated_account_has_no_session_and_neither_is_told_with_a_token(place):
    with place.database.setup.begin() as connection:
        for number in range(2):
            add(connection, "user_sessions", user_id=place.editor, token_hash=bytes([number]) * 32,
                expires_at=datetime.now(UTC) + timedelta(days=1))  # fmt: skip
    rw, by = place.database.rw, place.by()
    assert customers.open_sessions(rw, by, place.editor) == 2
    assert customers.deactivate(rw, by, place.editor, reason="Abuse") == 2
    with pytest.raises(StaleEditError, match="deactivated"):
        customers.deactivate(rw, by, place.editor, reason="x")
    customers.reactivate(rw, by, place.editor, reason="A mistake")
    assert customers.end_sessions(rw, by, place.editor, reason="x") == 0
    [down, up] = place.audit("users")
    assert (down[1], down[3]["is_active"], down[4]["is_active"], up[1]) == ("Abuse", True, False, "A mistake")
    [(_, reason, _, _, after)] = place.audit("user_sessions")
    assert (reason, after) == ("Abuse", {"ended_sessions": 2})


def test_an_account_of_workspaces_that_somebody_does_not_see_is_not_theirs(place):
    for act in (customers.deactivate, customers.reactivate, customers.end_sessions):
        with pytest.raises(NotPermittedError, match="is in other workspaces as well"):
            act(place.database.rw, place.by(place.shop), place.editor, reason="x")
        with pytest.raises(SightlineError, match="No customer that you see"):
            act(place.database.rw, place.by(place.other), place.owner, reason="x")


def test_another_plan_rules_at_once_and_the_audit_knows_no_secret(place):
    rw, by = place.database.rw, place.by()
    now = datetime.now(UTC)
    with place.database.setup.begin() as connection:
        add(connection, "quota_balances", workspace_id=place.shop, product="mailer", meter="emails", period="month",
            period_start=now - timedelta(days=5), period_end=now + timedelta(days=25), limit_amount=10, used=3,
            opening_used=3)  # fmt: skip
    before = subscriptions.change_plan(rw, by, place.shop, place.bought, place.large.id, revision=1, reason="Grew")
    assert before == place.small.id
    sold = place.sold()
    assert (sold.plan, sold.tier, sold.price) == ("Large", "growth", 30)
    [(_, reason, where, was, now)] = place.audit("subscriptions")
    assert (reason, where, was["tier"], now["tier"]) == ("Grew", place.shop, "starter", "growth")
    everything = str(place.ask("SELECT * FROM audit_log"))
    assert SECRET not in everything
    assert place.ask("SELECT limit_amount, used FROM quota_balances") == [(40, 3)]
    with pytest.raises(StaleEditError, match="mailer growth for 30"):
        subscriptions.change_plan(rw, by, place.shop, place.bought, place.small.id, revision=1, reason="x")
    subscriptions.change_plan(rw, by, place.shop, place.bought, place.small.id, revision=2, reason="Too large")
    assert place.ask("SELECT limit_amount, used FROM quota_balances") == [(10, 3)]


@pytest.mark.parametrize(("agreed", "then"), [(50, 200), (77, 77), (None, None)])
def test_another_plan_brings_its_credits_where_none_were_agreed_apart(place, agreed, then):
    """Small has 50 and Large 200, as when many are moved from a version to the next."""
    place.do("UPDATE plans SET generation_credits = CASE name WHEN 'Small' THEN 50 ELSE 200 END")
    place.do("UPDATE subscriptions SET monthly_ai_credits_limit = :agreed", agreed=agreed)
    question = "SELECT monthly_ai_credits_limit, revision FROM subscriptions"
    for plan_now, credits_then in ((place.large, then), (place.small, agreed)):
        [(_, revision)] = place.ask(question)
        subscriptions.change_plan(
            place.database.rw, place.by(), place.shop, place.bought, plan_now.id, revision=revision, reason="x"
        )
        assert place.ask(question) == [(credits_then, revision + 1)]


def test_every_plan_that_is_offered_is_taken_and_no_other_the_retired_ones_last(place):
    soon = datetime.now(UTC) + timedelta(days=2)
    with place.database.setup.begin() as connection:
        named = {
            status: plan(connection, product="mailer", tier="pro", version=number, price=5, name=status, status=status,
                published_at=NOON if status == "retired" else None, **more).id
            for number, (status, more) in enumerate(
                {"scheduled": {"publishes_on": soon}, "discarded": {}, "retired": {"retired_at": NOON}}.items(), start=1
            )
        }  # fmt: skip
    offered = reading.offers(place.database.ro, place.by(), product="mailer", currency="USD")
    assert [one.name for one in offered] == ["Small", "Large", "retired"]
    rw, by, revision = place.database.rw, place.by(), 1
    for status in ("scheduled", "discarded"):
        with pytest.raises(SightlineError, match=f"This plan is {status}"):
            subscriptions.change_plan(rw, by, place.shop, place.bought, named[status], revision=revision, reason="x")
    for one in reversed(offered):
        subscriptions.change_plan(rw, by, place.shop, place.bought, one.id, revision=revision, reason="x")
        revision += 1


def test_a_subscription_ends_with_its_period_or_goes_on(place):
    rw, by = place.database.rw, place.by()
    subscriptions.cancel_at_period_end(rw, by, place.shop, place.bought, revision=1, reason="Too dear")
    assert (place.sold().cancel_at_period_end, place.sold().status) == (True, "active")
    assert place.home().ending == 1
    with pytest.raises(StaleEditError, match="cancelled at the end"):
        subscriptions.cancel_at_period_end(rw, by, place.shop, place.bought, revision=2, reason="x")
    subscriptions.resume(rw, by, place.shop, place.bought, revision=2, reason="A discount")
    assert not place.sold().cancel_at_period_end
    assert [reason for _, reason, *_ in place.audit("subscriptions")] == ["Too dear", "A discount"]


CHANGES = {
    "delete": lambda p, by: workspaces.delete_workspace(p.database.rw, by, p.shop, revision=1, reason="x"),
    "restore": lambda p, by: workspaces.restore_workspace(p.database.rw, by, p.shop, reason="x"),
    "count": lambda p, by: workspaces.belongings_of(p.database.rw, by, p.shop),
    "deleted": lambda p, by: workspaces.deleted_workspaces(p.database.pipe, by),
    "invite": lambda p, by: customers.invite(p.database.rw, by, p.shop, email="a@b.example", role="viewer", reason="x"),
    "role": lambda p, by: customers.change_role(
        p.database.rw, by, p.shop, p.editing, "viewer", was="editor", reason="x"
    ),
    "remove": lambda p, by: customers.remove(p.database.rw, by, p.shop, p.editing, reason="x"),
    "hand over": lambda p, by: customers.hand_over(p.database.rw, by, p.shop, p.editing, revision=1, reason="x"),
    "deactivate": lambda p, by: customers.deactivate(p.database.rw, by, p.editor, reason="x"),
    "reactivate": lambda p, by: customers.reactivate(p.database.rw, by, p.editor, reason="x"),
    "sessions": lambda p, by: customers.end_sessions(p.database.rw, by, p.editor, reason="x"),
    "open sessions": lambda p, by: customers.open_sessions(p.database.rw, by, p.editor),
    "plan": lambda p, by: subscriptions.change_plan(
        p.database.rw, by, p.shop, p.bought, p.large.id, revision=1, reason="x"
    ),
    "cancel": lambda p, by: subscriptions.cancel_at_period_end(
        p.database.rw, by, p.shop, p.bought, revision=1, reason="x"
    ),
    "resume": lambda p, by: subscriptions.resume(p.database.rw, by, p.shop, p.bought, revision=1, reason="x"),
}


def test_only_admins_do_any_of_it_and_nobody_in_workspaces_that_they_do_not_see(place):
    for name, change in CHANGES.items():
        for role in (Role.VIEWER, Role.FINANCE):
            with pytest.raises(NotPermittedError):
                change(place, place.by(role=role))
        if name not in {"deleted", "open sessions", "deactivate", "reactivate", "sessions", "restore"}:
            with pytest.raises(SightlineError, match="not there, or you don't see it"):
                change(place, place.by(place.other))


def test_what_cannot_be_is_refused_with_its_sentence(place):
    rw, by = place.database.rw, place.by()
    asked = {"email": "a@b.example", "role": "viewer", "reason": "x"}
    for values, sentence in (
        ({"reason": " "}, "done for a reason"),
        ({"email": "nobody"}, "is not an e-mail address"),
        ({"role": "king"}, "'king' is no role to give"),
        ({"role": "owner"}, "made by handing|'owner' is no role"),
        ({"email": "EDITOR@shop.example"}, "is in this workspace already"),
        ({"email": "owner@shop.example"}, "is in this workspace already"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            customers.invite(rw, by, place.shop, **{**asked, **values})
    for wanted, sentence in (
        (place.small, "has this plan already"),
        (place.draft, "is a draft"),
        (place.euros, "The plan is in EUR, and the subscription in USD"),
        (place.foreign, "no such plan of this product"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            subscriptions.change_plan(rw, by, place.shop, place.bought, wanted.id, revision=1, reason="x")
    place.do("UPDATE subscriptions SET status = 'expired'")
    with pytest.raises(SightlineError, match="is over, or was never there"):
        subscriptions.resume(rw, by, place.shop, place.bought, revision=2, reason="x")


def test_workspaces_are_found_by_name_owner_plan_and_standing(place):
    def found(**wanted):
        page = reading.customers(place.database.ro, place.by(), Wanted(**wanted))
        return [one.slug for one in page.rows]

    assert found() == ["other", "shop"]
    assert found(words="SHO") == found(words="owner@shop") == found(products=("mailer",)) == ["shop"]
    assert found(tiers=("growth",)) == found(products=("mailer",), tiers=("growth",)) == []
    assert (found(standing="live"), found(standing="none"), found(standing="ending")) == (["shop"], ["other"], [])
    first = reading.customers(place.database.ro, place.by(), limit=1)
    rest = reading.customers(place.database.ro, place.by(), after=first.next, limit=1)
    assert ([one.slug for one in rest.rows], rest.next) == (["shop"], None)
    shop = place.home()
    assert (shop.plans, shop.members, shop.owner, shop.fullest) == (("mailer starter",), 2, "owner@shop.example", None)
