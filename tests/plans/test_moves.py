"""Subscriptions keep their version until they are moved: exactly those that were seen, now or at their period's end."""

from datetime import UTC, datetime

import pytest

from app.access import NotPermittedError, Role
from app.commands import plan_moves as moving
from app.commands import plan_publishing as publishing
from app.commands.plan_moves import AT_ONCE, AT_PERIOD_END, Shrunk
from app.commands.plan_publishing import today
from app.commands.stale import StaleEditError
from app.records import plans as reading
from app.records.plan_terms import PlanLimit
from db.engine import seeing, text
from db.errors import SightlineError
from tests.db.rows import add
from tests.plans.shelf import DAY


@pytest.fixture
def to(shelf):
    """Version 2 is live: 25 USD for 60 e-mails. Acme, on version 1, has used 70 of its 100."""
    key = shelf.draft(price=25, limits={"emails month": PlanLimit(60)})
    shelf.simulate(key)
    publishing.publish(
        shelf.database.rw, shelf.ada, key, revision=shelf.revision(key), publishes_on=today(), reason="x"
    )
    now = datetime.now(UTC)
    with shelf.database.setup.begin() as connection:
        add(connection, "quota_balances", workspace_id=shelf.workspace, product="mailer", meter="emails",
            period="month", period_start=now - DAY, period_end=now + 20 * DAY, limit_amount=100, used=70,
            opening_used=70)  # fmt: skip
    return key


def move(shelf, to, when=AT_PERIOD_END, *, reason="One price for all", seen=None):
    seen = seen or moving.whom_it_touches(shelf.database.rw, shelf.ada, shelf.live, to).seen
    return moving.move_subscriptions(shelf.database.rw, shelf.ada, shelf.live, to, seen=seen, when=when, reason=reason)


def had(shelf):
    return shelf.ask("SELECT plan_id, price FROM subscriptions")[0]


def limit(shelf):
    return shelf.ask("SELECT limit_amount FROM quota_balances WHERE meter = 'emails'")[0][0]


def test_whom_a_move_touches_is_seen_first(shelf, to):
    offer = moving.whom_it_touches(shelf.database.rw, shelf.ada, shelf.live, to)
    [one] = offer.touched
    assert (offer.from_plan, offer.to_plan) == ("Mailer Pro version 1", "Mailer Pro version 2")
    assert (one.workspace, one.price_before, one.price_after, one.currency) == ("Acme", 20, 25, "USD")
    assert one.shrunk == (Shrunk("emails", "month", 70, 60),)
    assert had(shelf) == (shelf.live, 20)


def test_an_exception_keeps_a_limit_from_shrinking(shelf, to):
    now = datetime.now(UTC)
    with shelf.database.setup.begin() as connection:
        add(connection, "quota_overrides", workspace_id=shelf.workspace, product="mailer", meter="emails",
            period="month", limit_amount=500, reason="A launch", starts_at=now - DAY, ends_at=now + DAY)  # fmt: skip
    [one] = moving.whom_it_touches(shelf.database.rw, shelf.ada, shelf.live, to).touched
    assert one.shrunk == ()


def test_moved_at_once_the_new_price_and_limits_hold_and_undone_the_old_ones_do(shelf, to):
    done = move(shelf, to, AT_ONCE)
    assert (done.moved, done.waiting) == (1, 0)
    assert (had(shelf), limit(shelf)) == ((to, 25), 60)
    assert moving.undo_move(shelf.database.rw, shelf.ada, done.batch, reason="The price was wrong") == 1
    assert (had(shelf), limit(shelf)) == ((shelf.live, 20), 100)
    assert moving.undo_move(shelf.database.rw, shelf.ada, done.batch, reason="Again") == 0
    assert shelf.audited("plan_migrations") == [("Ada", "insert", "One price for all"),
        ("Ada", "update", "One price for all"), ("Ada", "update", "The price was wrong")]  # fmt: skip


def test_moved_at_the_periods_end_the_old_version_holds_until_then(shelf, to):
    done = move(shelf, to)
    assert (done.moved, done.waiting) == (0, 1)
    [waits] = reading.subscribers(shelf.database.ro, shelf.ada, shelf.live)
    assert (waits.moves_to, waits.moves_on) == ("Mailer Pro version 2", today() + 20 * DAY)
    tick(shelf)
    assert had(shelf) == (shelf.live, 20)
    shelf.do("UPDATE plan_migrations SET due_on = (now() AT TIME ZONE 'UTC')::date")
    for _ in range(2):
        tick(shelf)
        assert (had(shelf), limit(shelf)) == ((to, 25), 60)
    [moved] = reading.moves(shelf.database.ro, shelf.ada, to)
    assert (moved.moved, moved.waiting, moved.stayed) == (1, 0, 0)


