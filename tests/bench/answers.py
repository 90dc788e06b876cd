"""How fast a person is answered: twelve questions through the metrics layer, in Postgres, and from materialized views.

Run it on the data of SIGHTLINE_HOME with `python -m tests.bench.answers`; it adds a schema of views to that database,
and drops it at the end. Load the data with `sightline demo --size large`, and fill the lake with `sightline refresh`.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from app.access import Role, Viewer, all_workspaces
from app.cli.shared import address
from app.database import app_engines
from app.lake.lake import the_lake
from app.lake.postgres import on_postgres
from app.metrics.desk import Desk
from app.metrics.question import Question, question
from app.rollups import rollups

ROUNDS = 11
SLOW_ROUNDS = 3
VIEWS = (
    "email_days", "email_domain_days", "email_hours", "email_links", "email_contact_days", "ai_days", "ai_latency",
    "ad_days", "conversion_days", "usage_days",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question in three forms: to the metrics layer, to the tables, and to materialized views of the rollups."""

    name: str
    question: Question
    tables: str
    views: str


def the_questions(last: date, workspace: tuple[str, int]) -> list[Asked]:
    """The twelve; `last` is the day after the last whole one, `workspace` the largest by its slug and code."""

    def since(days: int) -> date:
        return last - timedelta(days=days)

    slug, code = workspace
    span = f"BETWEEN '{{0}}' AND '{last - timedelta(days=1)}'"
    d30, d60, d90 = (span.format(since(days)) for days in (30, 60, 90))
    after = "{0} >= '{1}' AND {0} < '{2}'"

    def at(column: str, days: int) -> str:
        return after.format(column, since(days), last)

    firsts = {
        "sent": "first_sent_at", "delivered": "first_delivered_at", "opened": "first_opened_at",
        "clicked": "first_clicked_at", "bounced": "first_bounced_at",
    }  # fmt: skip
    own = f"workspace_id = (SELECT id FROM workspaces WHERE slug = '{slug}')"
    return [
        Asked(
            "KPI strip, 30 days and the 30 before",
            question(
                [f"emails_{what}" for what in firsts] + ["open_rate", "click_rate"], since(30), last, compare="previous"
            ),
            "SELECT "
            + ", ".join(
                f"COUNT(*) FILTER (WHERE {at(column, 30)}) AS {what},"
                f" COUNT(*) FILTER (WHERE {column} >= '{since(60)}' AND {column} < '{since(30)}') AS {what}_before"
                for what, column in firsts.items()
            )
            + f" FROM email_sends WHERE sends_month >= '{since(120).replace(day=1)}'",
            "SELECT day >= '"
            + str(since(30))
            + "' AS is_now, "
            + ", ".join(f"SUM(emails_{what})" for what in firsts)
            + f" FROM email_days WHERE day {d60} GROUP BY 1",
        ),
        Asked(
            "daily series of five kinds, 90 days",
            question([f"emails_{what}" for what in firsts], since(90), last, by="day"),
            " UNION ALL ".join(
                f"SELECT '{what}', CAST({column} AS date), COUNT(*) FROM email_sends WHERE {at(column, 90)} GROUP BY 2"
                for what, column in firsts.items()
            ),
            "SELECT day, "
            + ", ".join(f"SUM(emails_{what})" for what in firsts)
            + f" FROM email_days WHERE day {d90} GROUP BY day",
        ),
        Asked(
            "20 campaigns with the best open rate, 90 days",
            question(["open_rate", "emails_delivered"], since(90), last, by="campaign", order="-open_rate", limit=20),
            f"""SELECT c.name, COUNT(*) FILTER (WHERE {at("s.first_opened_at", 90)})::numeric
                / NULLIF(COUNT(*) FILTER (WHERE {at("s.first_delivered_at", 90)}), 0) AS rate
            FROM email_sends AS s JOIN campaigns AS c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
            GROUP BY c.id, c.name ORDER BY rate DESC NULLS LAST LIMIT 20""",
            f"""SELECT campaign_code, SUM(emails_opened) / NULLIF(SUM(emails_delivered), 0) AS rate
            FROM email_days WHERE day {d90} GROUP BY 1 ORDER BY 2 DESC NULLS LAST LIMIT 20""",
        ),
        Asked(
            "people who opened in 90 days, one workspace",
            question("unique_openers", since(90), last, where={"workspace": slug}),
            f"SELECT COUNT(DISTINCT contact_id) FROM email_events WHERE {own} AND event_type = 'opened'"
            f" AND {at('occurred_at', 90)}",
            f"SELECT COUNT(DISTINCT contact_code) FROM email_contact_days WHERE workspace_code = {code}"
            f" AND opened_events > 0 AND day {d90}",
        ),
        Asked(
            "AI cost per workspace and month, a year",
            question("ai_cost", since(365), last, by=("workspace", "month")),
            f"SELECT workspace_id, date_trunc('month', created_at), SUM(cost) FROM ai_generations"
            f" WHERE {at('created_at', 365)} GROUP BY 1, 2",
            f"SELECT workspace_code, date_trunc('month', day), SUM(ai_cost) FROM ai_days"
            f" WHERE day {span.format(since(365))} GROUP BY 1, 2",
        ),
        Asked(
            "p95 of generation time per model and day, 30 days",
            question("generation_time_p95", since(30), last, by=("model", "day")),
            "SELECT model, CAST(created_at AS date), percentile_cont(0.95) WITHIN GROUP (ORDER BY generation_time_ms)"
            f" FROM ai_generations WHERE {at('created_at', 30)} GROUP BY 1, 2",
            f"""SELECT model, day, MIN(latency_bucket) FILTER (WHERE upto >= 0.95 * whole) FROM (
                SELECT model, day, latency_bucket, SUM(SUM(timed_generations)) OVER (
                    PARTITION BY model, day ORDER BY latency_bucket) AS upto,
                SUM(SUM(timed_generations)) OVER (PARTITION BY model, day) AS whole
                FROM ai_latency WHERE day {d30} GROUP BY 1, 2, 3) AS b GROUP BY 1, 2""",
        ),
        Asked(
            "opens of what was sent, by weekday and hour, 90 days",
            question(["emails_sent", "sent_then_opened"], since(90), last, by=("weekday", "hour")),
            f"""SELECT EXTRACT(ISODOW FROM first_sent_at), EXTRACT(HOUR FROM first_sent_at), COUNT(*),
                COUNT(first_opened_at) FROM email_sends WHERE {at("first_sent_at", 90)} GROUP BY 1, 2""",
            f"""SELECT EXTRACT(ISODOW FROM day), hour, SUM(emails_sent), SUM(sent_then_opened) FROM email_hours
            WHERE day {d90} GROUP BY 1, 2""",
        ),
        Asked(
            "20 most clicked links, 90 days",
            question("total_clicks", since(90), last, by="link", order="-total_clicks", limit=20),
            f"SELECT link_url, COUNT(*) FROM email_events WHERE event_type = 'clicked' AND {at('occurred_at', 90)}"
            " GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
            f"SELECT link_url, SUM(clicked_events) FROM email_links WHERE day {d90} GROUP BY 1"
            " ORDER BY 2 DESC LIMIT 20",
        ),
        Asked(
            "complaints and bounces per receiving domain, 90 days",
            question(["complaint_rate", "bounce_rate", "emails_delivered"], since(90), last, by="domain"),
            f"""SELECT p.email_domain, COUNT(*) FILTER (WHERE {at("s.first_complained_at", 90)}),
                COUNT(*) FILTER (WHERE {at("s.first_bounced_at", 90)}),
                COUNT(*) FILTER (WHERE {at("s.first_delivered_at", 90)})
            FROM email_sends AS s JOIN contacts AS p ON p.workspace_id = s.workspace_id AND p.id = s.contact_id
            WHERE s.sends_month >= '{since(150).replace(day=1)}' GROUP BY 1""",
            f"""SELECT email_domain, SUM(emails_complained), SUM(emails_bounced), SUM(emails_delivered)
            FROM email_domain_days WHERE day {d90} GROUP BY 1""",
        ),
        Asked(
            "spend and ROAS of 20 ad campaigns, 30 days",
            question(["spend", "roas"], since(30), last, by=("campaign", "currency"), order="-spend", limit=20),
            f"""SELECT campaign_id, currency, SUM(spend), SUM(revenue) / NULLIF(SUM(spend), 0)
            FROM performance_analytics WHERE breakdown = 'none' AND date {d30}
            GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20""",
            f"""SELECT campaign_code, currency, SUM(spend), SUM(ad_revenue) / NULLIF(SUM(spend), 0) FROM ad_days
            WHERE breakdown = 'none' AND day {d30} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20""",
        ),
        Asked(
            "conversions and their value per source, 90 days",
            question(["conversions", "conversion_value"], since(90), last, by=("source", "currency")),
            f"SELECT source, currency, COUNT(*), SUM(value) FROM conversions WHERE {at('occurred_at', 90)}"
            " GROUP BY 1, 2",
            f"SELECT source, currency, SUM(conversions), SUM(conversion_value) FROM conversion_days WHERE day {d90}"
            " GROUP BY 1, 2",
        ),
        Asked(
            "uses per product and feature, a month, with the month before",
            question("uses", since(30), last, by=("product", "feature"), compare="previous"),
            f"""SELECT product, feature, COUNT(*) FILTER (WHERE logged_at >= '{since(30)}'), COUNT(*)
            FROM usage_logs WHERE {at("logged_at", 60)} GROUP BY 1, 2""",
            f"""SELECT product, feature, SUM(uses) FILTER (WHERE day >= '{since(30)}'), SUM(uses) FROM usage_days
            WHERE day {d60} GROUP BY 1, 2""",
        ),
    ]


