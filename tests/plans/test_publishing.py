"""Plans go live from a day on, after a simulation of what is published, and with a second admin below the floor."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from app.access import NotPermittedError, Role, operator
from app.commands import plan_publishing as publishing
from app.commands.plan_publishing import today
from app.commands.stale import StaleEditError
from app.jobs.catalogue import Catalogue
from app.jobs.plans import plan_jobs
from app.jobs.stopping import Stop
from app.jobs.worker import Worker
from app.records import plans as reading
from db.engine import seeing, text
from db.errors import SightlineError
from tests.db.rows import subscription, user, workspace
from tests.plans.shelf import DAY


def publish(shelf, key, by=None, *, days=0, reason="New prices", revision=None):
    return publishing.publish(
        shelf.database.rw, by or shelf.ada, key, revision=revision or shelf.revision(key),
        publishes_on=today() + days * DAY, reason=reason,
    )  # fmt: skip


def tick(shelf):
    """What a worker does in its time."""
    kinds = Catalogue(plan_jobs())
    with seeing(shelf.database.rw, ()) as connection:
        connection.execute(text("INSERT INTO jobs (job_type) VALUES ('publish_due_plans')"))
    worker = Worker(shelf.database, kinds, name="a worker of a test")
    worker._plan_at = float("inf")
    while worker.turn(Stop()) == 0.0:
        pass


def test_a_simulated_draft_is_live_at_once_and_what_it_replaces_is_retired(shelf):
    key = shelf.draft(price=25)
    shelf.simulate(key)
    assert publish(shelf, key).status == "published"
    assert (shelf.status(key), shelf.status(shelf.live)) == ("published", "retired")
    assert shelf.now(key).beside.id == shelf.live
    assert shelf.now(shelf.live).now.subscribers == 1
    assert shelf.audited("plans")[-3:] == [("Ada", "update", "New prices")] * 3


def test_a_plan_goes_live_on_its_day_once(shelf):
    """It waits while its day is to come; on the day a worker lets it go live, and again does nothing."""
    key = shelf.draft(price=25)
    shelf.simulate(key)
    assert publish(shelf, key, days=3).status == "scheduled"
    tick(shelf)
    assert (shelf.status(key), shelf.status(shelf.live)) == ("scheduled", "published")
    with pytest.raises(DBAPIError, match="This plan goes live on"), seeing(shelf.database.rw, []) as connection:
        connection.execute(
            text("UPDATE plans SET status = 'published', published_at = now() WHERE id = :k"), {"k": key}
        )
    shelf.do("UPDATE plans SET publishes_on = (now() AT TIME ZONE 'UTC')::date WHERE id = :key", key=key)
    for _ in range(2):
        tick(shelf)
        assert (shelf.status(key), shelf.status(shelf.live)) == ("published", "retired")
    assert shelf.ask("SELECT COUNT(*) FROM audit_log WHERE after ->> 'status' = 'published' AND action = 'update'") == [
        (1,)
    ]


def test_what_is_published_was_simulated_as_it_is(shelf):
    key = shelf.draft(price=25)
    with pytest.raises(SightlineError, match="was not simulated as it is now"):
        publish(shelf, key)
    shelf.simulate(key)
    shelf.change(key, price=26)
    with pytest.raises(SightlineError, match="was not simulated as it is now"):
        publish(shelf, key)
    assert publishing.margin_of(shelf.database.rw, shelf.ada, key) is None
    shelf.simulate(key)
    assert publishing.margin_of(shelf.database.rw, shelf.ada, key).after == 80
    assert publish(shelf, key).status == "published"


def test_what_is_published_was_simulated_within_a_week(shelf):
    key = shelf.draft(price=25)
    shelf.simulate(key, age=7 * DAY + timedelta(minutes=1))
    with pytest.raises(SightlineError, match=r"was simulated on .*, which is too long ago.* last 7 days"):
        publish(shelf, key)
    assert publishing.margin_of(shelf.database.rw, shelf.ada, key).is_old
    shelf.simulate(key, age=7 * DAY - timedelta(minutes=1))
    assert not publishing.margin_of(shelf.database.rw, shelf.ada, key).is_old
    assert publish(shelf, key).status == "published"


@pytest.mark.parametrize(
    ("days", "reason", "sentence"),
    [(-1, "x", "can't go live on"), (367, "x", "can't go live on"), (0, " ", "done for a reason"),
     (0, "x" * 301, "301 characters")],
)  # fmt: skip
def test_a_bad_publication_is_refused_with_its_sentence(shelf, days, reason, sentence):
    key = shelf.draft()
    shelf.simulate(key)
    with pytest.raises(SightlineError, match=sentence):
        publish(shelf, key, days=days, reason=reason)
    assert shelf.status(key) == "draft"


def test_only_what_can_be_published_is(shelf):
    key, other = shelf.draft(price=25), shelf.draft(price=26)
    for one in (key, other):
        shelf.simulate(one)
    with pytest.raises(StaleEditError, match="Somebody changed Mailer Pro version 2"):
        publish(shelf, key, revision=1)
    with pytest.raises(SightlineError, match="is published, and not draft"):
        publish(shelf, shelf.live)
    publish(shelf, key, days=3)
    with pytest.raises(SightlineError, match="Mailer Pro version 2 goes live on a day already"):
        publish(shelf, other, days=4)


def asked(shelf, *, cost=80):
    """A draft whose margin is 20 % where the floor is 30 %: Ada asks, somebody else decides."""
    key = shelf.draft(price=25)
    shelf.simulate(key, cost=cost)
    done = publish(shelf, key, days=2)
    assert done.status == "waiting"
    return key, done.approval


def test_below_the_floor_a_second_admin_approves_and_the_first_can_not(shelf):
    key, approval = asked(shelf)
    [waits] = reading.approvals(shelf.database.ro, shelf.bob)
    assert (waits.asked_name, waits.reason, waits.margin_after, waits.margin_floor) == ("Ada", "New prices", 20, 30)
    assert shelf.now(key).now.waits_for_approval
    with pytest.raises(NotPermittedError, match="Who asks does not approve"):
        publishing.approve(shelf.database.rw, shelf.ada, approval, reason="Mine")
    with pytest.raises(SightlineError, match="Ada asked for this already"):
        publish(shelf, key)
    assert publishing.approve(shelf.database.rw, shelf.bob, approval, reason="It wins customers").status == "scheduled"
    assert shelf.status(key) == "scheduled"
    assert shelf.audited("plan_approvals") == [("Ada", "insert", "New prices"), ("Bob", "update", "It wins customers")]
    with pytest.raises(SightlineError, match="decided in between"):
        publishing.decline(shelf.database.rw, shelf.bob, approval, reason="After all")


def test_what_is_approved_was_simulated_within_a_week(shelf):
    key, approval = asked(shelf)
    shelf.do("UPDATE plan_simulations SET made_at = now() - interval '8 days'")
    with pytest.raises(SightlineError, match="which is too long ago"):
        publishing.approve(shelf.database.rw, shelf.bob, approval, reason="It wins customers")
    shelf.simulate(key, cost=80)
    publishing.approve(shelf.database.rw, shelf.bob, approval, reason="It wins customers")
    assert shelf.status(key) == "scheduled"


def test_the_database_refuses_an_approval_by_who_asked(shelf):
    _, approval = asked(shelf)
    statement = """UPDATE plan_approvals SET decision = 'approved', decided_by = asked_by, decided_name = 'Another',
        decided_at = now(), decision_reason = 'x'"""
    with pytest.raises(DBAPIError, match="who_asks_does_not_approve"), seeing(shelf.database.rw, []) as connection:
        connection.execute(text(statement))
    at_the_machine = operator(shelf.database.pipe, "root at the command line")
    publishing.approve(shelf.database.rw, at_the_machine, approval, reason="Seen")


def test_who_declines_says_why_and_who_asked_takes_it_back(shelf):
    key, approval = asked(shelf)
    with pytest.raises(SightlineError, match="done for a reason"):
        publishing.decline(shelf.database.rw, shelf.bob, approval, reason="")
    publishing.decline(shelf.database.rw, shelf.bob, approval, reason="Too dear")
    again = publish(shelf, key).approval
    publishing.decline(shelf.database.rw, shelf.ada, again, reason="Never mind")
    decided = reading.approvals(shelf.database.ro, shelf.ada, key, decided=True)
    assert [(one.decision, one.decided_name, one.decision_reason) for one in decided] == [
        ("withdrawn", "Ada", "Never mind"), ("declined", "Bob", "Too dear"),
    ]  # fmt: skip
    assert shelf.status(key) == "draft"


def test_what_was_changed_after_it_was_asked_for_is_asked_for_anew(shelf):
    key, approval = asked(shelf)
    shelf.change(key, price=26)
    with pytest.raises(SightlineError, match="was changed after this was asked for"):
        publishing.approve(shelf.database.rw, shelf.bob, approval, reason="Fine")
    shelf.simulate(key, cost=80)
    again = publish(shelf, key)
    assert [one.id for one in reading.approvals(shelf.database.ro, shelf.bob)] == [again.approval]


@pytest.mark.parametrize(
    ("floor", "revenue", "cost", "status"),
    [("30", 100, 70, "published"), ("30", 100, 71, "waiting"), ("10", 100, 71, "published"), ("30", 0, 0, "published"),
     ("-500", 0, 1, "waiting"), ('"nonsense"', 100, 71, "waiting")],
)  # fmt: skip
def test_the_floor_is_a_setting_of_the_company(shelf, floor, revenue, cost, status):
    """Of 100 earned 30 stay at a cost of 70; what earns nothing and costs something is below any floor."""
    shelf.do("UPDATE settings SET value = CAST(:floor AS JSONB) WHERE key = 'plan_margin_floor'", floor=floor)
    key = shelf.draft()
    shelf.simulate(key, revenue=revenue, cost=cost)
    assert publish(shelf, key).status == status


def test_a_publication_is_undone_while_nobody_subscribed_and_what_it_replaced_is_back(shelf):
    key = shelf.draft(price=25)
    shelf.simulate(key)
    publish(shelf, key)
    publishing.unpublish(shelf.database.rw, shelf.ada, key, revision=shelf.revision(key), reason="Too soon")
    assert (shelf.status(key), shelf.status(shelf.live)) == ("draft", "published")
    shelf.simulate(key)
    publish(shelf, key)
    # Of a workspace that nobody here sees: the database knows of it all the same.
    with shelf.database.setup.begin() as connection:
        owner = user(connection).id
        bought = reading.plan(shelf.database.ro, shelf.ada, key).now
        subscription(connection, workspace(connection, owner_id=owner).id, owner, plan=bought)
    with pytest.raises(SightlineError, match="Mailer Pro version 2 has subscribers already"):
        publishing.unpublish(shelf.database.rw, shelf.ada, key, revision=shelf.revision(key))
    with pytest.raises(DBAPIError, match="Somebody has subscribed"), seeing(shelf.database.rw, []) as connection:
        connection.execute(text("UPDATE plans SET status = 'draft' WHERE status = 'published'"))


def test_a_plan_that_waits_for_its_day_is_taken_back(shelf):
    key = shelf.draft()
    shelf.simulate(key)
    publish(shelf, key, days=5)
    publishing.unpublish(shelf.database.rw, shelf.ada, key, revision=shelf.revision(key))
    assert (shelf.status(key), shelf.now(key).now.publishes_on) == ("draft", None)
    assert shelf.change(key, price=30)


def test_a_retired_plan_keeps_its_subscribers_and_is_sold_again_where_no_other_is(shelf):
    rw, ada = shelf.database.rw, shelf.ada
    with pytest.raises(SightlineError, match="done for a reason"):
        publishing.retire(rw, ada, shelf.live, revision=shelf.revision(shelf.live), reason=" ")
    with pytest.raises(StaleEditError, match="Nothing was done"):
        publishing.retire(rw, ada, shelf.live, revision=7, reason="Nobody takes it")
    revision = publishing.retire(rw, ada, shelf.live, revision=shelf.revision(shelf.live), reason="Nobody takes it")
    assert (shelf.status(shelf.live), shelf.now(shelf.live).now.subscribers) == ("retired", 1)
    publishing.reinstate(rw, ada, shelf.live, revision=revision)
    assert shelf.status(shelf.live) == "published"
    key = shelf.draft()
    shelf.simulate(key)
    publish(shelf, key)
    with pytest.raises(SightlineError, match="Mailer Pro version 2 is sold in its place"):
        publishing.reinstate(rw, ada, shelf.live, revision=shelf.revision(shelf.live))
    with pytest.raises(SightlineError, match="is retired, and not published"):
        publishing.retire(rw, ada, shelf.live, revision=shelf.revision(shelf.live), reason="Twice")


def test_only_admins_of_the_whole_company_publish(shelf):
    key, approval = asked(shelf)
    rw = shelf.database.rw
    for by in (shelf.person(Role.VIEWER), shelf.person(Role.FINANCE), shelf.person(limited=True)):
        for change in (
            lambda by=by: publish(shelf, key, by),
            lambda by=by: publishing.margin_of(rw, by, key),
            lambda by=by: publishing.approve(rw, by, approval, reason="x"),
            lambda by=by: publishing.decline(rw, by, approval, reason="x"),
            lambda by=by: publishing.unpublish(rw, by, key, revision=1),
            lambda by=by: publishing.retire(rw, by, shelf.live, revision=1, reason="x"),
            lambda by=by: publishing.reinstate(rw, by, shelf.live, revision=1),
        ):
            with pytest.raises(NotPermittedError):
                change()
