"""How long rows are kept: which rules a job holds, what one would take now, and changing it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, select, text, update

from app.access import Permission, Viewer
from app.commands.company import require_whole_company
from app.commands.stale import EditedMeanwhileError
from app.commands.texts import one_line
from db.engine import seeing
from db.errors import SightlineError
from db.tables.system import RetentionPolicy

LONGEST_DAYS = 36_500
# Of a table that is larger, the planner's guess is told: counting it would read it.
_MOST_COUNTED = 100_000


@dataclass(frozen=True)
class Terms:
    """What can be changed of a rule. Without days, or while it is off, everything is kept for ever."""

    keep_days: int | None
    is_active: bool = True


@dataclass(frozen=True)
class Enforced:
    """The job that holds a rule, and what it takes: rows of a table that meet a condition on `:days`."""

    job: str
    table: str
    condition: str
    least_days: int
    says: str


@dataclass(frozen=True)
class Taken:
    """How many rows a rule would take now; where that is the planner's guess, it is said."""

    rows: int
    is_guess: bool


@dataclass(frozen=True)
class LastRun:
    """When a job last ended well, and how many rows it took in that night."""

    at: datetime
    forgotten: int


_OLDER = "now() - make_interval(days => :days)"
ENFORCED: Mapping[str, Enforced] = {
    "completed_jobs": Enforced(
        "forget_done_jobs", "jobs", f"status IN ('completed', 'cancelled') AND completed_at < {_OLDER}", 1,
        "Completed and cancelled jobs go; failed ones stay.",
    ),
    "email_event_keys": Enforced(
        "forget_event_keys", "email_event_keys", f"seen_at < {_OLDER}", 7,
        "An e-mail event that a provider delivers again after its fingerprint is gone is counted a second time.",
    ),
}  # fmt: skip
# Why no job holds the others, which the documents name.
NOT_ENFORCED: Mapping[str, str] = {
    "closed_accounts": "No job erases a closed account: its rows are in the lake and in backups as well.",
    "ai_generations": "Months of calls are kept: budgets, bills and closed months are recounted from them.",
    "uploaded_assets": "The products keep the files; Sightline holds their addresses alone.",
    "generated_assets": "The products keep the files; Sightline holds their addresses alone.",
    "performance_analytics": "Months of facts are kept: counters are recounted from them.",
    "usage_logs": "Months of facts are kept: what a plan allows is recounted from them.",
}
# Fixed in the jobs themselves: nobody changes them.
FIXED = (
    ("Traces of deleted rows for the lake", "30 days", "forget_tombstones"),
    ("Holds of AI budgets after their end", "1 day", "forget_budget_traces"),
    ("Evaluations of budgets", "400 days", "forget_budget_traces"),
    ("The audit log and its seals", "for ever", None),
)

_SIZE = text("SELECT GREATEST(reltuples, 0) FROM pg_class WHERE oid = CAST(:table AS regclass)")
_LAST = text("""
    SELECT MAX(j.completed_at) AS at, COALESCE(SUM(CAST(j.result ->> 'forgotten' AS BIGINT)), 0) AS forgotten
    FROM jobs AS j
    WHERE j.job_type = :job AND j.status = 'completed' AND j.completed_at > (
        SELECT MAX(l.completed_at) FROM jobs AS l WHERE l.job_type = :job AND l.status = 'completed'
    ) - interval '6 hours'
""")


def change_retention(
    engine: Engine,
    by: Viewer,
    key: UUID,
    terms: Terms,
    *,
    revision: int,
    reason: str,
    made_on: Terms | None = None,
) -> None:
    """Keep rows for another time from the next run on, if nobody changed the rule since, when it was `made_on`."""
    by.require(Permission.RETENTION_MANAGE)
    said = one_line(reason)
    if not said:
        raise SightlineError("A rule of retention is changed for a reason.", fix="Say why in a few words.")
    with seeing(engine, by.workspaces, actor=by.name, reason=said) as connection:
        require_whole_company(connection, by)
        rule = RetentionPolicy
        found = connection.execute(
            select(rule.subject, rule.keep_days, rule.is_active, rule.revision).where(rule.id == key).with_for_update()
        ).one_or_none()
        if found is None:
            raise SightlineError("This rule is not there any more.", fix="Load the page again.")
        _require_enforced(found.subject)
        _require_days(found.subject, terms)
        if found.revision != revision:
            raise EditedMeanwhileError(
                f"the rule for {found.subject.replace('_', ' ')}",
                now=asdict(Terms(found.keep_days, found.is_active)),
                wanted=asdict(terms),
                revision=found.revision,
                made_on=asdict(made_on) if made_on else None,
            )
        connection.execute(update(rule).where(rule.id == key).values(**asdict(terms)))


def would_take(pipe: Engine, by: Viewer, subject: str, terms: Terms) -> Taken | None:
    """How many rows of all workspaces the next run would forget; None where no job holds the rule."""
    by.require(Permission.RETENTION_MANAGE)
    enforced = ENFORCED.get(subject)
    if enforced is None:
        return None
    if terms.keep_days is None or not terms.is_active:
        return Taken(0, is_guess=False)
    with pipe.connect() as connection:
        size: float = connection.execute(_SIZE, {"table": enforced.table}).scalar_one()
        if size > _MOST_COUNTED:
            return Taken(_guessed(connection, enforced, terms.keep_days), is_guess=True)
        question = f"SELECT COUNT(*) FROM {enforced.table} WHERE {enforced.condition}"  # noqa: S608 - our own names
        return Taken(connection.execute(text(question), {"days": terms.keep_days}).scalar_one(), is_guess=False)


def last_run(pipe: Engine, by: Viewer, subject: str) -> LastRun | None:
    """Of the job that holds a rule, as far back as done jobs are kept."""
    by.require(Permission.RETENTION_MANAGE)
    enforced = ENFORCED.get(subject)
    if enforced is None:
        return None
    with pipe.connect() as connection:
        found = connection.execute(_LAST, {"job": enforced.job}).one()
    return LastRun(found.at, int(found.forgotten)) if found.at else None


def _guessed(connection: Connection, enforced: Enforced, days: int) -> int:
    question = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {enforced.table} WHERE {enforced.condition}"  # noqa: S608 - our own
    plan = connection.execute(text(question), {"days": days}).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


def _require_enforced(subject: str) -> None:
    if subject not in ENFORCED:
        raise SightlineError(
            f"No job holds the rule for {subject.replace('_', ' ')}.",
            why=f"{NOT_ENFORCED.get(subject, 'This version does not know it.')} A change would have no effect.",
            fix=f"Rules that are held: {', '.join(ENFORCED)}.",
        )


def _require_days(subject: str, terms: Terms) -> None:
    least = ENFORCED[subject].least_days
    if terms.keep_days is not None and not least <= terms.keep_days <= LONGEST_DAYS:
        raise SightlineError(
            f"{subject.replace('_', ' ').capitalize()} can't be kept for {terms.keep_days:,} days.",
            why=f"They are kept from {least} to {LONGEST_DAYS:,} days, or for ever.",
        )
