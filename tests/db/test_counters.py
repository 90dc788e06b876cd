"""Counters kept by triggers equal a recount: in any order, in any batches, with repeats, and from many at once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update

from db.engine import seeing
from db.tables import Base
from db.tables.facts import EMAIL_EVENT_TYPES, EmailEvent
from tests.db import rows
from tests.oracles import email_counters as oracle
from tests.servers import Database, Server, new_database

ORACLES = Path(oracle.__file__).parent
COUNTERS_BY_SQL = (ORACLES / "email_counters.sql").read_text(encoding="utf-8")
SENDS_BY_SQL = (ORACLES / "email_sends.sql").read_text(encoding="utf-8")
EVENTS = Base.metadata.tables["email_events"]
SENDS = Base.metadata.tables["email_sends"]
COUNTERS = tuple(oracle.COUNTED.values())
MEASURES = tuple(oracle.send([]))


@pytest.fixture(scope="module")
def shared(server18: Server) -> Iterator[Database]:
    """One database for all tests here: each works in a workspace of its own."""
    with new_database(server18) as fresh:
        yield fresh


@dataclass(frozen=True)
class Event:
    """An event as a provider tells it; campaigns and contacts by number."""

    campaign: int = 0
    contact: int = 0
    type: str = "sent"
    at: datetime = rows.NOON
    key: str | None = None
    message: str | None = None
    bounce: str | None = None
    link: str | None = None
    is_machine: bool | None = None


@dataclass(frozen=True)
class Tenant:
    """A workspace with e-mail campaigns and contacts, and what the database counted for it."""

    database: Database
    workspace: object
    campaigns: tuple
    contacts: tuple

    def values(self, event):
        return {
            "workspace_id": self.workspace,
            "campaign_id": self.campaigns[event.campaign],
            "contact_id": self.contacts[event.contact],
            "event_type": event.type,
            "occurred_at": event.at,
            "provider": "sendgrid",
            "provider_event_key": event.key,
            "provider_message_id": event.message,
            "bounce_type": event.bounce,
            "link_url": event.link,
            "is_machine_open": event.is_machine,
        }

    def arrive(self, *events):
        """The events of one statement, as an importer writes them."""
        with seeing(self.database.ingest, [self.workspace]) as connection:
            connection.execute(insert(EVENTS).values([self.values(event) for event in events]))

    @contextmanager
    def writing(self):
        with seeing(self.database.rw, [self.workspace]) as connection:
            yield connection

    def ask(self, sql):
        with seeing(self.database.ro, [self.workspace]) as connection:
            return connection.execute(text(sql)).mappings().all()

    def counters(self, sql="SELECT * FROM email_campaigns"):
        """Per campaign with anything counted: its counters."""
        counted = {
            self.campaigns.index(row["campaign_id"]): {name: row[name] for name in COUNTERS} for row in self.ask(sql)
        }
        return {campaign: counts for campaign, counts in counted.items() if any(counts.values())}

    def sends(self, sql="SELECT * FROM email_sends"):
        return {
            (self.campaigns.index(row["campaign_id"]), self.contacts.index(row["contact_id"])): {
                name: row[name] for name in MEASURES
            }
            for row in self.ask(sql)
        }

    def engagement(self):
        found = self.ask("SELECT id, last_engaged_at FROM contacts WHERE last_engaged_at IS NOT NULL")
        return {self.contacts.index(row["id"]): row["last_engaged_at"] for row in found}

    def state(self):
        return self.counters(), self.sends(), self.engagement()

    def one_send(self):
        return next(iter(self.sends().values()))

    def tombstones(self):
        """How many of each fact, as the pull reads them."""
        found = self.pulled("SELECT fact, COUNT(*) AS n FROM fact_tombstones WHERE workspace_id = :own GROUP BY fact")
        return {row["fact"]: row["n"] for row in found}

    def pulled(self, sql):
        with self.database.pipe.connect() as connection:
            return connection.execute(text(sql), {"own": self.workspace}).mappings().all()


def tenant(database, *, campaigns=1, contacts=1):
    with database.setup.begin() as connection:
        workspace = rows.workspace(connection).id
        return Tenant(
            database,
            workspace,
            tuple(rows.campaign(connection, workspace, "email").id for _ in range(campaigns)),
            tuple(rows.contact(connection, workspace).id for _ in range(contacts)),
        )


def by_hand(events):
    """What the plain oracle says; a campaign whose only bounce was undone counts nothing."""
    counted = {campaign: counts for campaign, counts in oracle.counters(events).items() if any(counts.values())}
    sends = {key: oracle.send(of_send) for key, of_send in oracle.sends_of(events).items()}
    return counted, sends, oracle.engagement(events)


@st.composite
def histories(draw):
    """Some different events; few minutes and few contacts, so that many fall together."""
    drawn = draw(
        st.lists(
            st.builds(
                Event,
                campaign=st.integers(0, 1),
                contact=st.integers(0, 2),
                type=st.sampled_from(EMAIL_EVENT_TYPES),
                at=st.integers(0, 4).map(rows.minute),
                message=st.sampled_from([None, "message"]),
                bounce=st.sampled_from(["hard", "soft", "undetermined"]),
                link=st.sampled_from([None, "https://shop.example/a", "https://shop.example/b"]),
                is_machine=st.sampled_from([None, True, False]),
            ),
            min_size=1,
            max_size=14,
            unique_by=lambda e: (
                e.campaign,
                e.contact,
                e.type,
                e.at,
                e.message,
                e.link if e.type == "clicked" else None,
            ),
        )
    )
    with_key = draw(st.lists(st.booleans(), min_size=len(drawn), max_size=len(drawn)))
    return [
        replace(
            event,
            key=f"event-{number}" if keyed else None,
            message=event.message and f"{event.message}-{event.campaign}-{event.contact}",
            bounce=event.bounce if event.type == "bounced" else None,
            link=event.link if event.type == "clicked" else None,
            is_machine=event.is_machine if event.type == "opened" else None,
        )
        for number, (event, keyed) in enumerate(zip(drawn, with_key, strict=True))
    ]


@st.composite
def deliveries(draw):
    """A history, and the same as a provider sends it: repeated, in any order, in any batches."""
    history = draw(histories())
    # Told again under its key, without a key, or under a key of its own.
    again = draw(st.lists(st.tuples(st.sampled_from(history), st.sampled_from(["same", None, "other"])), max_size=6))
    repeats = [
        event if kind == "same" else replace(event, key=kind and f"{kind}-{number}")
        for number, (event, kind) in enumerate(again)
    ]
    arrival = draw(st.permutations(history + repeats))
    cuts = sorted(draw(st.sets(st.integers(1, len(arrival)), max_size=4)) | {0, len(arrival)})
    return history, [arrival[start:end] for start, end in pairwise(cuts)]


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries())
def test_repeats_order_and_batches_leave_the_same_counters_as_the_clean_order(shared, delivery):
    history, batches = delivery
    clean, messy = (tenant(shared, campaigns=2, contacts=3) for _ in range(2))
    clean.arrive(*sorted(history, key=lambda event: event.at))
    for batch in batches:
        messy.arrive(*batch)
    assert clean.state() == by_hand(history)
    assert messy.state() == clean.state()
    assert messy.counters(COUNTERS_BY_SQL) == clean.counters()
    assert messy.sends(SENDS_BY_SQL) == clean.sends()


def test_a_repeat_is_dropped_counted_and_leaves_no_tombstone(shared):
    ours = tenant(shared)
    sent = Event(key="event-1", message="message-1")
    ours.arrive(sent, sent)
    ours.arrive(sent)
    ours.arrive(replace(sent, key="event-2"))
    ours.arrive(replace(sent, key="event-3", at=rows.minute(1)))
    assert [row["provider_event_key"] for row in ours.ask("SELECT * FROM email_events ORDER BY occurred_at")] == [
        "event-1",
        "event-3",
    ]
    assert [row["repeats"] for row in ours.ask("SELECT * FROM email_event_repeats")] == [3]
    assert ours.tombstones() == {}
    assert ours.counters() == {0: {**dict.fromkeys(COUNTERS, 0), "emails_sent": 1}}


def test_a_repeat_is_one_within_its_workspace_and_its_provider_only(shared):
    ours, theirs = tenant(shared), tenant(shared)
    sent = Event(key="event-1", message="message-1")
    ours.arrive(sent)
    theirs.arrive(sent)
    with seeing(shared.ingest, [ours.workspace]) as connection:
        connection.execute(insert(EVENTS).values({**ours.values(sent), "provider": "ses"}))
    assert len(ours.ask("SELECT id FROM email_events")) == 2
    assert len(theirs.ask("SELECT id FROM email_events")) == 1


SOFT = Event(type="bounced", bounce="soft", at=rows.minute(1))
DELIVERED = Event(type="delivered", at=rows.minute(2))


@pytest.mark.parametrize("arrival", [[[SOFT], [DELIVERED]], [[DELIVERED], [SOFT]], [[SOFT, DELIVERED]]])
def test_a_soft_bounce_that_was_followed_by_a_delivery_is_no_bounce(shared, arrival):
    ours = tenant(shared)
    for batch in arrival:
        ours.arrive(*batch)
    assert ours.one_send()["bounce_type"] is None
    assert (ours.counters()[0]["emails_bounced"], ours.counters()[0]["emails_delivered"]) == (0, 1)


def test_a_soft_bounce_after_the_delivery_and_a_hard_bounce_before_it_are_bounces(shared):
    ours = tenant(shared, contacts=2)
    ours.arrive(DELIVERED, replace(SOFT, at=rows.minute(3)))
    ours.arrive(replace(DELIVERED, contact=1), replace(SOFT, contact=1, bounce="hard"))
    assert [send["bounce_type"] for _, send in sorted(ours.sends().items())] == ["soft", "hard"]
    assert ours.counters()[0]["emails_bounced"] == 2


def test_a_delivery_may_be_told_after_the_open_and_does_not_undo_a_complaint(shared):
    ours = tenant(shared)
    ours.arrive(Event(type="opened", at=rows.minute(3)))
    ours.arrive(Event(type="complained", at=rows.minute(4)))
    ours.arrive(Event(type="delivered", at=rows.minute(1)))
    ours.arrive(Event(type="delivered", at=rows.minute(9)))
    assert ours.one_send()["first_complained_at"] == rows.minute(4)
    assert ours.one_send()["first_delivered_at"] == rows.minute(1)
    assert ours.counters()[0] == {
        **dict.fromkeys(COUNTERS, 0),
        "emails_delivered": 1,
        "emails_opened": 1,
        "emails_complained": 1,
    }


def test_opens_scored_anew_change_what_counts_as_human(shared):
    ours = tenant(shared)
    ours.arrive(Event(type="opened", at=rows.minute(1)), Event(type="opened", at=rows.minute(5)))
    with ours.writing() as connection:
        connection.execute(update(EVENTS).where(EVENTS.c.occurred_at == rows.minute(5)).values(is_machine_open=True))
    send = ours.one_send()
    assert (send["opens"], send["machine_opens"], send["first_human_opened_at"]) == (2, 1, rows.minute(1))
    assert ours.engagement() == {0: rows.minute(1)}
    with ours.writing() as connection:
        connection.execute(update(EVENTS).values(is_machine_open=True))
    assert ours.one_send()["first_human_opened_at"] is None
    assert ours.engagement() == {}
    assert ours.counters()[0]["emails_opened"] == 1


def test_deleted_events_are_taken_away_and_leave_tombstones(shared):
    ours = tenant(shared, contacts=2)
    ours.arrive(Event(), Event(type="opened", at=rows.minute(1)), Event(contact=1))
    with ours.writing() as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.event_type == "opened"))
    assert ours.counters() == {0: {**dict.fromkeys(COUNTERS, 0), "emails_sent": 2}}
    assert (len(ours.sends()), ours.engagement(), ours.tombstones()) == (2, {}, {"email_events": 1})


def test_a_deleted_event_may_be_added_again(shared):
    ours = tenant(shared)
    ours.arrive(Event())
    with ours.writing() as connection:
        connection.execute(delete(EVENTS))
    ours.arrive(Event())
    assert ours.counters() == {0: {**dict.fromkeys(COUNTERS, 0), "emails_sent": 1}}


def test_a_send_without_events_is_gone_and_leaves_a_tombstone(shared):
    ours = tenant(shared, contacts=2)
    ours.arrive(Event(), Event(contact=1), Event(contact=1, type="delivered"))
    with ours.writing() as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.contact_id == ours.contacts[1]))
    assert list(ours.sends()) == [(0, 0)]
    assert ours.tombstones() == {"email_events": 2, "email_sends": 1}
    assert ours.counters() == {0: {**dict.fromkeys(COUNTERS, 0), "emails_sent": 1}}
    gone = ours.pulled("SELECT row_key FROM fact_tombstones WHERE workspace_id = :own AND fact = 'email_sends'")
    assert [set(row["row_key"]) for row in gone] == [{"campaign_id", "contact_id", "sends_month"}]


def test_an_event_keeps_its_campaign_and_its_contact(shared):
    ours = tenant(shared, contacts=2)
    ours.arrive(Event())
    with pytest.raises(Exception, match="keeps its campaign"), ours.writing() as connection:
        connection.execute(update(EVENTS).values(contact_id=ours.contacts[1]))


def at_once(database, workspace, table, batches, engine="ingest"):
    """Insert batches, each one statement, from four connections at once; a deadlock in any of them is raised here."""

    def insert_all(own):
        for batch in own:
            with seeing(getattr(database, engine), [workspace]) as connection:
                connection.execute(insert(table).values(batch))

    with ThreadPoolExecutor(4) as four:
        list(four.map(insert_all, [batches[number::4] for number in range(4)]))


def test_four_at_once_neither_deadlock_nor_miscount(shared):
    ours, dice = tenant(shared, campaigns=4, contacts=200), random.Random(7)
    events = [
        Event(dice.randrange(4), dice.randrange(200), kind, rows.minute(dice.randrange(9000)), key=str(number % 7900))
        for number, kind in enumerate(dice.choices(["sent", "delivered", "opened", "clicked"], k=8000))
    ]
    values = [ours.values(event) for event in events]
    at_once(shared, ours.workspace, EVENTS, [values[start : start + 200] for start in range(0, 8000, 200)])
    assert ours.counters() == ours.counters(COUNTERS_BY_SQL)
    assert ours.sends() == ours.sends(SENDS_BY_SQL)
    assert len(ours.ask("SELECT id FROM email_events")) + ours.ask("SELECT repeats FROM email_event_repeats")[0][
        "repeats"
    ] == len(events)


# What each of the other counters must be: two queries that must always answer the same.
RECOUNTS = {
    "web campaigns": (
        "SELECT campaign_id, views, clicks, conversions, revenue_generated FROM web_campaigns",
        """SELECT c.id,
            (SELECT COUNT(*) FROM campaign_events AS e WHERE e.campaign_id = c.id AND e.event_type = 'view'),
            (SELECT COUNT(*) FROM campaign_events AS e WHERE e.campaign_id = c.id AND e.event_type = 'click'),
            (SELECT COUNT(*) FROM conversions AS v WHERE v.campaign_id = c.id),
            (SELECT COALESCE(SUM(v.value), 0) FROM conversions AS v
                WHERE v.campaign_id = c.id AND v.currency = c.currency)
        FROM campaigns AS c WHERE c.channel = 'web'""",
    ),
    "components": (
        "SELECT id, views, clicks, conversions FROM campaign_components",
        """SELECT k.id,
            (SELECT COUNT(*) FROM campaign_events AS e WHERE e.component_id = k.id AND e.event_type = 'view'),
            (SELECT COUNT(*) FROM campaign_events AS e WHERE e.component_id = k.id AND e.event_type = 'click'),
            (SELECT COUNT(*) FROM conversions AS v WHERE v.component_id = k.id)
        FROM campaign_components AS k""",
    ),
    "ad campaigns": (
        """SELECT campaign_id, total_spend, total_impressions, total_clicks, total_conversions, total_revenue
        FROM ad_campaigns""",
        """SELECT a.campaign_id, COALESCE(SUM(p.spend), 0), COALESCE(SUM(p.impressions), 0),
            COALESCE(SUM(p.clicks), 0), COALESCE(SUM(p.conversions), 0), COALESCE(SUM(p.revenue), 0)
        FROM ad_campaigns AS a
        LEFT JOIN performance_analytics AS p ON p.campaign_id = a.campaign_id AND p.breakdown = 'none'
        GROUP BY a.campaign_id""",
    ),
    "AI cost": (
        """SELECT user_id, CAST(date AS TEXT), model, cost, generations_count, failed_count, unpriced_count, tokens_used
        FROM ai_cost_tracking WHERE generations_count > 0""",
        """SELECT user_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), model, SUM(COALESCE(cost, 0)),
            COUNT(*), SUM(CAST(status = 'failed' AS INT)),
            SUM(CAST(status IN ('completed', 'failed', 'cancelled') AND cost IS NULL AS INT)),
            SUM(input_tokens + cached_input_tokens + cache_write_tokens + output_tokens + reasoning_tokens)
        FROM ai_generations GROUP BY 1, 2, 3""",
    ),
    "usage": (
        """SELECT user_id, month, campaigns_generated, ai_credits_used, storage_bytes_used, api_calls_made
        FROM user_usage WHERE (campaigns_generated, ai_credits_used, storage_bytes_used, api_calls_made)
            <> (0, 0, 0, 0)""",
        """SELECT user_id, CAST(date_trunc('month', logged_at AT TIME ZONE 'UTC') AS DATE),
            SUM(CASE feature WHEN 'campaign_creation' THEN quantity ELSE 0 END),
            SUM(credits_consumed),
            SUM(CASE feature WHEN 'storage' THEN quantity ELSE 0 END),
            SUM(CASE feature WHEN 'api_call' THEN quantity ELSE 0 END)
        FROM usage_logs GROUP BY 1, 2""",
    ),
    "lists": (
        "SELECT id, contact_count FROM lists",
        "SELECT l.id, (SELECT COUNT(*) FROM list_contacts AS c WHERE c.list_id = l.id) FROM lists AS l",
    ),
}


@dataclass(frozen=True)
class Business:
    """A workspace with something of every channel, and its recounts."""

    database: Database
    workspace: object
    user: object
    web: tuple
    components: tuple
    ads: tuple
    lists: tuple
    contacts: tuple

    @contextmanager
    def writing(self):
        with seeing(self.database.rw, [self.workspace]) as connection:
            yield connection

    def add(self, table, **values):
        with self.writing() as connection:
            target = Base.metadata.tables[table]
            key = connection.execute(
                insert(target).values(workspace_id=self.workspace, **values).returning(target.c.id)
            )
            return key.scalar_one()

    def change(self, sql, **parameters):
        with self.writing() as connection:
            connection.execute(text(sql), parameters)

    def answers(self, counter):
        """What the counters say and what the recount says."""
        with seeing(self.database.ro, [self.workspace]) as connection:
            return tuple(
                sorted(tuple(str(cell) for cell in normal(row)) for row in connection.execute(text(sql)))
                for sql in RECOUNTS[counter]
            )

    def agrees(self, counter):
        kept, recounted = self.answers(counter)
        assert kept == recounted
        return kept


def normal(row):
    """Numbers without the zeros at their ends, so that 0 and 0.0000 are one."""
    return [f"{cell.normalize():f}" if hasattr(cell, "normalize") else cell for cell in row]


@pytest.fixture
def business(shared):
    with shared.setup.begin() as connection:
        owner = rows.user(connection).id
        workspace = rows.workspace(connection, owner_id=owner).id
        web = tuple(rows.campaign(connection, workspace, "web", currency="EUR").id for _ in range(2))
        return Business(
            shared,
            workspace,
            owner,
            web,
            tuple(rows.component(connection, workspace, campaign).id for campaign in web),
            tuple(rows.campaign(connection, workspace, "ads").id for _ in range(2)),
            tuple(rows.add(connection, "lists", workspace_id=workspace, name="List").id for _ in range(2)),
            tuple(rows.contact(connection, workspace).id for _ in range(40)),
        )


def test_web_counters_follow_events_through_changes_and_deletions(business):
    first, second = business.web
    business.add("campaign_events", campaign_id=first, component_id=business.components[0], event_type="view")
    business.add("campaign_events", campaign_id=first, component_id=business.components[0], event_type="click")
    business.add("campaign_events", campaign_id=second, event_type="form_submit")
    assert [row[1:3] for row in business.agrees("web campaigns")] == [("1", "1"), ("0", "0")]
    assert ("1", "1", "0") in [row[1:] for row in business.agrees("components")]
    business.change("UPDATE campaign_events SET event_type = 'view'")
    business.agrees("web campaigns")
    business.change("UPDATE campaign_events SET campaign_id = :to, component_id = NULL", to=second)
    assert [row[1] for row in business.agrees("web campaigns")] == ["0", "3"]
    business.agrees("components")
    business.change("DELETE FROM campaign_events")
    assert [row[1] for row in business.agrees("web campaigns")] == ["0", "0"]


def test_revenue_of_a_web_campaign_is_in_its_own_currency_only(business):
    component = business.components[0]
    for value, currency in [(10, "EUR"), (5, "USD"), (2.5, "EUR")]:
        business.add(
            "conversions",
            campaign_id=business.web[0],
            component_id=component,
            conversion_type="sale",
            value=value,
            currency=currency,
        )
    assert business.agrees("web campaigns")[0][3:] == ("3", "12.5")
    business.change("UPDATE conversions SET currency = 'EUR', value = value + 1")
    assert business.agrees("web campaigns")[0][3:] == ("3", "20.5")
    business.change("DELETE FROM conversions WHERE value = 11")
    assert business.agrees("web campaigns")[0][3:] == ("2", "9.5")
    assert "2" in [row[3] for row in business.agrees("components")]


def test_a_campaign_that_has_earned_keeps_its_currency(business):
    business.add("conversions", campaign_id=business.web[0], conversion_type="sale", value=10, currency="EUR")
    with pytest.raises(Exception, match="has earned or spent in EUR already"):
        business.change("UPDATE campaigns SET currency = 'USD' WHERE id = :id", id=business.web[0])
    business.change("UPDATE campaigns SET currency = 'INR' WHERE id = :id", id=business.web[1])


def ad_day(**values):
    """An ad campaign's figures of one day."""
    return {
        "date": rows.NOON.date(),
        "currency": "USD",
        "impressions": 1000,
        "clicks": 10,
        "spend": 5,
        "conversions": 1,
        "revenue": 20,
        **values,
    }


