"""Calls that were made, gone through once more as if their workspace had another plan."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

REFUSED = "refused"

_CALLS = text(
    """
    SELECT CAST(c.at AT TIME ZONE 'UTC' AS DATE) AS day, CAST(SUM(c.times) AS BIGINT) AS calls, SUM(c.cost) AS cost,
        CAST(SUM(c.unpriced) AS BIGINT) AS unpriced
    FROM metered_calls(:workspace, :product, :since, :until) AS c
    GROUP BY CAST(c.at AT TIME ZONE 'UTC' AS DATE)
    """
)
_PASSED = text(
    """
    WITH passed AS (
        SELECT CAST(r.at AT TIME ZONE 'UTC' AS DATE) AS day, r.verdict, (r.level).meter, (r.level).period,
            (r.level).source, (r.level).user_id IS NOT NULL AS of_customer, r.customer, r.at, r.calls, r.amount,
            r.cost, r.level
        FROM replay_quotas(:workspace, :product, :plan, :since, :until) AS r
    ),
    days AS (
        SELECT p.meter, p.period, p.source, p.of_customer, p.verdict, p.day, MIN(p.at) AS first_at,
            CAST(SUM(p.calls) AS BIGINT) AS calls, CAST(SUM(p.amount) AS BIGINT) AS amount, SUM(p.cost) AS cost,
            (array_agg(p.level ORDER BY p.at))[1] AS level, array_agg(DISTINCT p.customer) AS customers
        FROM passed AS p
        GROUP BY p.meter, p.period, p.source, p.of_customer, p.verdict, p.day
    )
    SELECT d.meter, d.period, d.source, d.of_customer, d.verdict, d.day, d.first_at, d.calls, d.amount, d.cost,
        (d.level).limit_amount + (d.level).rolled_over AS allowed, d.customers,
        quota_refused(:workspace, :product, d.level, :plan) -> 'degrade' AS shown
    FROM days AS d
    ORDER BY d.first_at, d.meter, d.period
    """
)


@dataclass(frozen=True)
class Window:
    """Whose calls of which product, and of what time."""

    workspace_id: UUID
    product: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Calls:
    """What was asked for in all, and what calls of AI cost, by the day (UTC)."""

    number: int
    unpriced: int
    cost_by_day: Mapping[date, Decimal]


@dataclass(frozen=True)
class Passed:
    """A limit that calls were refused by, or that they passed: when first, how often, and how much was beyond it."""

    verdict: str
    meter: str
    period: str
    source: str
    of_customer: bool
    customers: int
    allowed: int
    first_at: datetime
    calls: int
    amount: int
    action: str
    title: str
    says: str
    prompt: str | None

    @property
    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "first_at": self.first_at.isoformat()}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Passed":
        """As it was kept."""
        return cls(**{**kept, "first_at": datetime.fromisoformat(kept["first_at"])})


@dataclass(frozen=True)
class Replay:
    """What a plan would have refused or flagged, and the cost of AI that refusals would have saved."""

    passed: tuple[Passed, ...]
    saved_by_day: Mapping[date, Decimal]

    @property
    def refused(self) -> int:
        return sum(one.calls for one in self.passed if one.verdict == REFUSED)

    @property
    def flagged(self) -> int:
        return sum(one.calls for one in self.passed if one.verdict != REFUSED)

    @property
    def first_refused_at(self) -> datetime | None:
        return min((one.first_at for one in self.passed if one.verdict == REFUSED), default=None)


def calls_in(connection: Connection, window: Window) -> Calls:
    """How many calls there were, and what they cost."""
    found = connection.execute(_CALLS, _named(window)).all()
    return Calls(
        sum(row.calls for row in found), sum(row.unpriced for row in found), {row.day: row.cost for row in found}
    )


def replay(connection: Connection, window: Window, plan_id: UUID) -> Replay:
    """Go through the calls of a window as if the workspace had this plan; nothing is written."""
    days = connection.execute(_PASSED, {**_named(window), "plan": plan_id}).mappings().all()
    saved: dict[date, Decimal] = defaultdict(Decimal)
    by_limit: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in days:
        saved[row["day"]] += row["cost"]
        by_limit[row["verdict"], row["meter"], row["period"], row["source"], row["of_customer"]].append(dict(row))
    return Replay(tuple(_passed(key, rows) for key, rows in by_limit.items()), saved)


def _passed(key: tuple[Any, ...], rows: list[Mapping[str, Any]]) -> Passed:
    verdict, meter, period, source, of_customer = key
    first = rows[0]
    shown = first["shown"]
    return Passed(
        verdict=verdict,
        meter=meter,
        period=period,
        source=source,
        of_customer=of_customer,
        customers=len({customer for row in rows for customer in row["customers"] if customer is not None}),
        allowed=first["allowed"],
        first_at=first["first_at"],
        calls=sum(row["calls"] for row in rows),
        amount=sum(row["amount"] for row in rows),
        action=shown["action"],
        title=shown["title"],
        says=shown["text"],
        prompt=shown["prompt"],
    )


def _named(window: Window) -> dict[str, Any]:
    return {
        "workspace": window.workspace_id,
        "product": window.product,
        "since": window.since,
        "until": window.until,
    }
