"""Each rollup's text says on Postgres and on DuckDB what its oracle says, which was written apart from it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlglot import exp

from app.lake.calendar import calendar
from app.lake.postgres import DAYS
from app.lake.sources import SOURCES
from app.rollups import CALENDAR, rollups
from db.engine import seeing
from tests.db.loaded import demo_database
from tests.lake import random_facts as facts
from tests.lake.answers import ORACLES, agreed, by_postgres, fill, new_lake, reading, summed
from tests.servers import Database, Server, new_database

NAMES = sorted(rollups())
READ = {table for rollup in rollups().values() for table in rollup.reads}
ENGINES = ("duckdb", "spark", "postgres")
UTC_ZONE, INDIA, NEW_YORK, SANTIAGO = "UTC", "Asia/Kolkata", "America/New_York", "America/Santiago"
# Which rollups tell of which subject; every one is here.
SUBJECTS = {
    "email": (
        facts.EMAIL,
        (
            "email_days email_domain_days email_hours email_event_days email_bounces email_links email_places "
            "email_contact_days"
        ),
    ),
    "audience": (facts.AUDIENCE, "audience_days"),
    "web": (facts.WEB, "web_days web_component_days conversion_days attribution_days"),
    "ads": (facts.ADS, "ad_days optimization_days"),
    "ai": (facts.AI, "ai_days ai_campaign_days ai_failures ai_latency"),
    "usage": (facts.USAGE, "usage_days quota_days credit_days"),
    "invoices": (facts.INVOICES, "invoice_days revenue_days"),
    "subscriptions": (facts.SUBSCRIPTIONS, "mrr_days"),
}


@pytest.fixture(scope="module")
def demo(server18: Server) -> Iterator[Database]:
    with demo_database(server18) as copied:
        yield copied


@pytest.fixture(scope="module")
def demo_lake(demo: Database) -> Iterator[duckdb.DuckDBPyConnection]:
    with new_lake() as lake, reading(demo) as pipe:
        fill(lake, pipe, READ)
        yield lake


@pytest.fixture(scope="module")
def shared(server18: Server) -> Iterator[Database]:
    """One database for all cases below: each works in workspaces of its own."""
    with new_database(server18) as fresh:
        with fresh.setup.begin() as connection:
            facts.make_room(connection)
        yield fresh


@pytest.fixture(scope="module")
def pipe(shared: Database) -> Iterator[Any]:
    with reading(shared) as connection:
        yield connection


@dataclass(frozen=True)
class Business:
    """A company in the shared database, and its figures."""

    database: Database
    pipe: Any
    company: facts.Company

    def add(self, table, **values):
        """A row of the first workspace."""
        self.take(facts.Add(table, [{"workspace": 0, **values}]))

    def take(self, *steps):
        with self.database.setup.begin() as connection:
            for step in steps:
                self.company.take(connection, step)

    def lake(self, lake, *names):
        """Copy what some rollups read of this company."""
        codes = ", ".join(str(code) for code in self.company.codes)
        fill(
            lake,
            self.pipe,
            {table for name in names for table in rollups()[name].reads},
            f"workspace_code IN ({codes})",
        )

    def figures(self, name, zone=UTC_ZONE):
        """The rows of a rollup on which all three agree, by its columns besides the workspace, without what is zero."""
        with new_lake() as lake:
            self.lake(lake, name)
            sums = agreed(self.database.setup, lake, name, zone, self.company.codes)
        grain = rollups()[name].grain
        return [
            dict(zip(grain[1:], key[1:], strict=True)) | measures for key, measures in sorted(sums.items(), key=repr)
        ]

    def totals(self, name, zone=UTC_ZONE, by="day"):
        """The measures of a rollup per day, or per another column."""
        grain = set(rollups()[name].grain)
        found: dict[object, dict[str, Decimal]] = {}
        for row in self.figures(name, zone):
            sums = found.setdefault(row[by], {})
            for measure in row.keys() - grain:
                sums[measure] = sums.get(measure, 0) + row[measure]
        return found


def business(database, pipe):
    with database.setup.begin() as connection:
        return Business(database, pipe, facts.company(connection))


@pytest.fixture
def ours(shared, pipe):
    return business(shared, pipe)


def at(day, hour=12, minute=0, *, month=3):
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


# ---- Every text has an oracle, and what a text must be to run everywhere


def test_every_rollup_has_an_oracle_and_every_oracle_a_rollup():
    assert set(rollups()) == ORACLES


def test_every_rollup_is_tried_with_random_facts():
    assert {name for _, names in SUBJECTS.values() for name in names.split()} == set(rollups())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_one_question_in_the_language_of_each_engine(name, engine):
    parsed = sqlglot.parse(rollups()[name].sql, dialect=engine)
    assert len(parsed) == 1
    assert isinstance(parsed[0], exp.Query)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_names_every_column_and_gives_its_key_once(name):
    rollup = rollups()[name]
    question = sqlglot.parse_one(rollup.sql, dialect="postgres")
    assert list(question.find_all(exp.Star)) == [star for star in question.find_all(exp.Star) if _is_counted(star)]
    for select in question.find_all(exp.Select):
        if not _is_read_by_position(select):
            assert all(column.alias_or_name for column in select.expressions)
    named = question.named_selects
    assert len(set(named)) == len(named)
    assert set(rollup.grain) < set(named)
    assert rollup.grain[0] == "workspace_code"
    assert "day" in rollup.grain
    assert rollup.meaning


def _is_counted(star):
    return isinstance(star.parent, exp.Count)


def _is_read_by_position(select):
    """The second and later parts of a union take their names from the first; EXISTS needs none."""
    above = select.parent
    return (isinstance(above, exp.SetOperation) and above.expression is select) or isinstance(above, exp.Exists)


@pytest.mark.parametrize("name", NAMES)
def test_a_text_has_no_clock_no_place_and_no_dialect_of_its_own(name):
    sql = rollups()[name].sql
    assert "::" not in sql
    forbidden = r"\b(current_date|current_timestamp|now|today|at time zone|generate_series|qualify|avg|random|limit)\b"
    assert re.findall(forbidden, sql, re.IGNORECASE) == []
    # Different values don't add up over days.
    counts = sqlglot.parse_one(sql, dialect="postgres").find_all(exp.AggFunc)
    assert [count for count in counts if isinstance(count.this, exp.Distinct)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_text_reads_what_its_header_says_and_its_units_are_columns_of_that(name):
    rollup = rollups()[name]
    question = sqlglot.parse_one(rollup.sql, dialect="postgres")
    own = {table.alias for table in question.find_all(exp.CTE)}
    assert {table.name for table in question.find_all(exp.Table)} - own - {CALENDAR} == set(rollup.reads)
    assert set(rollup.reads) <= set(SOURCES)
    for table, columns in rollup.unit.items():
        assert table in rollup.reads
        assert set(columns) <= set(SOURCES[table].names)
    # Without units each row counts by itself, which only holds where no table is joined to another.
    assert set(rollup.unit) == set(rollup.reads) or len(rollup.reads) == 1 or not list(question.find_all(exp.Join))


@pytest.mark.parametrize("name", NAMES)
def test_a_text_gives_whole_numbers_and_decimals_of_the_same_scale_everywhere(name, demo, demo_lake):
    rollup = rollups()[name]
    described = {row[0]: row[1] for row in demo_lake.execute(f"DESCRIBE {rollup.sql}").fetchall()}
    measures = described.keys() - set(rollup.grain)
    assert measures
    assert {measure: kind for measure, kind in described.items() if measure in measures and not _is_exact(kind)} == {}
    with demo.setup.begin() as connection:
        on_postgres = by_postgres(connection, rollup, UTC_ZONE)[:500]
    assert list(on_postgres[0]) == list(described)
    for row in on_postgres:
        assert {measure: _scale(row[measure]) for measure in measures} == {
            measure: _declared_scale(described[measure]) for measure in measures
        }


def _is_exact(kind):
    return kind == "BIGINT" or kind.startswith("DECIMAL(38,")


def _declared_scale(kind):
    return 0 if kind == "BIGINT" else int(kind.split(",")[1].rstrip(")"))


def _scale(value):
    return 0 if isinstance(value, int) else -value.as_tuple().exponent


def test_every_text_is_accepted_by_the_oldest_postgres(server15):
    with new_database(server15) as fresh, fresh.setup.begin() as connection:
        for rollup in rollups().values():
            assert by_postgres(connection, rollup, INDIA) == []


@pytest.mark.parametrize("zone", [*facts.ZONES, "America/Havana"])
def test_the_days_of_postgres_are_those_of_the_lake(zone, shared):
    """In Havana, midnight comes twice when summer ends."""
    with shared.setup.begin() as connection:
        connection.execute(text("SELECT set_config('timezone', :zone, true)"), {"zone": zone})
        found = connection.execute(text(DAYS)).all()
    instants = [(row.day, row.number, row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC)) for row in found]
    assert instants == [tuple(row.values()) for row in calendar(zone).to_pylist()]


# ---- The demo


@pytest.mark.parametrize("zone", [UTC_ZONE, INDIA, NEW_YORK])
@pytest.mark.parametrize("name", NAMES)
def test_text_and_oracle_agree_on_the_demo(name, zone, demo, demo_lake):
    assert agreed(demo.setup, demo_lake, name, zone)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_of_one_workspace_gets_its_share_live(name, demo):
    """Row level security cuts the live figure: one workspace's rows are those of the whole, and no others."""
    rollup = rollups()[name]
    with demo.setup.begin() as connection:
        everyone = by_postgres(connection, rollup, INDIA)
        code = everyone[0]["workspace_code"]
        key = connection.scalar(text("SELECT id FROM workspaces WHERE code = :code"), {"code": code})
    with seeing(demo.ro, [key]) as connection:
        mine = by_postgres(connection, rollup, INDIA)
    assert summed(rollup, mine) == summed(rollup, [row for row in everyone if row["workspace_code"] == code])