def warm_ms(ask: Callable[[], object], rounds: int) -> float:
    """The median of several times, after one that warms everything up."""
    ask()
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


@contextmanager
def views(connection: psycopg.Connection) -> Iterator[float]:
    """Materialized views of the rollups with an index each, and how long it took to make them."""
    connection.execute("DROP SCHEMA IF EXISTS bench CASCADE")
    connection.execute("CREATE SCHEMA bench")
    started = time.perf_counter()
    for name in VIEWS:
        connection.execute(f"CREATE MATERIALIZED VIEW bench.{name} AS {on_postgres(rollups()[name])}")
        connection.execute(f"CREATE INDEX ON bench.{name} (day, workspace_code)")
        connection.execute(f"ANALYZE bench.{name}")
    try:
        yield time.perf_counter() - started
    finally:
        connection.execute("DROP SCHEMA bench CASCADE")


def times(asked: list[Asked], desk: Desk, viewer: Viewer, connection: psycopg.Connection) -> Iterator[tuple]:
    for one in asked:
        connection.execute("SET search_path = public")
        ours = warm_ms(lambda one=one: desk.ask(one.question, viewer), ROUNDS)
        tables = warm_ms(lambda one=one: connection.execute(one.tables).fetchall(), SLOW_ROUNDS)
        connection.execute("SET search_path = bench, public")
        from_views = warm_ms(lambda one=one: connection.execute(one.views).fetchall(), ROUNDS)
        yield one.name, tables, from_views, ours


