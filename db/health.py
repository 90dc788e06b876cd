"""Looks at a database the way a careful administrator would, and says what is wrong and what to do."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, text

MONTHS_AHEAD = 2
CLOCK_SECONDS = 5
LOCK_SECONDS = 5
HORIZON_SECONDS = 60
FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    is_well: bool
    says: str
    fix: str = ""


def server_version(connection: Connection, oldest: int) -> Finding:
    version = str(connection.scalar(text("SHOW server_version")))
    return Finding(
        "server",
        int(version.split(".", maxsplit=1)[0]) >= oldest,
        f"Postgres {version}.",
        f"Move to Postgres {oldest} or newer.",
    )


def migrations(revision: str | None, newest: str | None) -> Finding:
    return Finding(
        "migrations",
        revision == newest,
        f"The database is at {revision or 'no revision'}, this version of Sightline at {newest}.",
        "Run `sightline migrate`.",
    )


def partitions_ahead(connection: Connection, today: date | None = None) -> Finding:
    """Red while there is still time: two months ahead must be there, three are made."""
    first = (today or datetime.now(UTC).date()).replace(day=1)
    needed = [_months_later(first, months) for months in range(MONTHS_AHEAD + 1)]
    rows = connection.execute(
        text(
            """
            SELECT f.fact::text, m.month
            FROM monthly_facts() AS f
            CROSS JOIN unnest(CAST(:needed AS date[])) AS m(month)
            LEFT JOIN fact_partitions() AS p ON p.fact = f.fact AND p.month = m.month
            WHERE p.partition IS NULL
            ORDER BY 2, 1
            """
        ),
        {"needed": needed},
    ).all()
    if not rows:
        return Finding("partitions", True, f"Every fact has its months until {needed[-1]:%B %Y}.")
    listed = ", ".join(f"{fact} for {month:%B %Y}" for fact, month in rows[:5])
    return Finding(
        "partitions",
        False,
        f"{len(rows)} monthly partitions are missing: {listed}.",
        "Run `sightline migrate`; if it says that a lock was in the way, end the session that it names.",
    )


def disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding(
        "disk",
        free >= FREE_BYTES,
        f"{free / 1024**3:.1f} GB are free where {folder} lies.",
        "Free some space: Postgres stops when the disk is full.",
    )


def clock(connection: Connection) -> Finding:
    theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs((theirs - datetime.now(UTC)).total_seconds())
    return Finding(
        "clock",
        apart <= CLOCK_SECONDS,
        f"The clocks of this machine and of the server are {apart:.1f} seconds apart.",
        "Set both by NTP: days and periods would be cut at the wrong moment.",
    )


def lock_holders(connection: Connection) -> Finding:
    """Sessions that others have waited for."""
    if blind := _blind(connection, "locks"):
        return blind
    rows = connection.execute(
        text(
            """
            SELECT DISTINCT holder.pid, holder.usename, holder.state, left(holder.query, 60) AS query
            FROM pg_stat_activity AS waiting
            CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)
            JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
            WHERE waiting.wait_event_type = 'Lock'
                AND clock_timestamp() - waiting.query_start > make_interval(secs => :seconds)
            """
        ),
        {"seconds": LOCK_SECONDS},
    ).all()
    return Finding(
        "locks",
        not rows,
        "Nobody waits for a lock." if not rows else f"Others wait for {_sessions(rows)}.",
        "End it if it is forgotten: SELECT pg_terminate_backend(pid).",
    )


def horizon(connection: Connection, seconds: float = HORIZON_SECONDS) -> Finding:
    """An open writer holds back the horizon below which the lake may read: its data waits, and everyone's with it."""
    if blind := _blind(connection, "horizon"):
        return blind
    rows = connection.execute(
        text(
            """
            SELECT pid, usename, state, left(query, 60) AS query
            FROM pg_stat_activity
            WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
                AND clock_timestamp() - xact_start > make_interval(secs => :seconds)
            UNION ALL
            SELECT 0, owner::text, 'prepared', gid
            FROM pg_prepared_xacts
            WHERE clock_timestamp() - prepared > make_interval(secs => :seconds)
            """
        ),
        {"seconds": seconds},
    ).all()
    return Finding(
        "horizon",
        not rows,
        "No writer has been open for long." if not rows else f"New data waits for {_sessions(rows)}.",
        "Commit, roll back or end it; no data is lost.",
    )


def _blind(connection: Connection, subject: str) -> Finding | None:
    """Postgres shows an ordinary role only its own sessions: seeing nothing would not mean that nothing is there."""
    if connection.scalar(text("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')")):
        return None
    role = connection.scalar(text("SELECT current_user"))
    return Finding(
        subject,
        False,
        f"The role {role} can't see other sessions, so nothing is known of them.",
        f"As a superuser: GRANT pg_read_all_stats TO {role}.",
    )


def _sessions(rows: Sequence[tuple[int, str, str, str]]) -> str:
    return ", ".join(f"pid {pid} ({user}, {state}: {query})" for pid, user, state, query in rows[:5])


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return first.replace(year=first.year + years, month=month + 1)