# ---- E-mail


def mail(what, day, hour=12, minute=0, contact=0, **values):
    return {
        "workspace": 0,
        "campaign_id": facts.Of("mailings", 0),
        "contact_id": facts.Of("contacts", contact),
        "event_type": what,
        "occurred_at": at(day, hour, minute),
        "provider": "ses",
        **dict.fromkeys(("bounce_type", "bounce_reason", "is_machine_open", "link_url", "device_type", "location")),
        **values,
    }


def arrive(ours, *events):
    for event in events:
        ours.take(facts.Add("email_events", [event]))


def test_three_opens_of_one_person_are_one_unique_open_on_the_day_of_the_first(ours):
    arrive(ours, mail("sent", 3), mail("opened", 5), mail("opened", 4), mail("opened", 5, 13))
    assert ours.totals("email_days") == {
        date(2025, 3, 3): {"emails_sent": 1},
        date(2025, 3, 4): {"emails_opened": 1, "emails_human_opened": 1, "emails_confirmed": 1},
    }
    assert ours.totals("email_event_days")[date(2025, 3, 5)] == {"opened_events": 2, "human_opened_events": 2}
    assert ours.totals("email_contact_days") == {
        date(2025, 3, 4): {"opened_events": 1, "human_opened_events": 1},
        date(2025, 3, 5): {"opened_events": 2, "human_opened_events": 2},
    }