RESTATE = """
    INSERT INTO performance_analytics (workspace_id, campaign_id, date, currency, spend, revenue, clicks)
    VALUES (:workspace, :campaign, :day, 'USD', :spend, 7, 3)
    ON CONFLICT (workspace_id, campaign_id, date, breakdown, hour, platform, placement, age_range, gender, location)
    DO UPDATE SET spend = EXCLUDED.spend, revenue = EXCLUDED.revenue, clicks = EXCLUDED.clicks,
        restatements = performance_analytics.restatements + 1
"""


def test_ad_totals_take_the_undivided_rows_only_and_follow_restatements(business):
    campaign = business.ads[0]
    business.add("performance_analytics", campaign_id=campaign, **ad_day())
    for gender in ("female", "male"):
        business.add("performance_analytics", campaign_id=campaign, breakdown="gender", gender=gender, **ad_day())
    assert [row[1] for row in business.agrees("ad campaigns")] == ["5", "0"]
    business.change("UPDATE performance_analytics SET spend = 6.25 WHERE breakdown = 'none'")
    assert business.agrees("ad campaigns")[0][1] == "6.25"
    for spend, day in [(8, rows.NOON.date()), (1, rows.NOON.date() + timedelta(days=1))]:
        with seeing(business.database.ingest, [business.workspace]) as connection:
            connection.execute(
                text(RESTATE), {"workspace": business.workspace, "campaign": campaign, "day": day, "spend": spend}
            )
    assert business.agrees("ad campaigns")[0][1] == "9"
    business.change("DELETE FROM performance_analytics WHERE spend = 8")
    assert business.agrees("ad campaigns")[0][1] == "1"


