"""Whether a refresh grows with history: 50,000 events more on two million, and on the data of SIGHTLINE_HOME.

Run it with `python -m tests.bench.growth` on a home with `sightline demo --size large` and a lake. It makes another
home of two million events in a temporary folder, and lets both bring in the same number of events in turn.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from app.cli.shared import address
from app.cli.start import demo
from app.lake.place import the_place
from app.lake.refresh import Refresher
from db.demo.shape import SCALES, Scale, Size
from tests.bench.refreshes import BATCH, EVENTS, LATELY, OPENED

ROUNDS = 7
TWO_MILLION = Scale(2_000_000, 100_000, 800, 150_000, 200, 200_000, 200_000, 150, 600)


def fill() -> None:
    """Two million e-mail events and what belongs to them, in a home that is empty."""
    SCALES[Size.MEDIUM] = TWO_MILLION
    demo(Size.MEDIUM, seed=1, today=None)
    with address() as found:
        Refresher(the_place(found)).refresh()


def serve() -> None:
    """Bring in a round of events whenever a line comes, and answer with the seconds that the refresh took."""
    with address() as found, psycopg.connect(found.setup_url, autocommit=True) as connection:
        (events,) = connection.execute("SELECT count(*) FROM email_events").fetchone()
        connection.execute(LATELY, (EVENTS,))
        refresher = Refresher(the_place(found))
        refresher.refresh()
        sys.stdout.write(f"{events}\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            for start in range(0, EVENTS, BATCH):
                connection.execute(OPENED, (start, start + BATCH))
            connection.execute("CHECKPOINT")
            sys.stdout.write(f"{refresher.refresh().seconds}\n")
            sys.stdout.flush()


def served(home: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.growth", "serve"],
        env={**os.environ, "SIGHTLINE_HOME": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen) -> float:
    return float(process.stdout.readline())


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sightline-growth-") as folder:
        small_home = str(Path(folder) / "home")
        subprocess.run(
            [sys.executable, "-m", "tests.bench.growth", "fill"],
            env={**os.environ, "SIGHTLINE_HOME": small_home},
            check=True,
        )
        homes = [served(small_home), served(os.environ["SIGHTLINE_HOME"])]
        events = [told(home) for home in homes]
        taken: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for home, seconds in zip(homes, taken, strict=True):
                home.stdin.write("go\n")
                home.stdin.flush()
                seconds.append(told(home))
        for home in homes:
            home.stdin.close()
            home.wait()
    few, many = (statistics.median(seconds) for seconds in taken)
    sys.stdout.write(
        f"{EVENTS:,} events more (median of {ROUNDS}): {few:.2f} s at {events[0]:,.0f} events, {many:.2f} s at"
        f" {events[1]:,.0f}: {many / few:.2f} times as long.\n"
    )


if __name__ == "__main__":
    {"fill": fill, "serve": serve}.get(sys.argv[-1], main)()
