"""Lists of raw events: in order, whole, and no dearer at their end than at their beginning."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from app.access import Role
from app.records import events
from app.records.events import ALL, Narrowed, UnknownColumnError, conversions, email_events, generations, web_events
from app.records.reading import MOST_ROWS, Place, UnreadablePlaceError, some
from app.settings import settings
from db.engine import seeing
from tests.db.rows import NOON, add, campaign, contact, minute, workspace
from tests.records.conftest import seer

MIDNIGHT = NOON.replace(hour=0)


def opened(shop, of, who, at, kind="opened", **more):
    return add(
        shop.connection,
        "email_events",
        workspace_id=shop.workspace,
        campaign_id=of.id,
        contact_id=who.id,
        event_type=kind,
        occurred_at=at,
        provider="ses",
        **more,
    )


@pytest.fixture
def mailing(shop):
    """A campaign and somebody who gets it."""
    of = campaign(shop.connection, shop.workspace, "email", name="Spring")
    return of, contact(shop.connection, shop.workspace, email="ann@example.com")


def walk(read, *args, limit):
    """All pages, one after the other."""
    pages, after = [], None
    while True:
        page = read(*args, after=after, limit=limit)
        pages.append(page.rows)
        after = page.next
        if after is None:
            return pages


def test_pages_follow_each_other_without_gap_or_repetition_also_within_one_moment(shop, mailing):
    """Seven opens, five of them at the same microsecond, in pages of two."""
    moments = [minute(1), *[minute(2)] * 5, minute(3)]
    made = [opened(shop, *mailing, at, link_url=f"https://example.com/{n}") for n, at in enumerate(moments)]
    pages = walk(email_events, *shop.made(), limit=2)
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    seen = [one.id for page in pages for one in page]
    assert seen == [one.id for one in sorted(made, key=lambda one: (one.occurred_at, one.id), reverse=True)]


def test_events_that_come_meanwhile_do_not_move_the_next_page(shop, mailing):
    for number in range(4):
        opened(shop, *mailing, minute(number))
    first = email_events(*shop.made(), limit=2)
    opened(shop, *mailing, minute(9))
    second = email_events(*shop.made(), after=first.next, limit=2)
    assert [one.occurred_at for one in second.rows] == [minute(1), minute(0)]
    assert second.next is None


def test_an_event_says_of_whom_and_of_what_it_is(shop, mailing):
    opened(shop, *mailing, NOON, "bounced", bounce_type="hard", bounce_reason="550 <script>")
    (event,) = email_events(*shop.made()).rows
    assert (event.campaign, event.email, event.bounce_reason) == ("Spring", "ann@example.com", "550 <script>")


def test_events_are_narrowed_by_kind_campaign_contact_and_days(shop, mailing):
    """The first moment of a period belongs to it, the first after it does not."""
    spring, ann = mailing
    other, bob = campaign(shop.connection, shop.workspace, "email"), contact(shop.connection, shop.workspace)
    for of, who, kind, at in (
        (spring, ann, "opened", MIDNIGHT),
        (spring, bob, "clicked", MIDNIGHT + timedelta(hours=1)),
        (other, ann, "opened", MIDNIGHT + timedelta(days=1)),
        (other, bob, "opened", MIDNIGHT - timedelta(microseconds=1)),
    ):
        opened(shop, of, who, at, kind)
    ro, viewer = shop.made()

    def count(**only):
        return len(email_events(ro, viewer, Narrowed(**only)).rows)

    assert count() == 4
    assert count(kinds=("clicked",)) == 1
    assert count(campaign=spring.id) == 2
    assert count(contact=ann.id, kinds=("opened", "clicked")) == 2
    assert count(since=MIDNIGHT.date(), until=MIDNIGHT.date() + timedelta(days=1)) == 2
    assert count(campaign=UUID(int=1)) == 0
    assert count(workspaces=frozenset()) == 0


def test_events_are_narrowed_by_their_campaigns_product_and_channel_and_their_contacts_domain(shop, mailing):
    spring, ann = mailing
    made_elsewhere = campaign(shop.connection, shop.workspace, "email", product="email_studio")
    bob = contact(shop.connection, shop.workspace, email="bob@Mail.example")
    for of, who in ((spring, ann), (spring, bob), (made_elsewhere, bob)):
        opened(shop, of, who, NOON)
    ro, viewer = shop.made()

    def found(**only):
        return sorted((one.campaign_id, one.email) for one in email_events(ro, viewer, Narrowed(**only)).rows)

    assert len(found(channels=("email",))) == 3
    assert found(channels=("web",)) == []
    assert found(products=("email_studio",)) == [(made_elsewhere.id, "bob@Mail.example")]
    assert found(domains=("example.com",)) == [(spring.id, "ann@example.com")]
    assert found(domains=("mail.example",), products=("mailer",)) == [(spring.id, "bob@Mail.example")]
    assert len(found(domains=("mail.example", "example.com"))) == 3


def test_days_are_those_of_the_reporting_zone(shop, mailing, monkeypatch):
    """At 20:00 UTC it is the next day in Kolkata."""
    monkeypatch.setenv("SIGHTLINE_ZONE", "Asia/Kolkata")
    settings.cache_clear()
    try:
        opened(shop, *mailing, NOON.replace(hour=20))
        ro, viewer = shop.made()
        tomorrow = NOON.date() + timedelta(days=1)
        assert email_events(ro, viewer, Narrowed(until=tomorrow)).rows == ()
        assert len(email_events(ro, viewer, Narrowed(since=tomorrow)).rows) == 1
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_events_of_a_deleted_campaign_stay_in_the_list_without_its_name(shop, mailing):
    spring, _ = mailing
    opened(shop, *mailing, NOON)
    shop.connection.execute(text("UPDATE campaigns SET deleted_at = now()"))
    ro, viewer = shop.made()
    assert [one.campaign for one in email_events(ro, viewer).rows] == [None]
    assert email_events(ro, viewer, Narrowed(campaign=spring.id)).rows == ()


def test_what_a_call_cost_is_for_those_who_may_read_cost(shop):
    add(
        shop.connection,
        "ai_generations",
        workspace_id=shop.workspace,
        user_id=shop.owner,
        product="mailer",
        provider="openai",
        model="gpt",
        generation_type="email",
        status="failed",
        created_at=NOON,
        input_tokens=3,
        cached_input_tokens=4,
        output_tokens=5,
        reasoning_tokens=6,
        cost=2,
        price_version=1,
    )
    ro, admin = shop.made()
    (call,) = generations(ro, admin).rows
    assert (call.cost_usd, call.tokens_in, call.tokens_out, call.occurred_at) == (2, 7, 11, NOON)
    viewer = replace(admin, roles=frozenset({Role.VIEWER}))
    assert generations(ro, viewer).rows == (replace(call, cost_usd=None),)
    assert generations(ro, admin, Narrowed(statuses=("completed",))).rows == ()


def test_calls_are_narrowed_by_what_a_page_filters_by(shop):
    """Of three calls, one is of the model, has the error, and is for a campaign of the channel."""
    mail = campaign(shop.connection, shop.workspace, "email", name="Spring")
    told = {"workspace_id": shop.workspace, "user_id": shop.owner, "product": "mailer", "provider": "openai",
        "generation_type": "email", "status": "failed"}  # fmt: skip
    for number, (model, code, of) in enumerate((("a", "slow", mail.id), ("b", "slow", None), ("a", None, None))):
        add(shop.connection, "ai_generations", **told, model=model, error_code=code, campaign_id=of,
            created_at=minute(number))  # fmt: skip

    def seen(**only):
        return [(one.model, one.error_code) for one in generations(*shop.made(), Narrowed(**only)).rows]

    assert seen(having={"model": ("a",)}) == [("a", None), ("a", "slow")]
    assert seen(having={"model": ("a",), "error_code": ("slow",)}) == [("a", "slow")]
    assert seen(having={"model": ()}, channels=("email",)) == [("a", "slow")]
    assert seen(having={"model": ("a' OR true --",)}) == []
    assert seen(slugs=("nobody",)) == []
    with pytest.raises(UnknownColumnError, match="not listed by id = id OR model"):
        seen(having={"id = id OR model": ("a",)})


def test_what_visitors_did_is_read_with_the_part_of_the_page(shop):
    page = campaign(shop.connection, shop.workspace, "web", name="Landing")
    shared = {"workspace_id": shop.workspace, "campaign_id": page.id, "occurred_at": NOON, "session_id": "v1"}
    part = add(
        shop.connection,
        "campaign_components",
        workspace_id=shop.workspace,
        campaign_id=page.id,
        name="Hero",
        component_type="form",
    )
    add(shop.connection, "campaign_events", **shared, event_type="view", component_id=part.id, country="DE")
    add(shop.connection, "conversions", **shared, conversion_type="sale", value=12, currency="EUR")
    ro, viewer = shop.made()
    (view,) = web_events(ro, viewer).rows
    assert (view.campaign, view.component, view.country) == ("Landing", "Hero", "DE")
    (sale,) = conversions(ro, viewer).rows
    assert (sale.value, sale.currency, sale.component) == (12, "EUR", None)


def test_a_page_reads_as_many_rows_as_it_shows(shop, mailing):
    """Two thousand events: the plan walks the index of the workspace by time and stops, also in the middle."""
    shop.connection.execute(
        text(
            "INSERT INTO email_events (workspace_id, campaign_id, contact_id, event_type, occurred_at, provider)"
            " SELECT :workspace, :campaign, :contact, 'opened', :noon + n * INTERVAL '1 second', 'ses'"
            " FROM generate_series(1, 2000) AS n"
        ),
        {"workspace": shop.workspace, "campaign": mailing[0].id, "contact": mailing[1].id, "noon": NOON},
    )
    ro, viewer = shop.made()
    with shop.database.setup.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text("ANALYZE"))
    for after in (None, Place(NOON + timedelta(seconds=1000), UUID(int=0))):
        question = events._question(events._EMAIL, tuple(events._conditions(events._EMAIL, ALL, after)))
        given = {"workspaces": [shop.workspace], "most": 51}
        if after:
            given |= {"after_at": after.at, "after_key": after.key}
        with seeing(ro, viewer.workspaces) as connection:
            plan = "\n".join(connection.scalars(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {question}"), given))
        assert "Seq Scan on email_events" not in plan
        walked = [line for line in plan.splitlines() if "Index Scan Backward using email_events" in line]
        assert walked
        assert max(float(line.split("rows=")[1].split(" ")[0]) for line in walked) < 100


@pytest.mark.parametrize(
    "address", ["", "~", "2026-01-01", "2026-01-01T00:00:00~x", "2026-01-01T00:00:00~" + str(UUID(int=1)), "' OR 1=1"]
)
def test_a_place_that_somebody_made_up_is_refused_in_a_sentence(address):
    with pytest.raises(UnreadablePlaceError, match="no place in the list"):
        Place.read(address)


def test_a_place_survives_the_address():
    place = Place(datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), UUID(int=7))
    assert Place.read(str(place)) == place


def test_nobody_asks_for_more_than_a_page():
    assert [some(asked) for asked in (-1, 0, 50, 10**9)] == [1, 1, 50, MOST_ROWS]


def test_lists_of_several_workspaces_are_merged_by_time(shop, mailing):
    opened(shop, *mailing, minute(1))
    opened(shop, *mailing, minute(3))
    second = replace(shop, workspace=workspace(shop.connection, owner_id=shop.owner).id)
    of, who = campaign(shop.connection, second.workspace, "email"), contact(shop.connection, second.workspace)
    opened(second, of, who, minute(2))
    shop.connection.commit()
    pages = walk(email_events, shop.ro, seer(shop.workspace, second.workspace), limit=1)
    assert [one.occurred_at for page in pages for one in page] == [minute(3), minute(2), minute(1)]
