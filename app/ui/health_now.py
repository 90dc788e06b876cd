"""How the installation is: fresh or late, what the doctor found and what to do, how large everything is."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app import serving
from app.commands.company import sees_whole_company
from app.exports.given import given
from app.exports.live import reading
from app.jobs.health import LOOK, LOOK_EVERY_SECONDS
from app.metrics.metric import Unit
from app.records.data_health import Check, checks, partitions
from app.ui import words
from app.ui.done import said
from app.ui.empty import nothing_here
from app.ui.figures import Figure, figures
from app.ui.freshness import Freshness, freshness
from app.ui.health_acts import offer
from app.ui.markup import with_code
from app.ui.notices import warn
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from db.health import MONTHS_AHEAD

# Three looks were missed.
_OLD = timedelta(seconds=3 * LOOK_EVERY_SECONDS)
_SIZES = (("TB", 1024**4), ("GB", 1024**3), ("MB", 1024**2), ("kB", 1024))
WELL, AMISS = "✓ well", "✗ amiss"


def is_for(scope: Scope) -> bool:
    """What tells of every workspace together is for who sees every workspace; others are told so."""
    if sees_whole_company(serving.engines().ro, scope.viewer):
        return True
    nothing_here(
        "This tells of every workspace.",
        fill="It is shown to admins who see all of them.",
    )
    return False


def health_now(scope: Scope) -> None:
    """Freshness is of this moment; what the doctor found is as old as its last look."""
    said()
    fresh = freshness(None)
    look = last_look(scope) if sees_whole_company(serving.engines().ro, scope.viewer) else None
    figures([*_of_freshness(fresh, scope), *(_of_sizes(look) if look else ())])
    if not is_for(scope):
        return
    _say_when_old(look, scope)
    found = look.result.get("findings", []) if look else []
    table(
        [_finding(one) for one in sorted(found, key=lambda one: bool(one["is_well"]))],
        name="findings",
        title="What the doctor says",
        why=f"As `sightline doctor` does, every {LOOK_EVERY_SECONDS // 60} minutes. {_looked(look, scope)}",
        columns={"subject": "Of", "state": "State", "says": "What it says", "fix": "What to do"},
        scope=scope,
        empty=("Nobody has looked yet.", "A worker does so every few minutes; `sightline doctor` does at once."),
    )
    offer(scope, LOOK, "Look now")


def partition_list(scope: Scope) -> None:
    """How many months are ahead, how far back they go, and what they take."""
    if not is_for(scope):
        return
    with reading() as told:
        rows = partitions(serving.engines().ro, scope.viewer)
    short = [one.fact for one in rows if one.ahead < MONTHS_AHEAD]
    if short:
        warn("Months ahead are missing.", f"{', '.join(short)}: fewer than {MONTHS_AHEAD} months are ready. Rows of a"
            " month that is not there are refused. Run `sightline migrate`, or the job make_months.")  # fmt: skip
    table(
        [
            vars(one)
            | {
                "state": WELL if one.ahead >= MONTHS_AHEAD else f"{AMISS}: a month ahead is missing",
                "oldest": f"{one.oldest:%b %Y}",
                "newest": f"{one.newest:%b %Y}",
                "size": size(one.size_bytes),
            }
            for one in rows
        ],
        name="partitions",
        title="Months of facts",
        why="Rows are the planner's estimate; a month is dropped only after the lake holds it.",
        columns={"fact": "Fact", "state": "State", "ahead": Column("Months ahead"), "oldest": "Oldest",
            "newest": "Newest", "months": Column("Months"), "rows": Column("Rows, about", Unit.COUNT),
            "size": "Size with indexes"},
        scope=scope,
        read=told.listed("fact_partitions", given(), rows),
    )  # fmt: skip
    offer(scope, "make_months", "Make months now")


def slow_queries(scope: Scope) -> None:
    """Those that ran at the last look, and the dearest so far where the server counts them."""
    if not is_for(scope):
        return
    said()
    look = last_look(scope)
    table(
        look.result.get("slow", []) if look else [],
        name="slow",
        title="Running for more than a second",
        why=_looked(look, scope),
        columns={"seconds": Column("Seconds"), "who": "Role", "pid": Column("Process"), "query": "Query"},
        scope=scope,
        empty=("No query ran for long at the last look.", "Values are never shown: a query is told as it was written."),
    )
    statements = look.result.get("statements") if look else None
    if statements is None:
        nothing_here(
            "This server does not count its queries.",
            fill="pg_stat_statements is not installed; the embedded server has no such extension. On a server of your"
            " own: add it to shared_preload_libraries, then CREATE EXTENSION pg_stat_statements.",
        )
    else:
        table(
            statements,
            name="statements",
            title="The dearest queries so far",
            why="As pg_stat_statements counts them since it was last reset.",
            columns={"query": "Query", "calls": Column("Calls"), "mean_seconds": Column("Seconds each"),
                "longest_seconds": Column("Longest"), "total_seconds": Column("Together")},
            scope=scope,
            empty=("No query was counted yet.", "pg_stat_statements was reset a moment ago."),
        )  # fmt: skip
    offer(scope, LOOK, "Look now")


def last_look(scope: Scope) -> Check | None:
    """The newest one that came to an end with findings."""
    found = checks(serving.engines().ro, scope.viewer, LOOK, most=5)
    return next((one for one in found if one.is_well), None)


def size(number: int) -> str:
    """As people read it."""
    for unit, least in _SIZES:
        if number >= least:
            return f"{number / least:,.1f} {unit}"
    return f"{number} bytes"


def _of_freshness(fresh: Freshness, scope: Scope) -> list[Figure]:
    if fresh.trouble:
        return [Figure("Figures", "None", fresh.trouble.what, is_amiss=True)]
    late = words.counted(int(fresh.late_by.total_seconds() // 60), "minute")
    is_late = fresh.colour != "green"
    through = fresh.through.astimezone(scope.zone_here)
    loaded = fresh.loaded_at.astimezone(scope.zone_here) if fresh.loaded_at else None
    when = f"{words.day(loaded)}, " if loaded else ""
    return [
        Figure("Data through", f"{through:%H:%M}",
            f"{words.day(through)}, {f'late by {late}' if is_late else 'on time'}", is_amiss=is_late),
        Figure("Loaded", f"{loaded:%H:%M}" if loaded else words.NOTHING, f"{when}version {fresh.version}"),
    ]  # fmt: skip


def _of_sizes(look: Check) -> list[Figure]:
    lake = look.result.get("lake", {})
    return [
        Figure("Database", size(look.result.get("database_bytes", 0)), "on its disk, with indexes"),
        Figure("Lake", size(lake.get("bytes", 0)), words.counted(lake.get("files", 0), "file")),
        Figure("Versions kept", words.count(lake.get("versions", 0)), f"{lake.get('pinned', 0):,} of them pinned"),
    ]


def _finding(one: Mapping[str, Any]) -> dict[str, Any]:
    """What to do is told where there is something to do."""
    return {
        "subject": words.spelled(one["subject"]),
        "state": WELL if one["is_well"] else AMISS,
        "says": one["says"],
        "fix": None if one["is_well"] else with_code(one["fix"]),
    }


def _looked(look: Check | None, scope: Scope) -> str:
    return f"Last on {words.moment(look.ended_at.astimezone(scope.zone_here))}." if look else "Nobody has looked yet."


def _say_when_old(look: Check | None, scope: Scope) -> None:
    if look and datetime.now(UTC) - look.ended_at > _OLD:
        warn("Nobody has looked for a while.", f"{_looked(look, scope)} What is below may not be so any more. See"
            " whether `sightline worker` runs.")  # fmt: skip
