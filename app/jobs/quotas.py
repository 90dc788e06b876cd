"""The jobs of quotas: what killed calls held is freed and their rows end, and so do credits granted for a time."""

from collections.abc import Callable

from sqlalchemy import Connection, text

from app.jobs.catalogue import Again, InTransaction, Job, JobType, Outcome
from app.jobs.schedules import Every

AT_ONCE = 1_000


def quota_jobs() -> tuple[JobType, ...]:
    """A killed call is free again within a minute of its end."""
    return (
        JobType(
            "expire_quota_reservations",
            "Frees what calls held of quotas and neither used nor released in time.",
            InTransaction(_expiring("expire_quota_reservations")),
            Every(60),
        ),
        JobType(
            "end_lost_ai_calls",
            "Ends AI calls whose process was killed: what they used is not known, and has no price.",
            InTransaction(_expiring("end_lost_ai_calls")),
            Every(600),
        ),
        JobType(
            "expire_granted_credits",
            "Takes back what is left of credits that were granted for a time.",
            InTransaction(_expiring("expire_granted_credits")),
            Every(3600),
        ),
    )


def _expiring(function: str) -> Callable[[Connection, Job], Outcome]:
    """A batch, and another one while batches are full."""
    call = text(f"SELECT {function}(:at_most)")

    def expire(connection: Connection, job: Job) -> Outcome:
        at_most = int(job.payload.get("at_once", AT_ONCE))
        expired = connection.execute(call, {"at_most": at_most}).scalar_one()
        return Again({"expired": expired}) if expired == at_most else {"expired": expired}

    return expire