def test_a_click_before_the_open_confirms_it_on_its_own_day(ours):
    arrive(ours, mail("clicked", 3, link_url="https://shop.example"), mail("opened", 4), mail("clicked", 5))
    assert ours.totals("email_days") == {
        date(2025, 3, 3): {"emails_clicked": 1, "emails_confirmed": 1},
        date(2025, 3, 4): {"emails_opened": 1, "emails_human_opened": 1},
    }
    assert ours.totals("email_links", by="link_url") == {
        "https://shop.example": {"clicked_events": 1},
        None: {"clicked_events": 1},
    }


def test_opens_and_clicks_stand_at_the_place_of_the_reader_and_the_rest_at_none(ours):
    machine = mail("opened", 4, 13, is_machine_open=True)
    arrive(
        ours, mail("sent", 3), mail("opened", 4, location="Riverton"), mail("clicked", 5, location="Riverton"), machine
    )
    assert ours.totals("email_places", by="location") == {
        "Riverton": {"opened_events": 1, "human_opened_events": 1, "clicked_events": 1},
        None: {"opened_events": 1},
    }


def test_a_soft_bounce_that_was_delivered_later_is_an_event_but_no_bounced_email(ours):
    bounced = {"bounce_type": "soft", "bounce_reason": "full"}
    arrive(ours, mail("bounced", 3, **bounced), mail("delivered", 4), mail("bounced", 3, contact=1, **bounced))
    assert ours.totals("email_days") == {
        date(2025, 3, 3): {"emails_bounced": 1, "emails_bounced_soft": 1},
        date(2025, 3, 4): {"emails_delivered": 1},
    }
    assert ours.totals("email_bounces", by="bounce_reason") == {"full": {"bounced_events": 2}}


def test_a_bounce_has_the_worst_class_and_the_first_day(ours):
    arrive(ours, mail("bounced", 3, bounce_type="undetermined"), mail("bounced", 5, bounce_type="hard"))
    assert ours.totals("email_days") == {date(2025, 3, 3): {"emails_bounced": 1, "emails_bounced_hard": 1}}


def test_a_late_delivery_does_not_undo_a_complaint(ours):
    arrive(ours, mail("complained", 3), mail("delivered", 4))
    assert ours.totals("email_days") == {
        date(2025, 3, 3): {"emails_complained": 1},
        date(2025, 3, 4): {"emails_delivered": 1},
    }


def test_a_machine_open_is_an_open_but_not_a_persons(ours):
    arrive(ours, mail("opened", 3, is_machine_open=True), mail("opened", 4, is_machine_open=False))
    assert ours.totals("email_days") == {
        date(2025, 3, 3): {"emails_opened": 1, "emails_confirmed": 1},
        date(2025, 3, 4): {"emails_human_opened": 1},
    }
    assert ours.totals("email_event_days")[date(2025, 3, 3)] == {"opened_events": 1, "machine_opened_events": 1}
    assert ours.totals("email_contact_days")[date(2025, 3, 3)] == {"opened_events": 1}


