"""What a refresh costs: the first load, 50,000 events more, a rebuild, the room that a lake takes, and the memory.

Run it on the data of SIGHTLINE_HOME with `python -m tests.bench.refreshes`: it fills a lake of its own in a temporary
folder, and adds 50,000 opened e-mails to the database for each of three rounds.
"""

import resource
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import psycopg

from app.cli.shared import address
from app.lake.lake import Lake
from app.lake.place import the_place
from app.lake.refresh import Place, Refresher

EVENTS = 50_000
ROUNDS = 3
BATCH = 1_000
# Opens of the last days, by contacts to whom something was sent lately, in batches as providers deliver them.
LATELY = """
    CREATE TEMP TABLE lately AS
    SELECT workspace_id, campaign_id, contact_id, row_number() OVER () AS number
    FROM (
        SELECT workspace_id, campaign_id, contact_id FROM email_sends
        WHERE sends_month >= date_trunc('month', now() - interval '40 days')
        LIMIT %s
    ) AS sends
"""
OPENED = """
    INSERT INTO email_events (workspace_id, campaign_id, contact_id, event_type, provider, provider_event_key,
        occurred_at)
    SELECT workspace_id, campaign_id, contact_id, 'opened', 'ses', md5(random()::text),
        now() - random() * interval '2 days'
    FROM lately WHERE number > %s AND number <= %s
"""
SIZES = """
    SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
"""
ROWS = "SELECT sum(greatest(reltuples, 0))::bigint FROM pg_class WHERE relkind = 'r' AND relname LIKE ANY (%s)"
FACTS = [
    "email\\_%",
    "campaign\\_events%",
    "conversions%",
    "performance%",
    "ai\\_%",
    "usage%",
    "user\\_usage%",
    "contacts",
]


def refreshed(place: Place, results) -> None:
    """A refresh in a process of its own: how long it took, and the most memory that it held."""
    outcome = Refresher(place).refresh()
    results.put((outcome.seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def in_own_process(place: Place) -> tuple[float, float]:
    spawned = get_context("spawn")
    results = spawned.Queue()
    process = spawned.Process(target=refreshed, args=(place, results))
    process.start()
    seconds, megabytes = results.get()
    process.join()
    return seconds, megabytes


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder, address() as found:
        place = replace(the_place(found), lake=Lake(Path(folder)))
        with psycopg.connect(found.setup_url, autocommit=True) as connection:
            connection.execute("ANALYZE")
            connection.execute(LATELY, (EVENTS,))
            (rows,) = connection.execute(ROWS, (FACTS,)).fetchone()
            (events,) = connection.execute("SELECT count(*) FROM email_events").fetchone()
            (postgres_bytes,) = connection.execute(SIZES).fetchone()
            first, first_megabytes = in_own_process(place)
            lake_bytes = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
            refresher = Refresher(place)
            refresher.refresh()
            taken = []
            for _ in range(ROUNDS):
                for start in range(0, EVENTS, BATCH):
                    connection.execute(OPENED, (start, start + BATCH))
                started = time.perf_counter()
                refresher.refresh()
                taken.append(time.perf_counter() - started)
            idle = min(refresher.refresh().seconds for _ in range(5))
            folding = time.perf_counter()
            refresher.tidy()
            folding = time.perf_counter() - folding
            place.lake.begin_generation()
            rebuild, rebuild_megabytes = in_own_process(place)
    sys.stdout.write(
        f"""| what | measured |
| --- | --- |
| e-mail events, rows copied | {events:,}, {rows:,} |
| first load with all rollups | {first:.1f} s, {rows / first:,.0f} rows/s, {first_megabytes:,.0f} MB of memory |
| {EVENTS:,} events more (median of {ROUNDS}) | {statistics.median(taken):.2f} s |
| a refresh without news | {idle:.3f} s |
| folding what was appended | {folding:.2f} s |
| a rebuild | {rebuild:.1f} s, {rebuild_megabytes:,.0f} MB of memory |
| Postgres, lake | {postgres_bytes / 1e9:.2f} GB, {lake_bytes / 1e9:.2f} GB ({lake_bytes / postgres_bytes:.0%}) |
"""
    )


if __name__ == "__main__":
    main()
