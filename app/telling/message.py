"""A message about an alert: what it says in plain text, to whichever channel takes it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from app.money.budgets import AlertKind

_KINDS = {
    AlertKind.THRESHOLD: "Budget",
    AlertKind.FORECAST: "Forecast",
    AlertKind.BLOCKED: "Calls refused",
    AlertKind.EMERGENCY_STOP: "AI is stopped",
    AlertKind.UNPRICED: "Calls without a price",
    AlertKind.ANOMALY: "Unusual cost",
    AlertKind.EVALUATION_FAILED: "AI cost could not be checked",
}


@dataclass(frozen=True)
class Told:
    """An alert as it is told."""

    id: UUID
    kind: AlertKind
    at: datetime
    says: str
    budget: str | None
    workspace: str | None
    spent: Decimal | None
    amount: Decimal | None
    period: str | None
    round: int
    page: str


@dataclass(frozen=True)
class Message:
    """What is sent. The same alert told again in the same round has the same key."""

    key: str
    subject: str
    text: str


def message(told: Told) -> Message:
    """Few lines: what, of what, how much, and where to look."""
    of = told.budget or told.workspace
    subject = f"{'Reminder: ' if told.round > 1 else ''}{_KINDS[told.kind]}{f': {of}' if of else ''}"
    lines = [told.says]
    if told.spent is not None and told.amount is not None:
        lines.append(f"Spent: {told.spent:,.2f} of {told.amount:,.2f} USD ({_period(told.period)}).")
    if told.workspace and told.budget:
        lines.append(f"Workspace: {told.workspace}.")
    lines.append(f"At {told.at:%Y-%m-%d %H:%M} UTC. Look at it, acknowledge it or put it off: {told.page}")
    return Message(f"{told.id}.{told.round}", subject, "\n".join(lines))


def _period(period: str | None) -> str:
    return "in all" if period in {None, "lifetime"} else f"this {period}"