def test_what_a_provider_tells_twice_counts_once(ours):
    arrive(ours, *2 * [mail("clicked", 3, provider_event_key="1")])
    assert ours.totals("email_event_days") == {date(2025, 3, 3): {"clicked_events": 1}}


def test_what_was_sent_in_an_hour_is_followed_whenever_it_was_opened(ours):
    arrive(ours, mail("sent", 3, 8), mail("delivered", 3, 8, 59), mail("opened", 4, 21), mail("sent", 3, 8, contact=1))
    assert [row | {"campaign_code": 0} for row in ours.figures("email_hours")] == [
        {
            "campaign_code": 0,
            "day": date(2025, 3, 3),
            "hour": 8,
            "emails_sent": 2,
            "emails_delivered": 1,
            "sent_then_delivered": 1,
            "sent_then_opened": 1,
            "sent_then_human_opened": 1,
        },
        {"campaign_code": 0, "day": date(2025, 3, 4), "hour": 21, "emails_opened": 1, "emails_human_opened": 1},
    ]


def test_a_day_in_india_begins_at_half_past_six_in_the_evening_of_utc(ours):
    arrive(ours, mail("sent", 3, 18, 29), mail("sent", 3, 18, 30, contact=1))
    assert ours.totals("email_days", INDIA) == {date(2025, 3, day): {"emails_sent": 1} for day in (3, 4)}
    assert ours.totals("email_hours", INDIA, by="hour") == {hour: {"emails_sent": 1} for hour in (23, 0)}
    assert ours.totals("email_days") == {date(2025, 3, 3): {"emails_sent": 2}}


def test_a_day_that_loses_an_hour_ends_an_hour_sooner(ours):
    """New York goes from 2:00 to 3:00 on 9 March: its day begins at 5:00 UTC and ends at 4:00."""
    arrive(ours, *(mail("sent", *moment, contact=n) for n, moment in enumerate([(9, 5), (10, 3, 59), (10, 4)])))
    assert ours.totals("email_days", NEW_YORK) == {
        date(2025, 3, 9): {"emails_sent": 2},
        date(2025, 3, 10): {"emails_sent": 1},
    }
    assert ours.totals("email_hours", NEW_YORK, by="hour") == {0: {"emails_sent": 2}, 23: {"emails_sent": 1}}


def test_an_hour_that_comes_twice_is_one_hour_of_one_day(ours):
    """Santiago goes from midnight back to 23:00 on 5 April: 2:30 and 3:30 UTC are both half past eleven."""
    again = [mail("sent", 3, contact=n, occurred_at=at(6, hour, 30, month=4)) for n, hour in enumerate((2, 3, 4))]
    arrive(ours, *again)
    assert ours.totals("email_hours", SANTIAGO, by="hour") == {23: {"emails_sent": 2}, 0: {"emails_sent": 1}}
    assert ours.totals("email_days", SANTIAGO) == {
        date(2025, 4, 5): {"emails_sent": 2},
        date(2025, 4, 6): {"emails_sent": 1},
    }


# ---- Web


def visit(ours, moment, session="a", what="view", page=0, **values):
    ours.add("campaign_events", campaign_id=facts.Of("pages", page), event_type=what, occurred_at=moment,
        session_id=session, **values)  # fmt: skip


def convert(ours, moment, session="a", value="10", **values):
    ours.add("conversions", **{"campaign_id": facts.Of("pages", 0), "conversion_type": "purchase", "currency": "USD",
        "occurred_at": moment, "session_id": session, "value": Decimal(value), **values})  # fmt: skip


def earned(ours, model, zone=UTC_ZONE):
    """Per source of a model: how much of how many conversions."""
    return {
        row["source"]: (row["attributed_conversions"], row.get("attributed_value", 0))
        for row in ours.figures("attribution_days", zone)
        if row["model"] == model
    }


def test_the_first_the_last_and_each_touch_earn_a_conversion(ours):
    visit(ours, at(3), source="google")
    visit(ours, at(4), source="email", what="click", page=1)
    visit(ours, at(5), source=None)
    convert(ours, at(5, 13))
    third, rest = Decimal("0.333333"), Decimal("0.333334")
    assert earned(ours, "first") == {"google": (1, 10)}
    assert earned(ours, "last") == {None: (1, 10)}
    assert earned(ours, "linear") == {
        "google": (third, Decimal("3.333333")),
        "email": (third, Decimal("3.333333")),
        None: (rest, Decimal("3.333334")),
    }


