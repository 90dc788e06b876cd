"""Demo data that looks like a business: thirteen months of fifty customers, the same for the same seed and day."""

import json
from collections.abc import Callable
from datetime import date

from sqlalchemy import Engine

from db.demo.build import ACTOR, Build, put_in
from db.demo.load import STAGING, Session, Staging, session
from db.demo.seasons import DAY, Season
from db.demo.shape import SCALES, DemoSummary, Progress, Size
from db.errors import SightlineError
from db.vault import Place

__all__ = ["DemoSummary", "Progress", "Size", "load_demo"]

WHY = "The demo was loaded."
# What a provider may deliver again is what it delivered lately.
# Providers try again for three days; what is older is not delivered a second time.
_REMEMBERED_DAYS = 7
_LOCK = 7_316_205_121
_START_OVER = "To start over, use an empty database: another SIGHTLINE_HOME, or another DATABASE_URL."
# Where any of these has rows, somebody works with this database.
_TAKEN = {
    "customers' workspaces": "SELECT 1 FROM workspaces WHERE kind = 'customer' LIMIT 1",
    "customers": "SELECT 1 FROM users LIMIT 1",
    "plans": "SELECT 1 FROM plans LIMIT 1",
    "a price book": "SELECT 1 FROM ai_prices LIMIT 1",
    "exchange rates": "SELECT 1 FROM fx_rates LIMIT 1",
}


def load_demo(
    setup: Engine,
    *,
    size: Size,
    seed: int,
    today: date,
    seal: Callable[[Place, str], str],
    digest: Callable[[str], bytes],
    progress: Progress,
) -> DemoSummary:
    """Fill an empty, migrated database; where this demo is in already, say so and change nothing."""
    with session(setup) as connection:
        _be_alone(connection)
        if (loaded := _loaded(connection)) is not None:
            return _same(loaded, size, seed)
        _refuse_real_data(connection)
        connection.commit()
        season = Season(today)
        staging = Staging(setup, (season.live_from - _REMEMBERED_DAYS * DAY) // 1_000_000)
        staging.begin(connection)
        # From here on a reader that goes by transaction numbers waits for this one.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute("SELECT pg_current_xact_id()")
        connection.execute("SELECT set_config('app.actor', %s, true), set_config('app.reason', %s, true)", (ACTOR, WHY))
        build = Build(seed, season, SCALES[size], seal, digest)
        made = build.write_history(staging, progress)
        put_in(connection, build, staging, made, progress)
        _mark(connection, size, seed, today)
        connection.execute(f"DROP SCHEMA {STAGING} CASCADE")
        connection.commit()
    return DemoSummary(size, seed, today, already_loaded=False, rows=dict(sorted(staging.rows.items())))


def _be_alone(connection: Session) -> None:
    # The lock belongs to the connection and ends with it, also when the process is killed.
    if connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() != (True,):
        raise SightlineError(
            "Demo data is being loaded already.",
            why="Another process works on this database.",
            fix="Wait until it is done.",
        )


def _loaded(connection: Session) -> dict[str, str] | None:
    row = connection.execute("SELECT value FROM settings WHERE key = 'demo'").fetchone()
    return row[0] if row and isinstance(row[0], dict) else None


def _same(loaded: dict[str, str], size: Size, seed: int) -> DemoSummary:
    """What is there, if it is what was asked for. Its today may be an earlier one: a demo does not age by the day."""
    there = DemoSummary(Size(loaded["size"]), int(loaded["seed"]), date.fromisoformat(loaded["today"]), True)
    if (there.size, there.seed) != (size, seed):
        raise SightlineError(
            f"This database holds the {there.size} demo of seed {there.seed} already.",
            why=f"The {size} demo of seed {seed} can't be put on top of it.",
            fix=_START_OVER,
        )
    return there


def _refuse_real_data(connection: Session) -> None:
    for what, question in _TAKEN.items():
        if connection.execute(question.encode()).fetchone():
            raise SightlineError(
                f"No demo data was loaded: this database holds {what}.",
                why="Demo data is never mixed with real data.",
                fix=_START_OVER,
            )


def _mark(connection: Session, size: Size, seed: int, today: date) -> None:
    marker = {"size": size, "seed": seed, "today": today.isoformat()}
    connection.execute(
        """
        INSERT INTO settings (key, value, description)
        VALUES ('demo', CAST(%s AS jsonb) || jsonb_build_object('finished_at', clock_timestamp()), %s)
        """,
        (json.dumps(marker), "Which demo data this database holds."),
    )
