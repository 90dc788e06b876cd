"""Alerts on their way: raised once, told once to each channel, again after a snooze, and retried by the queue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, text, update
from sqlalchemy.dialects.postgresql import insert

from app.access import all_workspaces
from app.jobs import queue
from app.jobs.catalogue import Handle, JobType, Outcome, Outside
from app.jobs.schedules import Every
from app.money.budgets import AlertKind
from app.settings import settings
from app.telling.channels import open_channels, send
from app.telling.message import Told, message
from db.engine import seeing
from db.errors import SightlineError
from db.tables.budgets import AlertDelivery, BudgetAlert

SEND_ALERTS = "send_alerts"
SEND_ALERT = "send_alert"
EVERY_SECONDS = 60
# What is older was known before somebody opened a channel.
_NEW = timedelta(days=3)
_ATTEMPTS = 8
_LONGEST_ERROR = 500


@dataclass(frozen=True)
class Raised:
    """An alert that is about to be raised; with the same keys it is the same."""

    kind: AlertKind
    period_start: datetime
    says: str
    budget_id: UUID | None = None
    workspace_id: UUID | None = None
    about: str = ""
    threshold: int | None = None
    spent: Decimal | None = None


def raise_alert(connection: Connection, alert: Raised) -> bool:
    """Keep it, unless it was raised in its period already: another worker, or this one before a restart, was there."""
    made = connection.scalar(
        insert(BudgetAlert)
        .values(
            kind=alert.kind,
            period_start=alert.period_start,
            reason=alert.says,
            budget_id=alert.budget_id,
            workspace_id=alert.workspace_id,
            about=alert.about,
            threshold=alert.threshold,
            spent=alert.spent,
        )
        .on_conflict_do_nothing()
        .returning(BudgetAlert.id)
    )
    return made is not None


def alert_jobs() -> tuple[JobType, ...]:
    """One job finds what is to be told; each message is a job of its own, so that one that fails holds up no other."""
    return (
        JobType(
            SEND_ALERTS,
            "Finds alerts that somebody has to be told of, and adds a job for each message.",
            Outside(_send_alerts),
            Every(EVERY_SECONDS),
        ),
        JobType(
            SEND_ALERT,
            "Sends one alert by e-mail or to a webhook; tried again for some hours.",
            Outside(_send_alert),
            max_attempts=_ATTEMPTS,
            first_wait_seconds=30,
        ),
    )


_NEW_DELIVERIES = text("""
    INSERT INTO alert_deliveries (alert_id, workspace_id, channel)
    SELECT a.id, a.workspace_id, c.channel
    FROM budget_alerts AS a
    CROSS JOIN unnest(CAST(:channels AS TEXT[])) AS c (channel)
    WHERE a.created_at > now() - :new AND a.acknowledged_at IS NULL AND a.snoozed_until IS NULL
        AND (a.ended_at IS NULL OR a.kind = 'emergency_stop')
        AND NOT EXISTS (SELECT FROM alert_deliveries AS d WHERE d.alert_id = a.id AND d.channel = c.channel)
    ORDER BY a.id
    ON CONFLICT DO NOTHING
    RETURNING id
""")
_REMINDERS = text("""
    WITH woken AS (
        UPDATE budget_alerts SET snoozed_until = NULL
        WHERE snoozed_until <= now() AND acknowledged_at IS NULL AND ended_at IS NULL
        RETURNING id, workspace_id
    )
    INSERT INTO alert_deliveries (alert_id, workspace_id, channel, round)
    SELECT w.id, w.workspace_id, c.channel,
        1 + COALESCE((SELECT MAX(d.round) FROM alert_deliveries AS d WHERE d.alert_id = w.id), 0)
    FROM woken AS w
    CROSS JOIN unnest(CAST(:channels AS TEXT[])) AS c (channel)
    ON CONFLICT DO NOTHING
    RETURNING id
""")


def _send_alerts(handle: Handle) -> Outcome:
    """A message and its job are there together or not at all."""
    channels = list(open_channels())
    workspaces = all_workspaces(handle.engines.pipe)
    with seeing(handle.engines.rw, workspaces, actor=f"the job {SEND_ALERTS}") as connection:
        found = [
            *connection.scalars(_REMINDERS, {"channels": channels}),
            *connection.scalars(_NEW_DELIVERIES, {"channels": channels, "new": _NEW}),
        ]
        for key in found:
            queue.enqueue(
                connection,
                SEND_ALERT,
                payload={"delivery": str(key)},
                unique_key=f"{SEND_ALERT} {key}",
                max_attempts=_ATTEMPTS,
            )
    return {"messages": len(found)}


_DELIVERY = text("""
    SELECT d.id, d.channel, d.status, d.round, a.workspace_id, a.id AS alert_id, a.kind, a.created_at, a.spent,
        COALESCE(a.reason, a.threshold || ' % of the budget are spent.', '') AS says, b.name AS budget, b.amount,
        b.period, w.name AS workspace
    FROM alert_deliveries AS d
    JOIN budget_alerts AS a ON a.id = d.alert_id
    LEFT JOIN budgets AS b ON b.id = a.budget_id
    LEFT JOIN workspaces AS w ON w.id = a.workspace_id
    WHERE d.id = :delivery
""")


def _send_alert(handle: Handle) -> Outcome:
    with handle.engines.pipe.connect() as connection:
        row = connection.execute(_DELIVERY, {"delivery": handle.job.payload["delivery"]}).mappings().one()
    if row["status"] == "sent":
        return {"sent": False}
    try:
        send(row["channel"], message(_told(row)))
    except SightlineError as error:
        is_last = handle.job.attempt >= handle.job.max_attempts
        _note(handle, row, status="failed" if is_last else "pending", error=str(error)[:_LONGEST_ERROR])
        raise
    _note(handle, row, status="sent", error=None)
    return {"sent": True}


def _note(handle: Handle, row: RowMapping, *, status: str, error: str | None) -> None:
    """What became of it, as the page shows it beside the alert."""
    own = () if row["workspace_id"] is None else (row["workspace_id"],)
    with seeing(handle.engines.rw, own, actor=f"the job {SEND_ALERT}") as connection:
        connection.execute(
            update(AlertDelivery)
            .where(AlertDelivery.id == row["id"])
            .values(
                status=status,
                error=error,
                attempts=AlertDelivery.attempts + 1,
                sent_at=func.now() if status == "sent" else None,
            )
        )


def _told(row: RowMapping) -> Told:
    return Told(
        id=row["alert_id"],
        kind=AlertKind(row["kind"]),
        at=row["created_at"],
        says=row["says"],
        budget=row["budget"],
        workspace=row["workspace"],
        spent=row["spent"],
        amount=row["amount"],
        period=row["period"],
        round=row["round"],
        page=f"{settings().public_url or f'http://127.0.0.1:{settings().port}'}/budgets?show=Alerts",
    )