def test_a_conversion_without_a_touch_is_shown_as_nobodys(ours):
    """No session, a session of nobody, a touch after it, one too long before it, and its own event are no touches."""
    visit(ours, at(20), session="late", source="google")
    visit(ours, at(11, 11, 59), session="old", source="google")
    visit(ours, at(18), session="own", source="google", what="conversion")
    for session in (None, "new", "late", "old", "own"):
        convert(ours, at(18), session=session, source="direct")
    for model in ("first", "last", "linear"):
        assert earned(ours, model) == {None: (5, 50)}
    assert {row["touch_campaign_code"] for row in ours.figures("attribution_days")} == {None}


def test_the_window_is_seven_times_24_hours_also_when_the_clocks_change(ours):
    visit(ours, at(5, 12), source="google")
    convert(ours, at(12, 12))
    assert earned(ours, "last", NEW_YORK) == {"google": (1, 10)}


def test_a_session_of_another_workspace_is_another_session(ours):
    visit(ours, at(3), source="google")
    convert(ours, at(4), workspace=1)
    assert earned(ours, "last") == {None: (1, 10)}


def test_web_events_are_their_kinds_and_no_component_is_a_component(ours):
    visit(ours, at(3), component_id=facts.Of("components", 0), country="IN")
    for what in ("click", "form_submit", "email_open", "email_click", "conversion"):
        visit(ours, at(3), what=what)
    assert ours.totals("web_days", by="country") == {
        "IN": {"web_events": 1, "views": 1},
        None: {
            "web_events": 5,
            **dict.fromkeys(("clicks", "form_submits", "web_email_opens", "web_email_clicks", "conversion_events"), 1),
        },
    }
    assert ours.totals("web_component_days", by="component_id")[None] == {"clicks": 1, "form_submits": 1}


def test_conversions_in_two_currencies_are_never_one_sum(ours):
    convert(ours, at(3), value="10")
    convert(ours, at(3), value="2.5")
    convert(ours, at(3), value="100", currency="JPY")
    assert ours.totals("conversion_days", by="currency") == {
        "USD": {"conversions": 2, "conversion_value": Decimal("12.5")},
        "JPY": {"conversions": 1, "conversion_value": 100},
    }


# ---- Ads


def test_a_breakdown_shows_the_same_money_once_more_and_the_zone_does_not_move_the_accounts_day(ours):
    ad = {"campaign_id": facts.Of("ads", 0), "date": date(2025, 3, 31), "currency": "USD", "clicks": 1}
    ours.add("performance_analytics", **ad, spend=10, impressions=3, revenue=30, reach=2)
    ours.add("performance_analytics", **ad, spend=4, breakdown="platform", platform="facebook", impressions=1)
    ours.add("performance_analytics", **ad, spend=6, breakdown="platform", platform="instagram", impressions=2)
    for zone in (UTC_ZONE, INDIA):
        assert ours.totals("ad_days", zone, by="breakdown") == {
            "none": {"impressions": 3, "ad_clicks": 1, "spend": 10, "ad_revenue": 30, "reach": 2},
            "platform": {"impressions": 3, "ad_clicks": 2, "spend": 10},
        }
    assert set(ours.totals("ad_days", INDIA)) == {date(2025, 3, 31)}


def test_an_optimization_of_which_nobody_knows_is_neither_a_success_nor_a_failure(ours):
    for success in (True, False, False, None):
        ours.add("ai_optimization_logs", campaign_id=facts.Of("ads", 0), optimized_at=at(3), success=success,
            optimization_type="bid")  # fmt: skip
    assert ours.totals("optimization_days") == {
        date(2025, 3, 3): {"optimizations": 4, "optimizations_succeeded": 1, "optimizations_failed": 2}
    }


# ---- AI


def generate(ours, **values):
    """A picture that was made, or what else is said of it."""
    ours.add(
        "ai_generations",
        **{
            "user_id": facts.Of("people", 0),
            "product": "craft_ads",
            "provider": "google",
            "model": "imagen",
            "generation_type": "image",
            "status": "completed",
            "created_at": at(3),
            **values,
        },
    )


def test_corrections_stand_on_their_months_first_day_and_belong_to_nobody(ours):
    """Three of a closed month, one of another workspace's too; the call of March is as it was."""
    generate(ours, cost=Decimal("0.04"), price_version=1, cache_saving=Decimal("0.01"), batch_saving=Decimal("0.02"))
    generate(ours, cost=Decimal("0.06"), price_version=1, attempt=2, cache_saving=Decimal("-0.03"))
    for amount in ("5", "-2", "0.5"):
        ours.add(
            "ai_cost_corrections", month=facts.CLOSED, kind="late_usage", product="craft_ads", provider="google",
            model="imagen", generation_type="image", amount=Decimal(amount), reason="It came late.",
        )  # fmt: skip
    corrected = {"ai_cost": Decimal("3.5"), "ai_cost_corrections": Decimal("3.5")}
    found = ours.totals("ai_days")
    assert found[facts.CLOSED] == corrected
    amounts = ("ai_cost", "retry_cost", "cache_savings", "batch_savings")
    assert [found[date(2025, 3, 3)][name] for name in amounts] == [
        Decimal(amount) for amount in ("0.10", "0.06", "-0.02", "0.02")
    ]
    assert ours.totals("ai_days", by="user_code")[None] == corrected
    assert ours.totals("ai_campaign_days")[facts.CLOSED] == corrected
    # In India the month begins at another moment; its corrections stand on the same day.
    assert ours.totals("ai_days", INDIA)[facts.CLOSED] == corrected


