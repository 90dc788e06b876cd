"""The jobs of plans: versions go live on their day, and subscriptions move when their period has ended."""

from collections.abc import Callable

from sqlalchemy import Connection, text

from app.jobs.catalogue import Again, InTransaction, Job, JobType, Outcome
from app.jobs.schedules import Every

AT_ONCE = 100


def plan_jobs() -> tuple[JobType, ...]:
    """Days begin at midnight UTC; a worker that was down then catches up."""
    return (
        JobType(
            "publish_due_plans",
            "Lets plans go live whose day has come, in UTC; what was sold in their place is retired.",
            InTransaction(_doing("publish_due_plans")),
            Every(60),
        ),
        JobType(
            "move_due_subscriptions",
            "Moves subscriptions to the version they were asked to move to, when their period has ended.",
            InTransaction(_doing("move_due_subscriptions")),
            Every(300),
        ),
    )


def _doing(function: str) -> Callable[[Connection, Job], Outcome]:
    """A batch, and another one while batches are full."""
    call = text(f"SELECT {function}(:at_most)")

    def do(connection: Connection, job: Job) -> Outcome:
        at_most = int(job.payload.get("at_once", AT_ONCE))
        done = connection.execute(call, {"at_most": at_most}).scalar_one()
        return Again({"done": done}) if done == at_most else {"done": done}

    return do
