"""The jobs of plans: versions go live on their day, subscriptions move when their period has ended, and two weeks
after a publication its forecast is held against what happened."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection, text

from app.access import operator
from app.commands.simulations import JUDGED_AFTER, review_publication
from app.jobs import queue
from app.jobs.catalogue import Again, Handle, InTransaction, Job, JobType, Outcome, Outside
from app.jobs.schedules import Every
from app.money.worth import NoRateError
from app.records.simulations import REVIEW_PUBLICATION

AT_ONCE = 100
REVIEW_PUBLICATIONS = "review_publications"


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
        JobType(
            REVIEW_PUBLICATIONS,
            "Finds publications whose first two weeks are over, and adds a job for each that nobody has looked at.",
            InTransaction(_find_publications),
            Every(86_400),
        ),
        JobType(
            REVIEW_PUBLICATION,
            "Finds what the first two weeks of a publication brought; its page shows it beside the forecast.",
            Outside(_review_publication),
            lease_seconds=300,
        ),
    )


# Plans of before there were simulations have no forecast that could be judged. One that waits for an exchange rate is
# looked at again when rates have come in.
_NOT_REVIEWED = text("""
    SELECT p.id
    FROM plans AS p
    WHERE p.status IN ('published', 'retired') AND p.published_at <= now() - :judged_after
        AND EXISTS (SELECT FROM plan_simulations AS f WHERE f.plan_id = p.id AND f.kind = 'forecast')
        AND NOT EXISTS (
            SELECT FROM plan_simulations AS o
            WHERE o.plan_id = p.id AND o.kind = 'outcome' AND o.since = p.published_at
        )
        AND NOT EXISTS (
            SELECT FROM jobs AS j
            WHERE j.job_type = :review AND j.status = 'completed' AND j.result ? 'waits_for'
                AND j.payload ->> 'plan' = CAST(p.id AS text)
                AND NOT EXISTS (SELECT FROM fx_rates AS r WHERE r.created_at > j.completed_at)
        )
    ORDER BY p.published_at, p.id
""")
_IS_REVIEWED = text("""
    SELECT EXISTS (
        SELECT FROM plan_simulations AS o
        JOIN plans AS p ON p.id = o.plan_id
        WHERE o.plan_id = :plan AND o.kind = 'outcome' AND o.since = p.published_at
    )
""")


def _find_publications(connection: Connection, _job: Job) -> Outcome:
    asked = {"judged_after": JUDGED_AFTER, "review": REVIEW_PUBLICATION}
    found = connection.scalars(_NOT_REVIEWED, asked).all()
    for key in found:
        queue.enqueue(connection, REVIEW_PUBLICATION, payload={"plan": str(key)}, unique_key=f"review {key}")
    return {"publications": len(found)}


def _review_publication(handle: Handle) -> Outcome:
    """Whoever looked meanwhile, on the page or before a kill of this process, has kept it.

    Without an exchange rate nobody can look, however often it is tried: the page says what is missing.
    """
    plan = UUID(handle.job.payload["plan"])
    with handle.engines.rw.connect() as connection:
        if connection.scalar(_IS_REVIEWED, {"plan": plan}):
            return {"reviewed": False}
    by = operator(handle.engines.pipe, f"the job {REVIEW_PUBLICATION}")
    try:
        found = review_publication(handle.engines.rw, by, plan)
    except NoRateError as missing:
        return {"reviewed": False, "waits_for": str(missing)}
    return {"reviewed": True, "workspaces": found.workspaces}


def _doing(function: str) -> Callable[[Connection, Job], Outcome]:
    """A batch, and another one while batches are full."""
    call = text(f"SELECT {function}(:at_most)")

    def do(connection: Connection, job: Job) -> Outcome:
        at_most = int(job.payload.get("at_once", AT_ONCE))
        done = connection.execute(call, {"at_most": at_most}).scalar_one()
        return Again({"done": done}) if done == at_most else {"done": done}

    return do
