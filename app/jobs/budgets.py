"""The job that looks at budgets: stores what it finds of each, raises alerts once, and tells when it can't look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, Engine, RowMapping, insert, text
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from app.jobs import queue
from app.jobs.alerts import SEND_ALERTS, Raised, raise_alert
from app.jobs.catalogue import Handle, JobType, Outcome, Outside
from app.jobs.schedules import Every
from app.money.budgets import AlertKind, Figures, Finding, expected_end, findings
from db.engine import seeing, without_statement
from db.tables.budgets import BudgetEvaluation

log = get_logger(__name__)

WATCH_BUDGETS = "watch_budgets"
# As often as calls without a cost are priced.
EVERY_SECONDS = 300
# What was priced late may still have reached a threshold of the period before.
LATE = timedelta(days=7)
# Weekdays and how far off forecasts were are learned from so many days before the period.
DAYS_TO_LEARN_FROM = 200
_LONGEST_ERROR = 500

_LIVE = text("SELECT id, workspace_id, updated_at, now() AS now FROM budgets WHERE deleted_at IS NULL AND is_active")
_STANDING = text("""
    SELECT b.id, b.workspace_id, b.amount, b.period, b.thresholds, b.at_limit, b.warns_of_forecast, t.first_day,
        t.next_day, t.starts_at, t.ends_at, t.spent, t.held, t.refused,
        CAST(CAST(:at AS TIMESTAMPTZ) AT TIME ZONE b.timezone AS DATE) AS today,
        (
            SELECT COUNT(*)
            FROM ai_generations AS g
            WHERE g.cost IS NULL AND g.status IN ('completed', 'failed', 'cancelled')
                AND g.created_at >= t.starts_at AND (t.ends_at IS NULL OR g.created_at < t.ends_at)
                AND budget_covers(b, g.workspace_id, g.user_id, g.product, g.provider, g.generation_type)
        ) AS unpriced
    FROM budgets AS b
    JOIN budget_standings(:at) AS t ON t.budget_id = b.id
    WHERE b.id = :budget
""")
_DAYS = text("SELECT day, spent FROM budget_days WHERE budget_id = :budget AND day >= :since")


@dataclass(frozen=True)
class Watched:
    """A budget to be looked at."""

    id: UUID
    workspace_id: UUID | None
    updated_at: datetime
    now: datetime

    @property
    def workspaces(self) -> tuple[UUID, ...]:
        return () if self.workspace_id is None else (self.workspace_id,)


def budget_jobs() -> tuple[JobType, ...]:
    """Looked at twice, or by two workers at once, a budget's alerts are there once."""
    return (
        JobType(
            WATCH_BUDGETS,
            "Looks at what budgets have spent and are expected to, stores it, and raises alerts.",
            Outside(_watch),
            Every(EVERY_SECONDS),
            lease_seconds=300,
        ),
    )


def _watch(handle: Handle) -> Outcome:
    failed, raised = 0, 0
    for one in _live(handle):
        handle.go_on()
        try:
            raised += evaluate(handle.engines.pipe, handle.engines.rw, one)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody is told, and the others are looked at
            failed += 1
            _note_failure(handle.engines.rw, one, error)
    with seeing(handle.engines.rw, ()) as connection:
        queue.enqueue(connection, SEND_ALERTS, unique_key=SEND_ALERTS)
    return {"raised": raised, "failed": failed}


def _live(handle: Handle) -> list[Watched]:
    """Where not even the list can be read, everybody of finance is told, and the job fails."""
    try:
        with handle.engines.pipe.connect() as connection:
            return [Watched(**row) for row in connection.execute(_LIVE).mappings()]
    except SQLAlchemyError as error:
        _note_failure(handle.engines.rw, None, error)
        raise


def evaluate(pipe: Engine, rw: Engine, one: Watched) -> int:
    """Look at the budget's period, and at those before that late costs may change; how many alerts are new."""
    with pipe.connect() as connection:
        standing = connection.execute(_STANDING, {"budget": one.id, "at": one.now}).mappings().one_or_none()
        if standing is None:
            return 0
        daily = _daily(connection, one.id, standing["first_day"])
        before = list(_before(connection, one, standing["starts_at"]))
    with seeing(rw, one.workspaces, actor=f"the job {WATCH_BUDGETS}") as connection:
        late = sum(_raise(connection, period, _late_findings(period)) for period in before)
        return late + _store(connection, standing, daily)