def test_unpriced_is_not_zero_and_failures_and_retries_cost_what_they_cost(ours):
    generate(ours, cost=Decimal("0.04"), price_version=1, accepted=True, user_rating=5)
    generate(ours, cost=Decimal("0.000000000001"), price_version=1, attempt=2, status="failed", accepted=False)
    generate(ours, cost=0, price_version=1)
    generate(ours)
    generate(ours, status="cancelled")
    generate(ours, status="pending", user_rating=2)
    assert ours.totals("ai_days") == {
        date(2025, 3, 3): {
            "generations": 6,
            "requests": 5,
            "retries": 1,
            "completed": 3,
            "failed": 1,
            "accepted": 1,
            "rated": 2,
            "rating_total": 7,
            "unpriced": 2,
            "ai_cost": Decimal("0.040000000001"),
            "retry_cost": Decimal("0.000000000001"),
        }
    }


def test_a_generation_for_no_campaign_is_shown_under_none(ours):
    generate(ours, cost=1, price_version=1)
    generate(ours, cost=2, price_version=1, campaign_id=facts.Of("ads", 0), accepted=True)
    found = ours.totals("ai_campaign_days", by="campaign_code")
    assert found.pop(None) == {"generations": 1, "ai_cost": 1}
    assert list(found.values()) == [{"generations": 1, "accepted": 1, "ai_cost": 2}]


def test_failures_stand_at_their_codes_and_those_without_one_at_none(ours):
    for code in ("rate_limited", "rate_limited", None):
        generate(ours, status="failed", error_code=code)
    generate(ours, error_code="overloaded")
    assert ours.totals("ai_failures", by="error_code") == {"rate_limited": {"failed": 2}, None: {"failed": 1}}


def test_a_time_falls_into_the_bucket_of_its_power(ours):
    """1.02 to the power of 35 is 1.9999, of 36 it is 2.04; of 348 it is 983.7, of 349 it is 1,003.4."""
    for ms in (None, 0, 1, 2, 1003, 1004):
        generate(ours, generation_time_ms=ms)
    assert ours.totals("ai_latency", by="latency_bucket") == {
        bucket: {"timed_generations": 1} for bucket in (-1, 0, 35, 348, 349)
    }


# ---- Usage, quotas, credits


def test_no_limit_is_counted_and_not_taken_for_zero(ours):
    quota = {"product": "mailer", "meter": "emails", "period": "month", "period_start": at(1, 0)}
    ours.add("quota_balances", **quota, limit_amount=100, used=7, held=1)
    ours.add("quota_balances", **quota, user_id=facts.Of("people", 0), limit_amount=None, used=2)
    found = ours.totals("quota_days", by="user_code")
    assert found.pop(None) == {"quota_balances": 1, "quota_limit": 100, "quota_used": 7, "quota_held": 1}
    assert list(found.values()) == [{"quota_balances": 1, "quota_unlimited": 1, "quota_used": 2}]


def test_credits_that_go_are_negative_and_the_kinds_add_up_to_the_balance(ours):
    for kind, amount in (("usage", -30), ("refund", 5), ("usage", -10)):
        ours.add("credit_transactions", user_id=facts.Of("people", 0), type=kind, amount=amount, position=0,
            balance_after=None, created_at=at(3))  # fmt: skip
    assert {
        kind: sums["credits_moved"] for kind, sums in ours.totals("credit_days", by="transaction_type").items()
    } == {
        "grant": 400,
        "usage": -40,
        "refund": 5,
    }


# ---- Money

MARCH = at(1, 0)


def bill(ours, amount, *, days=10, currency="USD", number="1", plan=0, discount=0, tax=0, first=MARCH, **values):
    """An invoice of one line whose period begins on 1 March."""
    invoice = {"workspace": 0, "number": number, "currency": currency, "status": "open", "issued_at": at(2),
        "subtotal_minor": amount, "discount_minor": discount, "tax_minor": tax, "total_minor": amount - discount + tax,
        "period_start": first, "period_end": first + timedelta(days=days), **values}  # fmt: skip
    key = values.get("id") or facts.UUID(int=int(number))
    ours.take(
        facts.Add("invoices", [{**invoice, "id": key}]),
        facts.Add(
            "invoice_lines",
            [
                {
                    "workspace": 0,
                    "invoice_id": key,
                    "plan_id": facts.Of("plans", plan),
                    "product": "mailer",
                    "kind": "subscription",
                    "description": "Pro",
                    "unit_amount_minor": amount,
                    "amount_minor": amount,
                    "discount_minor": discount,
                    "tax_minor": tax,
                    "currency": currency,
                    "period_start": first,
                    "period_end": first + timedelta(days=days),
                }
            ],
        ),
    )


