"""Jobs of the lake: a refresh that somebody asked for, and the nightly look for what nobody needs any more."""

from collections.abc import Callable

from app.jobs.catalogue import Fields, Handle, JobType, Outcome, Outside
from app.jobs.schedules import Hourly
from app.jobs.upkeep import refresh_lake
from app.lake.refresh import Refresher


def lake_jobs(refresher: Callable[[], Refresher]) -> tuple[JobType, ...]:
    """Killed at any point and run again, a refresh takes each change once and a sweep deletes the rest."""

    def refresh(_handle: Handle) -> Fields:
        outcome = refresher().refresh()
        return {"version": outcome.version, "is_new": outcome.is_new, "seconds": round(outcome.seconds, 3)}

    def sweep_lake(_handle: Handle) -> Outcome:
        return dict(refresher().sweep())

    return (
        refresh_lake(refresh),
        JobType(
            "sweep_lake",
            "Thins out old versions of the lake and deletes files that no version tells of.",
            Outside(sweep_lake),
            Hourly(minute=20),
            lease_seconds=300,
        ),
    )
