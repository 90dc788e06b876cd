"""When jobs are due, how they went over the last days, and who works on them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app import serving
from app.commands.company import sees_whole_company
from app.jobs.catalogue import JobType
from app.jobs.kinds import known_kinds
from app.jobs.schedules import Daily, Every, Hourly, Schedule
from app.metrics.metric import Unit
from app.records.jobs import HOURS_TOLD, JobHour, schedule_notes, workers
from app.ui import plots, words
from app.ui.cards import card
from app.ui.done import said
from app.ui.empty import nothing_here
from app.ui.live import read
from app.ui.markup import joined
from app.ui.notices import warn
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.series import OverTime, Series
from app.ui.tables import table

_ENDED = {"completed": "Completed", "failed": "Failed", "cancelled": "Cancelled"}
_TOOK = {"median_seconds": "Half took less", "p95_seconds": "95 of 100 took less"}
_AN_HOUR, _A_MINUTE = 3600, 60


def say_when_nobody_works(scope: Scope) -> None:
    """Without a worker nothing here moves: who opens the page is told."""
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        return
    found = workers(serving.engines().ro, scope.viewer)
    if any(one.lives for one in found):
        return
    last = max((one.seen_at for one in found), default=None)
    when = f"The last sign of life came on {words.moment(last.astimezone(scope.zone_here))}. " if last else ""
    warn(
        "No worker lives.", f"{when}Jobs wait until one does: `sightline up` runs one, and so does `sightline worker`."
    )


def job_schedules(scope: Scope) -> None:
    """Kind by kind: what it does, when, when last and when next, in the zone of its schedule."""
    said()
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        nothing_here("Schedules are the company's.", fill="They are shown to admins who see every workspace.")
        return
    notes = {one.job_type: one.occurred_at for one in schedule_notes(serving.engines().ro, scope.viewer)}
    now = datetime.now(UTC)
    table(
        [_schedule(one, notes.get(one.name), now) for one in known_kinds()],
        name="schedules",
        title="Schedules",
        why="An occurrence that was missed is made up for once. One that is due waits until the job before it ends.",
        columns={"kind": "Kind", "when": "When", "last": "Last", "next": "Next", "meaning": "What it does"},
        scope=scope,
    )


def job_course(scope: Scope) -> None:
    """Hour by hour: how many ended and how, and how long they took."""
    found = read("job_hours", scope)
    rows: Sequence[JobHour] = found.rows
    if not rows:
        nothing_here(f"No job ended in the last {HOURS_TOLD} hours.", fill="A worker runs them: `sightline worker`.")
        return
    ended, took = _course(rows, _ENDED, Unit.COUNT, scope), _course(rows, _TOOK, Unit.SECONDS, scope)
    drawn = plots.stacked(ended, label=plots.described(ended, "Jobs that ended"), columns=True)
    card("Jobs that ended", joined((plots.legend(ended), drawn)), why=f"By hour, over the last {HOURS_TOLD} hours.",
        read=found, scope=scope)  # fmt: skip
    drawn = plots.lines(took, label=plots.described(took, "How long they took"), filled=False)
    card("How long they took", joined((plots.legend(took), drawn)), why="Of completed ones, their last attempt.",
        read=found, scope=scope)  # fmt: skip


def job_workers(scope: Scope) -> None:
    """Who lives, and what they run."""
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        return
    found = read("job_workers", scope)
    table(
        [vars(one) | {"state": "lives" if one.lives else "gives no sign of life"} for one in found.rows],
        name="workers",
        title="Workers",
        why="A worker says every minute that it lives; one that was killed is listed for a day.",
        columns={"name": "Worker", "state": "State", "since": "Since", "seen_at": "Last sign of life",
            "runs": Column("Runs")},
        scope=scope,
        empty=("No worker was seen.", "`sightline up` runs one, and so does `sightline worker`."),
        read=found,
    )  # fmt: skip


def _course(rows: Sequence[JobHour], shown: dict[str, str], unit: Unit, scope: Scope) -> OverTime:
    this = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [this - timedelta(hours=number) for number in reversed(range(HOURS_TOLD))]
    by_hour = {one.hour.astimezone(UTC): one for one in rows}
    nothing = 0.0 if unit is Unit.COUNT else None
    series = [
        Series(label, unit, tuple(_value(by_hour.get(hour), name, nothing) for hour in hours))
        for name, label in shown.items()
    ]
    points = tuple(hour.astimezone(scope.zone_here) for hour in hours)
    return OverTime("hour", points, tuple(series), len(points) - 1)


def _value(one: JobHour | None, name: str, nothing: float | None) -> float | None:
    value = None if one is None else getattr(one, name)
    return nothing if value is None else float(value)


def _schedule(one: JobType, last: datetime | None, now: datetime) -> dict[str, Any]:
    schedule = one.schedule
    told = {"kind": one.name, "meaning": one.meaning, "when": "When somebody asks for it", "last": None, "next": None}
    if schedule is None:
        return told
    return told | {
        "when": spoken(schedule),
        "last": _in_its_zone(last, schedule) if last else "never yet",
        "next": _in_its_zone(schedule.following(now), schedule),
    }


def spoken(schedule: Schedule) -> str:
    """A schedule in words."""
    match schedule:
        case Daily():
            return f"Every day at {schedule.at:%H:%M} {schedule.zone}"
        case Hourly():
            return f"Every hour at {schedule.minute} past, by the clock of {schedule.zone}"
        case Every() if schedule.seconds % _AN_HOUR == 0:
            hours = schedule.seconds // _AN_HOUR
            return "Every hour" if hours == 1 else f"Every {hours} hours"
        case Every() if schedule.seconds % _A_MINUTE == 0:
            minutes = schedule.seconds // _A_MINUTE
            return "Every minute" if minutes == 1 else f"Every {minutes} minutes"
        case Every():
            return f"Every {schedule.seconds} seconds"
        case _:
            return "By a rule of its own"


def _in_its_zone(at: datetime, schedule: Schedule) -> str:
    zone = schedule.zone if isinstance(schedule, Daily | Hourly) else "UTC"
    return f"{words.moment(at.astimezone(ZoneInfo(zone)))} {zone}"
