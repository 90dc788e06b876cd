"""Jobs that look at AI cost itself: calls that nobody has a price for, and days that were not as usual."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from app.jobs import queue
from app.jobs.alerts import SEND_ALERTS, Raised, raise_alert
from app.jobs.catalogue import Handle, JobType, Outcome
from app.jobs.schedules import Daily, Every
from app.jobs.told import told_when_it_fails
from app.money.anomalies import UNIT_WEIGHTS, Anomaly, DayOfUse, Use, anomalies
from app.money.budgets import AlertKind
from app.settings import settings
from db.engine import seeing

WATCH_UNPRICED = "watch_unpriced_calls"
WATCH_UNUSUAL = "watch_unusual_costs"
EVERY_SECONDS = 900
# Four weeks tell what is usual, and four more which of these were unusual themselves; days before are judged late.
_DAYS_OF_USE = 59
_DAYS_JUDGED = 3

# Of the months that pricing looks back on; what is younger than a quarter of an hour may be priced any moment.
_UNPRICED = text("""
    SELECT provider || '/' || model AS model, COUNT(*) AS calls, MIN(unpriced_because) AS because
    FROM ai_generations
    WHERE cost IS NULL AND status IN ('completed', 'failed', 'cancelled')
        AND created_at >= now() - interval '62 days' AND created_at < now() - interval '15 minutes'
    GROUP BY provider, model
    ORDER BY 1
""")
_PRICED_BY_NOW = text("""
    UPDATE budget_alerts SET ended_at = now()
    WHERE kind = 'unpriced' AND ended_at IS NULL AND about <> ALL (CAST(:still AS TEXT[]))
""")
_UNITS = " + ".join(f"{weight} * g.{column}" for column, weight in UNIT_WEIGHTS.items())
_USE = text(f"""
    SELECT CAST(g.created_at AT TIME ZONE :zone AS DATE) AS day, w.id AS workspace, w.name, g.model, COUNT(*) AS calls,
        SUM({_UNITS}) AS units,
        SUM(g.cost) AS cost,
        COUNT(*) FILTER (WHERE g.status = 'failed') AS failed
    FROM ai_generations AS g
    JOIN workspaces AS w ON w.id = g.workspace_id
    WHERE g.cost IS NOT NULL AND g.created_at >= :since AND g.created_at < :until
    GROUP BY 1, w.id, w.name, g.model
""")  # noqa: S608 - our own columns


def cost_jobs(zone: str) -> tuple[JobType, ...]:
    """What they find concerns the company: the alerts are of no workspace."""
    return (
        JobType(
            WATCH_UNPRICED,
            "Raises an alert for each model whose calls have no price, and ends it when they have one.",
            told_when_it_fails(WATCH_UNPRICED, "Calls without a price could not be looked for.", _watch_unpriced),
            Every(EVERY_SECONDS),
        ),
        JobType(
            WATCH_UNUSUAL,
            "Raises an alert for each of the last days whose AI cost was unusual, with who made it so.",
            told_when_it_fails(WATCH_UNUSUAL, "Unusual days could not be looked for.", _watch_unusual),
            Daily(time(5, 0), zone),
            lease_seconds=300,
        ),
    )


def _watch_unpriced(handle: Handle) -> Outcome:
    with handle.engines.pipe.connect() as connection:
        found = connection.execute(_UNPRICED).all()
        month = connection.execute(text("SELECT date_trunc('month', now(), 'UTC')")).scalar_one()
    with seeing(handle.engines.rw, (), actor=f"the job {WATCH_UNPRICED}") as connection:
        connection.execute(_PRICED_BY_NOW, {"still": [row.model for row in found]})
        raised = _told(
            connection,
            [
                Raised(AlertKind.UNPRICED, month, _unpriced(row.calls, row.model, row.because), about=row.model)
                for row in found
            ],
        )
    return {"models": len(found), "raised": raised}


def _unpriced(calls: int, model: str, because: str | None) -> str:
    why = f": {because}" if because else ""
    return f"{calls:,} calls of {model} have no price{why}. What they cost is in no figure and no budget."


def _watch_unusual(handle: Handle) -> Outcome:
    zone = ZoneInfo(settings().zone)
    today = datetime.now(zone).date()
    first = today - timedelta(days=_DAYS_OF_USE)
    with handle.engines.pipe.connect() as connection:
        asked = {"zone": settings().zone, "since": _start(first, zone), "until": _start(today, zone)}
        used = connection.execute(_USE, asked).all()
    # Two workspaces may have one name: each is judged by itself.
    names = {str(row.workspace): row.name for row in used}
    history = [
        DayOfUse(row.day, str(row.workspace), row.model, Use(row.calls, Decimal(row.units), row.cost, row.failed))
        for row in used
    ]
    found = anomalies(history, today - timedelta(days=_DAYS_JUDGED), today)
    with seeing(handle.engines.rw, (), actor=f"the job {WATCH_UNUSUAL}") as connection:
        raised = _told(
            connection,
            [
                Raised(AlertKind.ANOMALY, _start(one.day, zone), _unusual(one, names), about="day", spent=one.cost)
                for one in found
            ],
        )
    return {"days": len(found), "raised": raised}


def _unusual(one: Anomaly, names: Mapping[str, str]) -> str:
    driver = one.driver
    who = names[driver.workspace] if driver.workspace else "all workspaces"
    return (
        f"AI cost {one.cost:,.2f} USD on {one.day.day} {one.day:%B %Y} where {one.expected:,.2f} were usual:"
        f" {who}, {driver.model}, {abs(driver.by_cause):,.2f} {'more' if driver.by_cause > 0 else 'less'}"
        f" by {driver.cause}."
    )


def _told(connection: Connection, alerts: list[Raised]) -> int:
    raised = sum(raise_alert(connection, one) for one in alerts)
    if raised:
        queue.enqueue(connection, SEND_ALERTS, unique_key=SEND_ALERTS)
    return raised


def _start(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
