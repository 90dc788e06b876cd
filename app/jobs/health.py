"""Jobs that look after the data: what `sightline doctor` says, rollups beside Postgres, and rows that came late."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from app.health import findings
from app.jobs.catalogue import Handle, JobType, Outcome, Outside
from app.jobs.schedules import Daily, Every
from app.lake.compared import Apart, apart
from app.lake.lake import Lake
from app.lake.refresh import Refresher
from app.redaction import without_secrets
from app.rollups import Rollup, rollups
from app.settings import settings
from db.errors import SightlineError

LOOK, COMPARE, LATE = "look_at_health", "compare_rollups", "count_late_rows"
LOOK_EVERY_SECONDS = 300
USUAL_DAYS = 28
LATE_DAYS = 30
_LONGEST_DAYS = 1000
_TOLD = 5
_SLOW_SECONDS = 1
_MOST_SLOW = 10
_LONGEST_QUERY = 300
_STATEMENT_SECONDS = 1800
# Facts that say when something happened and, apart from it, when that came in.
_ARRIVING = ("email_events", "campaign_events", "conversions")

# Longer than this, what happened was told in no figure of its day when people looked at it the next morning.
_LATE_ROWS = """
    SELECT CAST(created_at AT TIME ZONE :zone AS DATE) AS day, COUNT(*) AS rows,
        MAX(created_at - occurred_at) AS longest
    FROM {fact}
    WHERE created_at >= :since AND occurred_at < created_at - interval '1 day'
    GROUP BY 1
    ORDER BY 1
"""
_RUNNING = text("""
    SELECT pid, usename AS who, state, left(query, :longest) AS query,
        CAST(EXTRACT(EPOCH FROM clock_timestamp() - query_start) AS DOUBLE PRECISION) AS seconds
    FROM pg_stat_activity
    WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND clock_timestamp() - query_start > make_interval(secs => :slow)
    ORDER BY query_start
    LIMIT :most
""")
_HAS_STATEMENTS = text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')")
_STATEMENTS = text("""
    SELECT left(query, :longest) AS query, calls, mean_exec_time / 1000 AS mean_seconds,
        max_exec_time / 1000 AS longest_seconds, total_exec_time / 1000 AS total_seconds
    FROM pg_stat_statements
    ORDER BY total_exec_time DESC
    LIMIT :most