def tick(shelf):
    """What a worker does: the function of its job, as the role of commands, which sees no workspace by itself."""
    with seeing(shelf.database.rw, []) as connection:
        connection.execute(text("SELECT move_due_subscriptions(10)"))


def test_undone_while_it_waits_nobody_moves(shelf, to):
    done = move(shelf, to)
    assert moving.undo_move(shelf.database.rw, shelf.ada, done.batch, reason="Not now") == 1
    shelf.do("UPDATE plan_migrations SET due_on = (now() AT TIME ZONE 'UTC')::date")
    tick(shelf)
    assert had(shelf) == (shelf.live, 20)
    assert move(shelf, to).waiting == 1


@pytest.mark.parametrize(
    "meanwhile",
    [
        "UPDATE subscriptions SET status = 'cancelled'",
        "UPDATE subscriptions SET price = 18",
        "UPDATE subscriptions SET current_period_end = current_period_end + 1",
        "UPDATE quota_balances SET used = 50, opening_used = 50",
    ],
)
def test_a_list_that_changed_in_between_is_refused(shelf, to, meanwhile):
    """One cancelled, one got another price or period, one came below the new limit again."""
    seen = moving.whom_it_touches(shelf.database.rw, shelf.ada, shelf.live, to).seen
    shelf.do(meanwhile)
    with pytest.raises(StaleEditError, match="are others by now"):
        move(shelf, to, AT_ONCE, seen=seen)
    assert had(shelf)[0] == shelf.live


def test_using_more_of_what_was_over_already_is_the_same_list(shelf, to):
    seen = moving.whom_it_touches(shelf.database.rw, shelf.ada, shelf.live, to).seen
    shelf.do("UPDATE quota_balances SET used = 80, opening_used = 80")
    assert move(shelf, to, AT_ONCE, seen=seen).moved == 1


def test_what_became_of_a_subscription_meanwhile_is_not_written_over(shelf, to):
    """It was cancelled before its day; and of one that was moved and got another price since, the price stays."""
    move(shelf, to)
    shelf.do("UPDATE subscriptions SET price = 17")
    shelf.do("UPDATE plan_migrations SET due_on = (now() AT TIME ZONE 'UTC')::date")
    tick(shelf)
    assert had(shelf) == (shelf.live, 17)
    [stayed] = reading.moves(shelf.database.ro, shelf.ada, shelf.live)
    assert (stayed.moved, stayed.stayed) == (0, 1)
    done = move(shelf, to, AT_ONCE)
    shelf.do("UPDATE subscriptions SET price = 24")
    assert moving.undo_move(shelf.database.rw, shelf.ada, done.batch, reason="Back") == 0
    assert had(shelf) == (to, 24)


def test_a_move_that_can_not_be_is_refused_with_its_sentence(shelf, to):
    rw, ada = shelf.database.rw, shelf.ada
    euros = shelf.draft(currency="EUR")
    for target, sentence in (
        (shelf.live, "is retired, and not published"),
        (shelf.draft(), "is draft, and not published"),
        (shelf.workspace, "No plan has this key"),
    ):
        with pytest.raises(SightlineError, match=sentence):
            moving.whom_it_touches(rw, ada, shelf.live, target)
    shelf.do("UPDATE plans SET status = 'published', published_at = now() WHERE id = :key", key=euros)
    with pytest.raises(SightlineError, match="are not paid alike"):
        moving.whom_it_touches(rw, ada, shelf.live, euros)
    with pytest.raises(SightlineError, match="This is the plan that they have"):
        moving.whom_it_touches(rw, ada, to, to)
    with pytest.raises(SightlineError, match="'soon' is no time to move"):
        move(shelf, to, "soon")
    with pytest.raises(SightlineError, match="done for a reason"):
        move(shelf, to, reason="")
    move(shelf, to)
    with pytest.raises(SightlineError, match="Nobody would move"):
        move(shelf, to)
    with pytest.raises(SightlineError, match="Nothing was moved under this key"):
        moving.undo_move(rw, ada, shelf.workspace, reason="x")


def test_only_admins_of_the_whole_company_move_subscriptions(shelf, to):
    rw, batch = shelf.database.rw, move(shelf, to).batch
    for by in (shelf.person(Role.VIEWER), shelf.person(Role.FINANCE), shelf.person(limited=True)):
        for change in (
            lambda by=by: moving.whom_it_touches(rw, by, shelf.live, to),
            lambda by=by: moving.move_subscriptions(rw, by, shelf.live, to, seen="", when=AT_ONCE, reason="x"),
            lambda by=by: moving.undo_move(rw, by, batch, reason="x"),
        ):
            with pytest.raises(NotPermittedError):
                change()