def generation(user, **values):
    """A finished call of a model."""
    return {
        "user_id": user,
        "product": "craft_ads",
        "provider": "openai",
        "model": "small",
        "generation_type": "image",
        "created_at": rows.NOON,
        "status": "completed",
        "input_tokens": 100,
        "output_tokens": 20,
        **values,
    }


def test_ai_cost_follows_a_call_from_pending_over_unpriced_to_its_price(business):
    business.add("ai_generations", **generation(business.user, status="pending"))
    assert business.agrees("AI cost")[0][3:7] == ("0", "1", "0", "0")
    business.change("UPDATE ai_generations SET status = 'completed'")
    assert business.agrees("AI cost")[0][3:7] == ("0", "1", "0", "1")
    business.change("UPDATE ai_generations SET cost = 0.000000000001, price_version = 1")
    assert business.agrees("AI cost")[0][3:7] == ("0.000000000001", "1", "0", "0")
    business.change("UPDATE ai_generations SET status = 'failed', model = 'large', cost = 0.000000000002")
    assert [row[2:7] for row in business.agrees("AI cost")] == [("large", "0.000000000002", "1", "1", "0")]
    business.change("UPDATE ai_generations SET model = 'small'")
    assert [row[2:7] for row in business.agrees("AI cost")] == [("small", "0", "1", "1", "1")]
    business.change("DELETE FROM ai_generations")
    assert business.agrees("AI cost") == []


