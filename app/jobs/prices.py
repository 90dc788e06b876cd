"""The job that prices calls: those that came without a cost, by the book, within minutes of their end."""

from sqlalchemy import Connection, text

from app.jobs.catalogue import InTransaction, Job, JobType, Outcome
from app.jobs.schedules import Every

EVERY_SECONDS = 300
# What is older belongs to months that are closed or ought to be; approving a price looks back as far as the price does.
DAYS_BACK = 62


def price_jobs() -> tuple[JobType, ...]:
    """A call whose price nobody knows keeps its reason, and is looked at again each time."""
    return (
        JobType(
            "price_new_calls",
            "Prices the AI calls that have no cost yet by the price book.",
            InTransaction(_price_new_calls),
            Every(EVERY_SECONDS),
            lease_seconds=300,
        ),
    )


def _price_new_calls(connection: Connection, _job: Job) -> Outcome:
    since = text("SELECT price_new_ai_calls(now() - make_interval(days => :days))")
    return {"calls": connection.scalar(since, {"days": DAYS_BACK})}
