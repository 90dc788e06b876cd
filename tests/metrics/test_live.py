"""From end to end: the demo's business through the lake, and the same questions put to Postgres itself."""

from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import text

from app.access import Role, Viewer, all_workspaces
from app.metrics.answer import Answer
from app.metrics.desk import Desk
from app.metrics.question import question
from tests.db.loaded import TODAY, demo_database
from tests.lake.lakes import LakeOf

SINCE, UNTIL = TODAY - timedelta(days=120), TODAY + timedelta(days=1)
MAIL = ("emails_sent", "open_rate", "bounce_rate", "emails_human_opened")
QUESTIONS = [
    (MAIL, {}),
    (MAIL, {"by": "campaign"}),
    (MAIL, {"by": ["product", "week"], "compare": "previous"}),
    (MAIL, {"by": "workspace", "compare": "year"}),
    (("emails_delivered", "complaint_rate"), {"by": "domain"}),
    (("emails_sent", "emails_opened"), {"by": ["weekday", "hour"]}),
    (("total_opens", "total_clicks"), {"by": "device", "where": {"channel": "email"}}),
    (("total_bounces",), {"by": ["bounce_type", "bounce_reason"]}),
    (("unique_openers", "unique_clickers"), {"by": "month", "compare": "previous"}),
    (("views", "conversions", "conversion_rate", "conversion_value"), {"by": "source", "exclude": {"medium": None}}),
    (("attributed_conversions", "attributed_value_linear"), {"by": "campaign"}),
    (("spend", "roas", "cpa"), {"by": ["month", "product"]}),
    (("impressions", "ctr"), {"by": "age"}),
    (("spend", "impressions"), {"by": "platform"}),
    (("spend",), {"by": "currency"}),
    (("ai_cost", "cost_per_accepted", "failure_rate"), {"by": ["model", "month"]}),
    (("ai_cost", "tokens"), {"by": "tier"}),
    (("generation_time_p50", "generation_time_p95"), {"by": "provider"}),
    (("margin", "margin_rate", "recognised_revenue"), {"by": "workspace"}),
    (("mrr", "mrr_change", "subscriptions"), {"by": ["month", "product"]}),
    (("invoiced", "invoices"), {"by": "month"}),
    (("credits_balance", "credits_purchased"), {"by": "user"}),
    (("contacts", "list_growth"), {"by": "week"}),
    (("uses", "credits_consumed"), {"by": "feature"}),
    (("quota_used", "quota_limit"), {"by": ["meter", "quota_period"]}),
]


@pytest.fixture(scope="module")
def business(server18, tmp_path_factory):
    """The demo, brought into a lake once, with days of a zone that is half an hour off."""
    with demo_database(server18) as database:
        lake = LakeOf(database, tmp_path_factory.mktemp("lake"), "Asia/Kolkata")
        lake.refresh()
        yield database, lake


@pytest.fixture(scope="module")
def ada(business):
    database, _ = business
    engine = database.server.engine(database.name)
    yield Viewer("Ada", frozenset({Role.ADMIN}), all_workspaces(engine))
    engine.dispose()


@pytest.fixture(scope="module")
def desk(business):
    """In euros everything else is converted, AI cost too."""
    made = Desk(business[1].lake, currency="EUR")
    yield made
    made.close()


def by_postgres(database, desk: Desk, answer: Answer):
    asked = desk.live(answer)
    with psycopg.connect(database.server.url(database.name)) as connection:
        connection.execute("SELECT set_config('timezone', %s, false)", [asked.zone])
        cursor = connection.execute(asked.sql.encode(), dict(asked.parameters))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def is_same(lakes, postgres):
    """To the last place of an amount; quotients as far as a float holds them."""
    if isinstance(lakes, float | Decimal) and postgres is not None:
        return float(lakes) == pytest.approx(float(postgres), rel=1e-12, abs=1e-12)
    return lakes == postgres


def sorted_by(answer: Answer, rows):
    return sorted(rows, key=lambda row: [str(row[dimension.name]) for dimension in answer.by])


@pytest.mark.parametrize(
    ("metrics", "more"), QUESTIONS, ids=lambda part: "-".join(part) if isinstance(part, tuple) else ""
)
def test_the_lake_and_postgres_answer_alike(business, desk, ada, metrics, more):
    answer = desk.ask(question(metrics, SINCE, UNTIL, **more), ada)
    lakes, postgres = sorted_by(answer, answer.rows()), sorted_by(answer, by_postgres(business[0], desk, answer))
    assert lakes
    assert len(lakes) == len(postgres)
    for mine, theirs in zip(lakes, postgres, strict=True):
        assert {name: value for name, value in mine.items() if not is_same(value, theirs[name])} == {}


def test_what_changed_since_shows_when_a_figure_is_made_anew(business, ada):
    """The lake keeps to its version, Postgres tells of now, until the next refresh."""
    database, lake = business
    desk = Desk(lake.lake, currency="USD")
    asked = question("spend", date(2020, 1, 1), UNTIL, by="currency")
    before = desk.ask(asked, ada)
    with database.setup.begin() as connection:
        connection.execute(text("UPDATE performance_analytics SET spend = spend + 1 WHERE breakdown = 'none'"))
    assert sum(row["spend"] for row in by_postgres(database, desk, before)) > sum(row["spend"] for row in before.rows())
    lake.refresh()
    after = desk.ask(question("spend", date(2020, 1, 1), UNTIL, by="currency", as_of=lake.lake.latest_number), ada)
    assert after.rows() == [
        {"currency": row["currency"], "spend": row["spend"]} for row in by_postgres(database, desk, after)
    ]
    desk.close()