def test_a_day_of_ai_cost_ends_at_midnight_utc_wherever_the_session_is(business):
    midnight = rows.NOON.replace(hour=0)
    with business.writing() as connection:
        connection.execute(text("SET LOCAL timezone = 'Asia/Kolkata'"))
        for at in (midnight, midnight + timedelta(hours=24, microseconds=-1), midnight + timedelta(hours=24)):
            connection.execute(
                insert(Base.metadata.tables["ai_generations"]).values(
                    workspace_id=business.workspace, **generation(business.user, created_at=at)
                )
            )
    day = rows.NOON.date()
    assert [(row[1], row[4]) for row in business.agrees("AI cost")] == [
        (str(day), "2"),
        (str(day + timedelta(days=1)), "1"),
    ]


def test_usage_is_added_up_by_month_in_utc(business):
    last = datetime.combine(date.today().replace(day=1), datetime.min.time(), UTC) - timedelta(seconds=1)  # noqa: DTZ011
    log = {"user_id": business.user, "product": "mailer"}
    business.add("usage_logs", logged_at=last, feature="storage", quantity=500, credits_consumed=0, **log)
    business.add("usage_logs", logged_at=last + timedelta(seconds=1), feature="api_call", quantity=3, **log)
    business.add("usage_logs", logged_at=last, feature="campaign_creation", **log)
    assert [row[2:] for row in business.agrees("usage")] == [("1", "1", "500", "0"), ("0", "1", "0", "3")]
    business.change("UPDATE usage_logs SET quantity = 400, credits_consumed = 2 WHERE feature = 'storage'")
    assert business.agrees("usage")[0][2:] == ("1", "3", "400", "0")
    business.change("DELETE FROM usage_logs WHERE feature <> 'api_call'")
    assert [row[2:] for row in business.agrees("usage")] == [("0", "1", "0", "3")]


