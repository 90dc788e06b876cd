"""Contacts: found by what people type, with all that happened to them."""

from datetime import timedelta

import pytest

from app.records.contacts import cohorts, contact, recency, search_contacts, sends
from tests.db.rows import NOON, add, campaign
from tests.db.rows import contact as new_contact


def emails(page):
    return [one.email for one in page.rows]


@pytest.fixture
def people(shop):
    for email, more in (
        ("ann@example.com", {"first_name": "Ann", "last_name": "Berg"}),
        ("bob_x@example.com", {"first_name": "Bob", "status": "unsubscribed"}),
        ("Cleo@Example.org", {"first_name": "Cleo", "last_name": "Annan"}),
    ):
        new_contact(shop.connection, shop.workspace, email=email, **more)
    return shop


def test_contacts_are_found_by_every_word_in_address_or_name_in_any_case(people):
    ro, viewer = people.made()
    assert emails(search_contacts(ro, viewer, "ann")) == ["Cleo@Example.org", "ann@example.com"]
    assert emails(search_contacts(ro, viewer, "BERG ann@")) == ["ann@example.com"]
    assert emails(search_contacts(ro, viewer, "example.ORG")) == ["Cleo@Example.org"]
    assert emails(search_contacts(ro, viewer, status="unsubscribed")) == ["bob_x@example.com"]


@pytest.mark.parametrize(("words", "found"), [("%", []), ("_", ["bob_x@example.com"]), ("' OR 1=1 --", []), ("\\", [])])
def test_signs_of_patterns_are_letters_like_others(people, words, found):
    assert emails(search_contacts(*people.made(), words)) == found


def test_contacts_come_in_pages_newest_first(people):
    ro, viewer = people.made()
    first = search_contacts(ro, viewer, limit=2)
    second = search_contacts(ro, viewer, after=first.next, limit=2)
    assert emails(first) + emails(second) == ["Cleo@Example.org", "bob_x@example.com", "ann@example.com"]
    assert second.next is None


def test_one_person_is_shown_with_lists_tags_and_sends(shop):
    ann = new_contact(shop.connection, shop.workspace, tags=["vip"], custom_fields={"city": "<b>Oslo</b>"})
    both = {"workspace_id": shop.workspace}
    for name in ("Z", "A"):
        on = add(shop.connection, "lists", **both, name=name)
        add(shop.connection, "list_contacts", **both, list_id=on.id, contact_id=ann.id)
    for number, name in enumerate(("First", "Second")):
        of = campaign(shop.connection, shop.workspace, "email", name=name)
        for kind, minutes in (("sent", 0), ("opened", 5)):
            add(
                shop.connection,
                "email_events",
                **both,
                campaign_id=of.id,
                contact_id=ann.id,
                event_type=kind,
                occurred_at=NOON + timedelta(hours=number, minutes=minutes),
                provider="ses",
            )
    ro, viewer = shop.made()
    found = contact(ro, viewer, ann.id)
    assert (found.lists, found.tags, found.custom_fields) == (["A", "Z"], ["vip"], {"city": "<b>Oslo</b>"})
    history = sends(ro, viewer, ann.id)
    assert [(one.campaign, one.opens) for one in history] == [("Second", 1), ("First", 1)]
    assert history[1].first_opened_at == NOON + timedelta(minutes=5)


def test_everyone_counts_once_under_the_shortest_time_that_holds(shop):
    """Thirty days ago is thirty days; a second more is sixty."""
    for gone in (timedelta(0), timedelta(days=30), timedelta(days=30, seconds=1), timedelta(days=400), None):
        at = None if gone is None else NOON.replace(hour=0) - gone
        new_contact(shop.connection, shop.workspace, last_engaged_at=at)
    ro, viewer = shop.made()
    frame = recency(ro, viewer, NOON.date())
    assert dict(zip(frame["recency"], frame["contacts"], strict=True)) == {
        "30 days": 2,
        "60 days": 1,
        "longer": 1,
        "never": 1,
    }


def test_cohorts_are_the_months_in_which_contacts_came(shop):
    month = NOON.replace(day=1, hour=0)
    for created, more in (
        (month, {"last_engaged_at": NOON}),
        (month + timedelta(hours=1), {"status": "unsubscribed"}),
        (month - timedelta(seconds=1), {"status": "bounced"}),
    ):
        new_contact(shop.connection, shop.workspace, created_at=created, **more)
    ro, viewer = shop.made()
    frame = cohorts(ro, viewer, NOON.date() + timedelta(days=1))
    columns = ["month", "contacts", "subscribed", "unsubscribed", "bounced", "engaged_30_days", "never_engaged"]
    before = (month - timedelta(days=1)).date().replace(day=1)
    assert [tuple(row) for row in frame[columns].to_numpy()] == [
        (before, 1, 0, 0, 1, 0, 1),
        (month.date(), 2, 1, 1, 0, 1, 1),
    ]
    assert cohorts(ro, viewer, NOON.date(), workspaces=frozenset()).empty
