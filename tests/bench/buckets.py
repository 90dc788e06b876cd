"""What a lake in a bucket costs: a look, a push after 50 events, and what a fresh machine brings.

Run it on the data of SIGHTLINE_HOME with SIGHTLINE_LAKE naming an empty bucket, `python -m tests.bench.buckets`: it
fills the bucket, and adds 50 opened e-mails to the database for each of five rounds.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg

from app.cli.shared import address
from app.lake.bucket import Bucket
from app.lake.mirror import Mirror
from app.lake.place import the_place
from app.lake.refresh import Refresher
from app.settings import settings
from tests.bench.refreshes import LATELY, OPENED

EVENTS, ROUNDS, LOOKS = 50, 5, 100


class TimedMirror(Mirror):
    """Knows how long its last push took."""

    pushed = 0.0

    def confirm(self, number: int, complete_through: datetime) -> None:
        self.pushed = taken(lambda: super(TimedMirror, self).confirm(number, complete_through))


def taken(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def size(folder: Path) -> tuple[int, float]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return len(files), sum(file.stat().st_size for file in files) / 1e6


def main() -> None:
    bucket = Bucket(settings().lake_bucket.get_secret_value())
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder, address() as found:
        writing, reading, fresh = (TimedMirror(Path(folder) / name, bucket) for name in ("writing", "reading", "fresh"))
        with psycopg.connect(found.setup_url, autocommit=True) as connection:
            connection.execute(LATELY, (EVENTS * ROUNDS,))
            refresher = Refresher(replace(the_place(found), lake=writing))
            first = refresher.refresh().seconds
            first_push = writing.pushed
            first_look = taken(reading.look)
            read_files, read_megabytes = size(reading.folder)
            refreshes, pushes, fetches = [], [], []
            for number in range(ROUNDS):
                connection.execute(OPENED, (number * EVENTS, (number + 1) * EVENTS))
                refreshes.append(refresher.refresh().seconds)
                pushes.append(writing.pushed)
                fetches.append(taken(reading.look))
        looks = [taken(reading.look) for _ in range(LOOKS)]
        whole = taken(fresh.catch_up)
        files, megabytes = size(fresh.folder)
    sys.stdout.write(
        f"""| what | measured |
| --- | --- |
| a look at the pointer without news (median of {LOOKS}) | {statistics.median(looks) * 1000:.1f} ms |
| first refresh, of it the push | {first:.1f} s, {first_push:.1f} s |
| a refresh after {EVENTS} events, of it the push (medians of {ROUNDS}) | {statistics.median(refreshes):.2f} s, \
{statistics.median(pushes):.2f} s |
| first fetch of a machine that reads ({read_files} files, {read_megabytes:.1f} MB) | {first_look:.1f} s |
| fetch after {EVENTS} events (median of {ROUNDS}) | {statistics.median(fetches):.2f} s |
| a fresh machine that writes ({files} files, {megabytes:.1f} MB) | {whole:.1f} s |
"""
    )


if __name__ == "__main__":
    main()
