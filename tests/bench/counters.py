"""Measures what counting e-mail events costs: no trigger, ours and the documents', side by side on one server.

Run it with `python -m tests.bench.counters`, or with a number of events: `python -m tests.bench.counters 20000`.
"""

import os
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import psycopg
from sqlalchemy import text

from db.engine import run_script
from tests import oracles
from tests.servers import Database, new_database, server_of_a_program

EVENTS = 200_000
BATCH = 1_000
CONNECTIONS = 4
# The document's trigger spends its time in deadlocks: these few take it longer than all of them take ours.
DOCUMENT_EVENTS = 4_000
RECOUNT = (Path(oracles.__file__).parent / "email_counters.sql").read_text(encoding="utf-8")
DOCUMENT_TRIGGER = (Path(__file__).parent / "document_trigger.sql").read_text(encoding="utf-8")
WITHOUT_OURS = "ALTER TABLE email_events DISABLE TRIGGER count_email_events;"
COPY = """
    COPY email_events (workspace_id, campaign_id, contact_id, event_type, provider, provider_event_key,
        provider_message_id, occurred_at, link_url)
    FROM STDIN
"""
AUDIENCE = """
    INSERT INTO workspaces (name, slug) SELECT 'w' || n, 'w' || n FROM generate_series(1, 10) AS n;
    INSERT INTO contacts (workspace_id, email)
        SELECT w.id, 'c' || n || '@contacts.example' FROM workspaces AS w, generate_series(1, 2000) AS n
        WHERE w.kind = 'customer';
    INSERT INTO campaigns (workspace_id, product, channel, name)
        SELECT w.id, 'mailer', 'email', 'c' || n FROM workspaces AS w, generate_series(1, 20) AS n
        WHERE w.kind = 'customer';
    INSERT INTO email_campaigns (workspace_id, campaign_id) SELECT workspace_id, id FROM campaigns;
    SELECT make_partitions_between(current_date - 60, current_date + 30);
    ANALYZE;
"""
DIFFERENT = f"""
    SELECT COUNT(*)
    FROM email_campaigns AS kept
    LEFT JOIN ({RECOUNT}) AS counted USING (workspace_id, campaign_id)
    WHERE (kept.emails_sent, kept.emails_delivered, kept.emails_opened, kept.emails_clicked, kept.emails_bounced)
        IS DISTINCT FROM (COALESCE(counted.emails_sent, 0), COALESCE(counted.emails_delivered, 0),
            COALESCE(counted.emails_opened, 0), COALESCE(counted.emails_clicked, 0),
            COALESCE(counted.emails_bounced, 0))
"""


@dataclass(frozen=True)
class Result:
    """What one way of counting cost, and whether it counted right."""

    name: str
    events_per_second: float
    deadlocks: int
    wrong_campaigns: int | None


def journeys(campaigns, contacts, events):
    """Events as they come from real sends: sent, delivered, some opened again and clicked; in random order of sends."""
    dice = random.Random(5)
    start = datetime.now(UTC) - timedelta(days=20)
    made = []
    while len(made) < events:
        workspace, campaign = dice.choice(campaigns)
        contact, at = dice.choice(contacts[workspace]), start + timedelta(seconds=dice.random() * 1e6)
        message = f"m{dice.getrandbits(60)}"
        for kind in ("sent", "delivered", "opened", "opened", "clicked")[: dice.choice([2, 2, 3, 4, 5])]:
            at += timedelta(seconds=dice.random() * 1000)
            link = "https://shop.example/a" if kind == "clicked" else None
            key = f"e{dice.getrandbits(80)}"
            made.append((workspace, campaign, contact, kind, "sendgrid", key, message, at, link))
    return made[:events]


def events_for(database: Database, events: int):
    with database.setup.connect() as connection:
        campaigns = connection.execute(
            text("SELECT workspace_id, campaign_id FROM email_campaigns ORDER BY workspace_id, campaign_id")
        ).all()
        contacts = {}
        for workspace, contact in connection.execute(text("SELECT workspace_id, id FROM contacts ORDER BY id")):
            contacts.setdefault(workspace, []).append(contact)
    return journeys(campaigns, contacts, events)


def copy_batches(url: str, rows) -> int:
    """Copy rows in batches, each again until it is in; say how many deadlocks there were."""
    deadlocks = 0
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with psycopg.connect(url) as connection:
        while batches:
            try:
                with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                    for row in batches[-1]:
                        copy.write_row(row)
                connection.commit()
                batches.pop()
            except psycopg.errors.DeadlockDetected:
                connection.rollback()
                deadlocks += 1
    return deadlocks


def measure(server, name: str, trigger: str, events: int) -> Result:
    """One way of counting, in a database of its own, from several processes at once."""
    with new_database(server) as database:
        with database.setup.begin() as connection:
            run_script(connection, AUDIENCE)
            run_script(connection, trigger)
        rows = events_for(database, events)
        parts = [
            rows[number * events // CONNECTIONS : (number + 1) * events // CONNECTIONS] for number in range(CONNECTIONS)
        ]
        with get_context("spawn").Pool(CONNECTIONS) as pool:
            pool.map(abs, range(CONNECTIONS))
            start = time.perf_counter()
            deadlocks = sum(pool.starmap(copy_batches, [(server.url(database.name), part) for part in parts]))
            seconds = time.perf_counter() - start
        with database.setup.connect() as connection:
            wrong = connection.scalar(text(DIFFERENT))
        return Result(name, events / seconds, deadlocks, wrong)


def row_of(result: Result, without: Result) -> str:
    right = "-" if result is without else "yes" if not result.wrong_campaigns else f"{result.wrong_campaigns} wrong"
    share = f"{result.events_per_second / without.events_per_second:.1%}"
    return f"{result.name:<38} {result.events_per_second:>9,.0f} {share:>8} {result.deadlocks:>9}  {right}"


def table_of(results: list[Result], events: int, version: str) -> str:
    """What a person reads: where it ran, and a line per way of counting."""
    return "\n".join(
        [
            f"{events:,} events in batches of {BATCH:,} from {CONNECTIONS} connections, {os.cpu_count()} cores.",
            f"Throw-away {version} with fsync=off: what is measured is the counting, not the wait for a disk.",
            f"The document's trigger got {DOCUMENT_EVENTS:,} of the events: more would take it minutes.",
            f"{'':<38} {'events/s':>9} {'ratio':>8} {'deadlocks':>9}  counters equal a recount",
            *(row_of(result, results[0]) for result in results),
        ]
    )


def main(events: int = EVENTS) -> None:
    with server_of_a_program() as (server, _):
        none = measure(server, "no trigger", WITHOUT_OURS, events)
        ours = measure(server, "our statement trigger", "", events)
        theirs = measure(server, "the document's row trigger", WITHOUT_OURS + DOCUMENT_TRIGGER, DOCUMENT_EVENTS)
        with server.engine("postgres").connect() as connection:
            version = connection.scalar(text("SELECT 'Postgres ' || current_setting('server_version')"))
    sys.stdout.write(table_of([none, ours, theirs], events, version) + "\n")


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:2]))