def revenue(ours, zone=UTC_ZONE):
    return {day: sums["recognised_revenue"] for day, sums in ours.totals("revenue_days", zone).items()}


def test_a_line_is_recognised_evenly_without_tax_and_discount_and_its_last_day_is_not_in_it(ours):
    bill(ours, 1100, discount=100, tax=190)
    assert revenue(ours) == {date(2025, 3, day): 1 for day in range(1, 11)}


def test_in_another_zone_a_line_has_as_many_days_on_other_dates(ours):
    bill(ours, 1000)
    assert revenue(ours, NEW_YORK) == {date(2025, 2, 28) + timedelta(days=n): 1 for n in range(10)}


def test_days_that_do_not_divide_a_line_add_up_to_it(ours):
    bill(ours, 1000, days=3)
    assert sorted(revenue(ours).values()) == [Decimal("3.333333")] * 2 + [Decimal("3.333334")]


def test_a_year_is_recognised_over_its_365_days(ours):
    bill(ours, 36500, days=365)
    assert set(revenue(ours).values()) == {1}
    assert len(revenue(ours)) == 365


def test_a_credit_note_takes_away_over_its_own_period(ours):
    bill(ours, 1000, number="1")
    bill(ours, 500, number="2", days=5, kind="credit_note", corrects_invoice_id=facts.UUID(int=1))
    assert revenue(ours) == {date(2025, 3, day): 1 for day in range(6, 11)}
    assert {row["invoice_kind"]: row["invoiced_total"] for row in ours.figures("invoice_days")} == {
        "invoice": 10,
        "credit_note": -5,
    }


def test_a_credit_note_for_all_of_an_uneven_line_leaves_nothing_on_any_day(ours):
    bill(ours, 1099, days=32, number="1")
    bill(ours, 1099, days=32, number="2", kind="credit_note", corrects_invoice_id=facts.UUID(int=1))
    assert revenue(ours) == {}


def test_yen_have_no_hundredths_and_dinars_of_kuwait_have_thousandths(ours):
    bill(ours, 1000, number="1", currency="JPY")
    bill(ours, 1000, number="2", currency="KWD")
    bill(ours, 1000, number="3", currency="EUR")
    assert {row["currency"]: row["invoiced_total"] for row in ours.figures("invoice_days")} == {
        "JPY": 1000,
        "KWD": 1,
        "EUR": 10,
    }
    assert ours.totals("revenue_days", by="currency")["JPY"] == {"recognised_revenue": 1000}


