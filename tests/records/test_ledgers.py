"""Credit ledgers: every movement with the balance that adding up gives, beside the one that was kept."""

from datetime import timedelta

import pytest

from app.access import NotPermittedError, Role
from app.records.ledgers import accounts, ledger
from tests.db.rows import NOON, add, user, workspace
from tests.records.conftest import seer

MOVES = (("grant", 100), ("usage", -30), ("refund", 5), ("expiry", -10), ("purchase", 500), ("take_back", -65))


def move(shop, kind, amount, hour, workspace_id=None):
    add(
        shop.connection, "credit_transactions", workspace_id=workspace_id or shop.workspace, user_id=shop.owner,
        type=kind, amount=amount, created_at=NOON + timedelta(hours=hour),
    )  # fmt: skip


@pytest.fixture
def spent(shop):
    for hour, (kind, amount) in enumerate(MOVES):
        move(shop, kind, amount, hour)
    return shop


def test_an_account_is_told_by_what_came_and_went(spent):
    ro, viewer = spent.made()
    (found,) = accounts(ro, viewer, spent.owner)
    assert (found.user, found.movements, found.owed, found.balance_after) == ("Olga", 6, 500, 500)
    came = (found.granted, found.purchased, found.refunded, found.promoted)
    went = (found.used, found.expired, found.taken_back)
    assert (came, went) == ((100, 500, 5, 0), (30, 10, 65))
    assert sum(came) - sum(went) == found.owed


def test_each_movement_leaves_what_all_before_it_add_up_to(spent):
    ro, viewer = spent.made()
    found = ledger(ro, viewer, spent.owner).rows
    assert [(one.amount, one.running) for one in reversed(found)] == [
        (100, 100), (-30, 70), (5, 75), (-10, 65), (500, 565), (-65, 500),
    ]  # fmt: skip
    assert [one.running for one in found] == [one.balance_after for one in found]


def test_a_page_in_the_middle_adds_up_from_the_first_movement(spent):
    ro, viewer = spent.made()
    first = ledger(ro, viewer, spent.owner, limit=4)
    second = ledger(ro, viewer, spent.owner, after=first.next, limit=4)
    assert [one.running for one in second.rows] == [70, 100]
    assert second.next is None


def test_balances_of_two_workspaces_are_apart(spent):
    other = workspace(spent.connection, owner_id=spent.owner, name="Annex").id
    move(spent, "grant", 7, 9, other)
    ro, _ = spent.made()
    both = seer(spent.workspace, other)
    assert [(one.workspace, one.owed) for one in accounts(ro, both, spent.owner)] == [("Annex", 7), ("Shop", 500)]
    assert ledger(ro, both, spent.owner, limit=1).rows[0].running == 7
    assert [one.workspace for one in accounts(ro, seer(other), spent.owner)] == ["Annex"]


def test_nobody_sees_credits_of_others(spent):
    stranger = user(spent.connection).id
    elsewhere = workspace(spent.connection, owner_id=stranger).id
    ro, _ = spent.made()
    assert accounts(ro, seer(elsewhere), spent.owner) == ()
    assert ledger(ro, seer(elsewhere), spent.owner).rows == ()
    with pytest.raises(NotPermittedError):
        ledger(ro, seer(spent.workspace, role=Role.VIEWER), spent.owner)