def test_a_list_knows_how_many_contacts_are_on_it(business):
    first, second = business.lists
    for contact in business.contacts[:3]:
        business.add("list_contacts", list_id=first, contact_id=contact)
    assert [row[1] for row in business.agrees("lists")] == ["3", "0"]
    business.change(
        "UPDATE list_contacts SET list_id = :to WHERE contact_id = :one", to=second, one=business.contacts[0]
    )
    assert [row[1] for row in business.agrees("lists")] == ["2", "1"]
    business.change("DELETE FROM list_contacts WHERE list_id = :first", first=first)
    assert [row[1] for row in business.agrees("lists")] == ["0", "1"]


def rows_of(business, table, dice):
    """Rows of a table that meet in few counters."""
    minutes = [rows.minute(number) for number in range(400)]
    made = {
        "campaign_events": lambda n: {
            "campaign_id": business.web[(which := dice.randrange(2))],
            "component_id": business.components[which],
            "event_type": dice.choice(["view", "click"]),
            "occurred_at": minutes[n],
        },
        "conversions": lambda n: {
            "campaign_id": dice.choice(business.web),
            "component_id": dice.choice(business.components),
            "conversion_type": "sale",
            "value": n,
            "currency": dice.choice(["EUR", "USD"]),
        },
        "performance_analytics": lambda n: {
            "campaign_id": business.ads[n % 2],
            **ad_day(date=rows.NOON.date() - timedelta(days=n // 48), breakdown="hour", hour=n // 2 % 24),
        },
        "ai_generations": lambda _: generation(
            business.user,
            model=dice.choice(["small", "large"]),
            created_at=rows.NOON + timedelta(days=dice.randrange(3)),
        ),
        "usage_logs": lambda n: {"user_id": business.user, "product": "mailer", "feature": "api_call", "quantity": n},
        "list_contacts": lambda n: {"list_id": business.lists[n % 2], "contact_id": business.contacts[n // 2]},
    }[table]
    return [
        {"workspace_id": business.workspace, **made(number)}
        for number in range(80 if table == "list_contacts" else 400)
    ]


@pytest.mark.parametrize(
    ("table", "counter"),
    [
        ("campaign_events", "web campaigns"),
        ("campaign_events", "components"),
        ("conversions", "web campaigns"),
        ("performance_analytics", "ad campaigns"),
        ("ai_generations", "AI cost"),
        ("usage_logs", "usage"),
        ("list_contacts", "lists"),
    ],
)
def test_other_counters_are_right_when_four_insert_at_once(business, table, counter):
    made = rows_of(business, table, random.Random(3))
    batches = [made[start : start + 20] for start in range(0, len(made), 20)]
    at_once(business.database, business.workspace, Base.metadata.tables[table], batches, engine="rw")
    business.agrees(counter)


def xid(connection):
    return str(connection.scalar(text("SELECT pg_current_xact_id()")))


def test_a_fact_carries_the_transaction_that_last_wrote_it(shared):
    ours = tenant(shared)
    with seeing(shared.rw, [ours.workspace]) as connection:
        connection.execute(insert(EmailEvent).values([ours.values(Event())]))
        inserted = xid(connection)
        assert connection.scalar(select(EVENTS.c.row_xid)) == inserted
        assert connection.scalar(select(SENDS.c.row_xid)) == inserted
    with ours.writing() as connection:
        connection.execute(update(EVENTS).values(location="Berlin"))
        updated = xid(connection)
        assert connection.scalars(select(EVENTS.c.row_xid)).all() == [updated]
        assert connection.scalar(select(SENDS.c.row_xid)) == updated
    assert updated != inserted


def test_no_fact_carries_a_transaction_that_was_given_up(shared):
    ours = tenant(shared)
    ours.arrive(Event())
    with shared.setup.connect() as connection:
        before = connection.scalar(select(EVENTS.c.row_xid).where(EVENTS.c.workspace_id == ours.workspace))
        connection.execute(update(EVENTS).where(EVENTS.c.workspace_id == ours.workspace).values(location="x"))
        connection.execute(insert(EVENTS).values([ours.values(Event(type="opened"))]))
        given_up = xid(connection)
        connection.rollback()
        stamps = connection.scalars(select(EVENTS.c.row_xid).where(EVENTS.c.workspace_id == ours.workspace)).all()
    assert stamps == [before]
    assert before != given_up