""")


class RollupsDifferError(SightlineError):
    """A rollup does not say what the tables say."""


def health_jobs(
    zone: str, refresher: Callable[[], Refresher], setup: Callable[[], AbstractContextManager[Engine]]
) -> tuple[JobType, ...]:
    """Each can be left alone: what it found is read from its row later."""

    def look(_handle: Handle) -> Outcome:
        return _look(setup, refresher().lake)

    def compare(handle: Handle) -> Outcome:
        return _compare(handle, refresher())

    return (
        JobType(
            LOOK,
            "Looks at the installation as `sightline doctor` does, at slow queries, and at the size of everything.",
            Outside(look),
            Every(LOOK_EVERY_SECONDS),
            max_attempts=1,
        ),
        JobType(
            COMPARE,
            "Compares every rollup of the last weeks with Postgres, and fails when they differ.",
            Outside(compare),
            Daily(time(4, 30), zone),
            max_attempts=1,
            lease_seconds=300,
        ),
        JobType(
            LATE,
            "Counts the rows that came in more than a day after what they tell of happened.",
            Outside(_count_late),
            Daily(time(5, 15), zone),
            lease_seconds=300,
        ),
    )


def _look(setup: Callable[[], AbstractContextManager[Engine]], lake: Lake) -> dict[str, Any]:
    """As the set-up role, which sees the sessions of others. Queries may hold what people typed: no secret stays."""
    with setup() as engine:
        found = [{**asdict(one), "says": without_secrets(one.says)} for one in findings(engine)]
        with engine.connect() as connection:
            asked = {"longest": _LONGEST_QUERY, "slow": _SLOW_SECONDS, "most": _MOST_SLOW}
            slow = [_clean(row) for row in connection.execute(_RUNNING, asked).mappings()]
            statements = _statements(connection)
            size = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return {
        "findings": found, "slow": slow, "statements": statements, "database_bytes": size, "lake": _lake_size(lake),
    }  # fmt: skip


def _statements(connection: Connection) -> list[dict[str, Any]] | None:
    """The dearest queries so far, where the server counts them; None: it does not."""
    if not connection.scalar(_HAS_STATEMENTS):
        return None
    asked = {"longest": _LONGEST_QUERY, "most": _MOST_SLOW}
    return [_clean(row) for row in connection.execute(_STATEMENTS, asked).mappings()]


def _clean(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): without_secrets(value) if isinstance(value, str) else _plain(value) for key, value in row.items()}


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int) else float(str(value))


def _lake_size(lake: Lake) -> dict[str, Any]:
    numbers = lake.numbers()
    files = [lake.folder / name for name in lake.data()]
    sizes = [file.stat().st_size for file in files if file.exists()]
    return {
        "bytes": sum(sizes),
        "files": len(sizes),
        "versions": len(numbers),
        "pinned": len(numbers) - len(lake.unpinned()),
        "newest": max(numbers, default=0),
        "oldest": min(numbers, default=0),
    }


def _compare(handle: Handle, refresher: Refresher) -> Outcome:
    """What was written since the last refresh is no difference: what seems to differ is refreshed and asked again."""
    chosen, since, until = _asked(handle.job.payload)
    told: dict[str, Any] = {}
    wrong: list[str] = []
    refresher.refresh()
    for rollup in chosen:
        handle.go_on()
        compared, found, version = _twice(handle, refresher, rollup, since, until)
        told[rollup.name] = {"compared": compared, "apart": len(found), "version": version}
        wrong += [f"{rollup.name}, {one}" for one in found[:_TOLD]]
    if wrong:
        names = ", ".join(name for name, one in told.items() if one["apart"])
        raise RollupsDifferError(
            f"Rollups differ from Postgres from {since} up to {until}: {names}.",
            why=" ".join(wrong[:_TOLD]),
            fix="`sightline refresh --rebuild` makes the lake anew from the database; until then, old answers stay.",
        )
    return {"since": str(since), "until": str(until), "rollups": told}


def _twice(
    handle: Handle, refresher: Refresher, rollup: Rollup, since: date, until: date
) -> tuple[int, list[Apart], int]:
    for is_last in (False, True):
        version = refresher.lake.latest()
        with handle.engines.pipe.connect() as connection:
            connection.execute(
                text("SELECT set_config('statement_timeout', :longest, true)"), {"longest": f"{_STATEMENT_SECONDS}s"}
            )
            compared, found = apart(connection, version, rollup, since, until)
        if not found or is_last:
            break
        refresher.refresh()
    return compared, found, version.number


def _asked(payload: Mapping[str, Any]) -> tuple[Sequence[Rollup], date, date]:
    """Of all rollups and the last weeks, unless the job says otherwise; the day that runs is left out."""
    today = datetime.now(ZoneInfo(settings().zone)).date()
    until = _day(payload, "until", today)
    since = _day(payload, "since", until - timedelta(days=USUAL_DAYS))
    if not since < until <= since + timedelta(days=_LONGEST_DAYS):
        raise SightlineError(f"From {since} up to {until} is no period to compare.", fix="Give earlier and later days.")
    name = payload.get("rollup")
    if name is not None and name not in rollups():
        raise SightlineError(f"No rollup is named {name!r}.", fix=f"There are {', '.join(rollups())}.")
    return ([rollups()[name]] if name else list(rollups().values())), since, until


def _day(payload: Mapping[str, Any], name: str, usual: date) -> date:
    given = payload.get(name)
    try:
        return date.fromisoformat(str(given)) if given is not None else usual
    except ValueError:
        raise SightlineError(f"{given!r} is no day.", fix="Give days such as 2026-10-31.") from None


def _count_late(handle: Handle) -> Outcome:
    zone = ZoneInfo(settings().zone)
    today = datetime.now(zone).date()
    since = datetime.combine(today - timedelta(days=LATE_DAYS), time(), zone)
    days: dict[str, dict[str, int]] = defaultdict(dict)
    longest = timedelta()
    for fact in _ARRIVING:
        handle.go_on()
        with handle.engines.pipe.connect() as connection:
            question = text(_LATE_ROWS.format(fact=fact))
            for row in connection.execute(question, {"zone": zone.key, "since": since}):
                days[str(row.day)][fact] = row.rows
                longest = max(longest, row.longest)
    return {"since": str(since.date()), "days": dict(sorted(days.items())), "longest_days": longest.days}
