"""Counters beside a recount, rollups beside Postgres, and rows that came late: what jobs found, and running them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from app import serving
from app.exports.given import given
from app.exports.live import Listed, reading
from app.jobs.health import COMPARE, LATE, LATE_DAYS, USUAL_DAYS
from app.records.data_health import Check, checks
from app.rollups import rollups
from app.ui import words
from app.ui.done import said
from app.ui.health_acts import compare_some, offer
from app.ui.health_now import AMISS, WELL, is_for
from app.ui.notices import warn
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table

_COUNTERS = "check_counters"
_REMEMBERED = 40
_FACTS = {"email_events": "E-mail events", "campaign_events": "Web events", "conversions": "Conversions"}


def counters_and_rollups(scope: Scope) -> None:
    """Both are checked every night; an admin may have it done now, and leave."""
    if not is_for(scope):
        return
    said()
    counted, of_counters = _looks(scope, _COUNTERS, 7)
    _say_what_differs(counted, "Counters are not right.")
    table(
        [_check(one, _campaigns(one)) for one in counted],
        name="counters",
        title="Counters against a recount",
        why="Of the campaigns that changed last, every night. Nothing is set right by itself.",
        columns={"when": "When", "state": "State", "found": "What was found", "seconds": Column("Seconds")},
        scope=scope,
        empty=("No counter was checked yet.", "A worker does so every night; you can have it done now."),
        read=of_counters,
    )
    offer(scope, _COUNTERS, "Recount now")
    compared, of_rollups = _looks(scope, COMPARE, _REMEMBERED)
    _say_what_differs(compared, "Rollups are not right.")
    table(
        [_rollup(name, compared) for name in rollups()],
        name="rollups",
        title="Rollups against Postgres",
        why=f"By workspace and day, every night over {USUAL_DAYS} days; what was written meanwhile is asked again.",
        columns={"rollup": "Rollup", "state": "State", "when": "When", "period": "Days", "compared": Column("Compared"),
            "version": Column("Version"), "meaning": "What it is"},
        scope=scope,
        read=of_rollups,
    )  # fmt: skip
    compare_some(scope)


def late_rows(scope: Scope) -> None:
    """By the day on which they came in."""
    if not is_for(scope):
        return
    said()
    found, listed = _looks(scope, LATE, 1)
    days = found[0].result.get("days", {}) if found else {}
    when = f"Counted on {words.moment(found[0].ended_at.astimezone(scope.zone_here))}." if found else ""
    longest = found[0].result.get("longest_days", 0) if found else 0
    if days:
        together = sum(sum(one.values()) for one in days.values())
        warn(f"{words.counted(together, 'row')} came late in the last {LATE_DAYS} days.",
            f"The latest came {words.counted(longest, 'day')} after it happened. Figures of those days were restated"
            " when they came: nothing is lost, but what people read before was less.")  # fmt: skip
    table(
        [
            {"day": date.fromisoformat(day), **{fact: counts.get(fact, 0) for fact in _FACTS}}
            for day, counts in sorted(days.items(), reverse=True)
        ],
        name="late-rows",
        title="Rows that came late",
        why=f"More than a day after what they tell of happened, by the day they came in. {when}",
        columns={"day": "Came in on", **{fact: Column(name) for fact, name in _FACTS.items()}},
        scope=scope,
        empty=("No row came late.", f"Those of the last {LATE_DAYS} days are counted every night.")
        if found
        else ("Nobody has counted yet.", "A worker does so every night; you can have it done now."),
        read=listed,
    )
    offer(scope, LATE, "Count now")


def _looks(scope: Scope, kind: str, most: int) -> tuple[Sequence[Check], Listed[Check]]:
    """The last times that jobs of a kind looked, and the receipt of what is read of them."""
    with reading() as told:
        found = checks(serving.engines().ro, scope.viewer, kind, most=most)
    return found, told.listed("checks", given(kind=kind), found)


def _say_what_differs(found: Sequence[Check], what: str) -> None:
    if found and not found[0].is_well:
        warn(what, found[0].error or "The check failed and said nothing.")


def _check(one: Check, found: str) -> dict[str, Any]:
    told = {"when": one.ended_at, "state": WELL if one.is_well else AMISS, "seconds": one.seconds}
    return told | {"found": found if one.is_well else one.error}


def _campaigns(one: Check) -> str:
    return f"{words.counted(one.result.get('campaigns_compared', 0), 'campaign')} compared, all as they should be."


def _rollup(name: str, compared: Sequence[Check]) -> dict[str, Any]:
    """The last time that it was compared, alone or with all."""
    last = next((one for one in compared if name in one.result.get("rollups", {}) or _is_of(one, name)), None)
    told = {"rollup": name, "meaning": rollups()[name].meaning, "state": "– never compared", "when": None,
        "period": None, "compared": None, "version": None}  # fmt: skip
    if last is None:
        return told
    here = last.result.get("rollups", {}).get(name, {})
    period = f"{last.result['since']} – {last.result['until']}" if last.is_well else last.payload.get("since")
    return told | {"state": _state(last, name), "when": last.ended_at, "period": period,
        "compared": here.get("compared"), "version": here.get("version")}  # fmt: skip


def _state(one: Check, name: str) -> str:
    """A comparison that found differences has gone through all of them, and names those that differ."""
    if one.is_well:
        return WELL
    said, _, rest = (one.error or "").partition(": ")
    if not said.startswith("Rollups differ"):
        return "– not finished"
    return AMISS if name in rest.split(".", maxsplit=1)[0].split(", ") else WELL


def _is_of(one: Check, name: str) -> bool:
    return not one.is_well and one.payload.get("rollup") in {None, name}