def table_of(rows: list[tuple], views_seconds: float) -> str:
    lines = ["| question | Postgres | materialized views | Sightline |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {a:,.0f} ms | {b:,.1f} ms | **{c:.1f} ms** |" for name, a, b, c in rows]
    means = [statistics.geometric_mean(column) for column in list(zip(*rows, strict=True))[1:]]
    lines.append(f"| geometric mean | {means[0]:,.0f} ms | {means[1]:,.1f} ms | **{means[2]:.1f} ms** |")
    slowest = max(row[3] for row in rows)
    lines.append(f"\nSightline: {means[0] / means[2]:.0f} times as fast as the tables, {means[1] / means[2]:.1f} times")
    lines.append(
        f"as fast as the views (which took {views_seconds:.0f} s to make); the slowest answer {slowest:.1f} ms."
    )
    return "\n".join(lines)


class Unkept(Desk):
    """A desk that remembers no answer: what is measured is answering."""

    def ask(self, question: Question, viewer: Viewer):
        self._kept = _Nothing()
        return super().ask(question, viewer)


class _Nothing:
    def get(self, _key: object) -> None:
        return None

    def put(self, _key: object, _answer: object) -> None:
        return None


def main() -> None:
    lake = the_lake()
    last = lake.latest().data_through.date()
    with (
        address() as found,
        app_engines(found) as engines,
        psycopg.connect(found.setup_url, autocommit=True) as connection,
    ):
        viewer = Viewer("the benchmark", frozenset({Role.ADMIN}), all_workspaces(engines.pipe))
        slug, code = connection.execute(
            """SELECT w.slug, w.code FROM workspaces AS w JOIN contacts AS p ON p.workspace_id = w.id
            GROUP BY w.id, w.slug, w.code ORDER BY COUNT(*) DESC LIMIT 1"""
        ).fetchone()
        desk = Unkept(lake, currency="USD")
        with views(connection) as views_seconds:
            rows = list(times(the_questions(last, (slug, code)), desk, viewer, connection))
        desk.close()
    sys.stdout.write(table_of(rows, views_seconds) + "\n")


if __name__ == "__main__":
    main()
