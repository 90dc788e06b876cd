"""The jobs that price calls: those that came without a cost, by the book, within minutes of their end."""

from sqlalchemy import Connection, text

from app.jobs.catalogue import Handle, InTransaction, Job, JobType, Outcome
from app.jobs.schedules import Every
from app.jobs.told import told_when_it_fails
from db.engine import seeing

PRICE_NEW_CALLS = "price_new_calls"
EVERY_SECONDS = 300
DAYS_BACK = 62
A_DAY = 86_400


def price_jobs() -> tuple[JobType, ...]:
    """A call whose price nobody knows keeps its reason, and is looked at again each time."""
    return (
        JobType(
            PRICE_NEW_CALLS,
            "Prices the AI calls that have no cost yet by the price book.",
            told_when_it_fails(PRICE_NEW_CALLS, "New calls could not be priced.", _price_new_calls),
            Every(EVERY_SECONDS),
            lease_seconds=300,
        ),
        JobType(
            "price_old_calls",
            "Prices what was restated in months that are long over and still open.",
            InTransaction(_price_old_calls),
            Every(A_DAY),
            lease_seconds=1800,
        ),
    )


def _price_new_calls(handle: Handle) -> Outcome:
    """Asked twice, nothing is priced twice."""
    since = text("SELECT price_new_ai_calls(now() - make_interval(days => :days))")
    with seeing(handle.engines.rw, (), actor=f"the job {PRICE_NEW_CALLS}") as connection:
        return {"calls": connection.scalar(since, {"days": DAYS_BACK})}


def _price_old_calls(connection: Connection, _job: Job) -> Outcome:
    """From the oldest month that is open on: calls of closed ones keep what they are."""
    oldest = text(
        "SELECT price_new_ai_calls(CAST(MIN(month) AS TIMESTAMP) AT TIME ZONE 'UTC')"
        " FROM ai_months WHERE closed_at IS NULL"
    )
    return {"calls": connection.scalar(oldest) or 0}