def test_every_currency_has_its_own_number_of_digits(ours):
    listed = {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        2: "USD EUR INR GBP MGA HUF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }
    digits = {currency: number for number, currencies in listed.items() for currency in currencies.split()}
    for number, currency in enumerate(digits, start=1):
        bill(ours, 30000, number=str(number), currency=currency, days=1)
    expected = {currency: Decimal(30000).scaleb(-number) for currency, number in digits.items()}
    assert {row["currency"]: row["invoiced_total"] for row in ours.figures("invoice_days")} == expected
    assert {row["currency"]: row["recognised_revenue"] for row in ours.figures("revenue_days")} == expected


def test_drafts_and_voids_are_no_revenue_and_what_was_not_issued_is_no_invoice(ours):
    bill(ours, 1000, number="1", status="draft")
    bill(ours, 1000, number="2", status="void")
    bill(ours, 1000, number="3", status="uncollectible")
    assert revenue(ours) == {date(2025, 3, day): 1 for day in range(1, 11)}
    assert {row["invoice_status"]: row["invoices"] for row in ours.figures("invoice_days")} == {
        "void": 1,
        "uncollectible": 1,
    }


def subscribe(ours, first, until=None, price=10, tier="pro", **values):
    """A subscription from one day of March, at noon, to another."""
    is_over = {"status": "expired", "ends_at": at(until)} if until else {}
    ours.add("subscriptions", **{"user_id": facts.Of("people", 0), "plan_id": facts.Of("plans", 0), "product": "mailer",
        "tier": tier, "price": price, "currency": "USD", "started_at": at(first), "current_period_start": at(1).date(),
        "current_period_end": at(31).date(), **is_over, **values})  # fmt: skip


def moves(ours):
    """Per day how revenue moved, without its sum and without the number of subscriptions."""
    found = {
        day.day: {name: value for name, value in sums.items() if re.match("mrr_(?!change)", name)}
        for day, sums in ours.totals("mrr_days").items()
    }
    return {day: moved for day, moved in found.items() if moved}


def test_an_upgrade_a_downgrade_a_farewell_and_a_return_are_told_apart_and_add_up(ours):
    subscribe(ours, 1, 5)
    subscribe(ours, 5, 9, price=30)
    subscribe(ours, 9, 12, price=20)
    subscribe(ours, 20, price=20)
    assert moves(ours) == {
        1: {"mrr_new": 10},
        5: {"mrr_expansion": 20},
        9: {"mrr_contraction": -10},
        12: {"mrr_churn": -20},
        20: {"mrr_reactivation": 20},
    }
    assert sum(sums.get("mrr_change", 0) for sums in ours.totals("mrr_days").values()) == 20


def test_an_annual_price_is_a_twelfth_a_month(ours):
    subscribe(ours, 1, price=120, billing_cycle="annual")
    assert moves(ours) == {1: {"mrr_new": 10}}


def test_a_trial_is_a_subscription_that_is_worth_nothing_until_it_ends(ours):
    subscribe(ours, 1, trial_ends_at=at(15))
    assert ours.totals("mrr_days") == {
        date(2025, 3, 1): {"subscriptions_started": 1},
        date(2025, 3, 15): {"mrr_new": 10, "mrr_change": 10},
    }


def test_while_it_is_called_a_trial_it_is_worth_nothing_whatever_its_dates_say(ours):
    subscribe(ours, 1, status="trialing", trial_ends_at=at(2))
    assert ours.totals("mrr_days") == {date(2025, 3, 1): {"subscriptions_started": 1}}


def test_what_expired_without_a_date_ended_when_it_was_cancelled_or_never_lasted(ours):
    subscribe(ours, 1, status="expired", cancelled_at=at(4))
    subscribe(ours, 6, status="cancelled")
    assert moves(ours) == {1: {"mrr_new": 10}, 4: {"mrr_churn": -10}}
    assert ours.totals("mrr_days")[date(2025, 3, 6)] == {"subscriptions_started": 1, "subscriptions_ended": 1}


def tiers(ours):
    """Where the money came to and where it left from, in the order of days."""
    found = sorted(ours.figures("mrr_days"), key=lambda row: row["day"])
    return [(row["tier"], row["mrr_change"]) for row in found if "mrr_change" in row]


def test_the_last_plan_that_began_on_a_day_is_where_the_money_is(ours):
    subscribe(ours, 1, 5, tier="starter")
    subscribe(ours, 5, tier="pro", price=50, status="expired", ends_at=at(5, 13))
    subscribe(ours, 5, tier="growth", price=30, started_at=at(5, 13))
    assert tiers(ours) == [("starter", 10), ("growth", 20)]


def test_money_leaves_from_where_it_was_although_another_plan_was_tried_for_an_hour(ours):
    subscribe(ours, 1, 5, tier="starter")
    subscribe(ours, 5, tier="pro", price=50, status="expired", ends_at=at(5, 13))
    assert tiers(ours) == [("starter", 10), ("starter", -10)]


def test_a_free_plan_is_no_revenue_and_the_first_paid_one_is_new(ours):
    subscribe(ours, 1, 5, price=0, tier="free")
    subscribe(ours, 5)
    assert moves(ours) == {5: {"mrr_new": 10}}


# ---- People


def test_a_contact_that_came_and_went_counts_on_both_days_at_its_domain(ours):
    ours.add("contacts", email="a@Shop.example", created_at=at(3), subscribed_at=at(4), unsubscribed_at=at(6),
        deleted_at=at(6))  # fmt: skip
    assert [row for row in ours.figures("audience_days") if row["email_domain"] == "shop.example"] == [
        {"email_domain": "shop.example", "day": date(2025, 3, 3), "contacts_added": 1},
        {"email_domain": "shop.example", "day": date(2025, 3, 4), "contacts_subscribed": 1},
        {
            "email_domain": "shop.example",
            "day": date(2025, 3, 6),
            "contacts_removed": 1,
            "contacts_unsubscribed": 1,
        },
    ]


# ---- Random facts


@pytest.mark.parametrize("subject", SUBJECTS)
def test_text_and_oracle_agree_on_random_facts(subject, shared, pipe):
    story, listed = SUBJECTS[subject]
    names = [name for name in listed.split() if name in rollups()]

    @settings(
        max_examples=20,
        derandomize=True,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(story, st.sampled_from(facts.ZONES))
    def agrees(steps, zone):
        ours = business(shared, pipe)
        ours.take(*steps)
        with new_lake() as lake:
            ours.lake(lake, *names)
            for name in names:
                agreed(shared.setup, lake, name, zone, ours.company.codes)

    agrees()