def _daily(connection: Connection, budget: UUID, first_day: date) -> dict[date, Decimal]:
    since = first_day - timedelta(days=DAYS_TO_LEARN_FROM) if first_day.year > 1970 else first_day  # noqa: PLR2004 - a lifetime's
    return {row.day: row.spent for row in connection.execute(_DAYS, {"budget": budget, "since": since})}


def _before(connection: Connection, one: Watched, starts_at: datetime) -> Iterator[RowMapping]:
    """Periods that ended lately, perhaps while no worker ran, unless the budget was another one then."""
    while starts_at > max(one.now - LATE, one.updated_at):
        at = starts_at - timedelta(microseconds=1)
        period = connection.execute(_STANDING, {"budget": one.id, "at": at}).mappings().one()
        yield period
        starts_at = period["starts_at"]


def _late_findings(period: RowMapping) -> tuple[Finding, ...]:
    """What is over has no forecast, and refuses nothing any more."""
    return findings(
        Figures(
            amount=period["amount"],
            spent=period["spent"],
            thresholds=tuple(period["thresholds"]),
            blocks=False,
            refused=0,
            warns_of_forecast=False,
            expected=None,
        )
    )


def _store(connection: Connection, standing: RowMapping, daily: Mapping[date, Decimal]) -> int:
    expected = expected_end(
        standing["period"], daily, standing["first_day"], standing["next_day"], standing["today"]
    )  # fmt: skip
    figures = Figures(
        amount=standing["amount"],
        spent=standing["spent"],
        thresholds=tuple(standing["thresholds"]),
        blocks=standing["at_limit"] == "block",
        refused=standing["refused"],
        warns_of_forecast=standing["warns_of_forecast"],
        expected=expected,
    )
    raised = _raise(connection, standing, findings(figures))
    connection.execute(
        insert(BudgetEvaluation).values(
            budget_id=standing["id"],
            workspace_id=standing["workspace_id"],
            period_start=standing["starts_at"],
            period_end=standing["ends_at"],
            amount=standing["amount"],
            spent=standing["spent"],
            held=standing["held"],
            unpriced=standing["unpriced"],
            forecast=expected and expected.expected,
            forecast_low=expected and expected.low,
            forecast_high=expected and expected.high,
            raised=raised,
        )
    )
    return raised


def _raise(connection: Connection, standing: RowMapping, found: tuple[Finding, ...]) -> int:
    alerts = [
        Raised(
            kind=one.kind,
            period_start=standing["starts_at"],
            says=one.says,
            budget_id=standing["id"],
            workspace_id=standing["workspace_id"],
            threshold=one.threshold,
            spent=standing["spent"],
        )
        for one in found
    ]
    return sum(raise_alert(connection, one) for one in alerts)


def _note_failure(rw: Engine, one: Watched | None, error: Exception) -> None:
    """Somebody is told once a day: a budget that nobody looks at protects nobody."""
    why = f"{type(error).__name__}: {without_statement(error)}"[:_LONGEST_ERROR]
    log.error("A budget could not be checked.", budget=str(one.id) if one else "all", error=why)
    with seeing(rw, one.workspaces if one else (), actor=f"the job {WATCH_BUDGETS}") as connection:
        budget, workspace = (one.id, one.workspace_id) if one else (None, None)
        today = connection.execute(text("SELECT date_trunc('day', now(), 'UTC') AS today")).scalar_one()
        says = f"{'This budget' if one else 'Budgets'} could not be checked. {why}"
        raised = raise_alert(connection, Raised(AlertKind.EVALUATION_FAILED, today, says, budget, workspace))
        kept = {"budget_id": budget, "workspace_id": workspace, "error": why, "raised": int(raised)}
        connection.execute(insert(BudgetEvaluation).values(kept))
