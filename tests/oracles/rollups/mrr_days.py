"""How monthly recurring revenue moved: each product of a workspace is followed from day to day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import text

SUBSCRIPTIONS = """
SELECT w.code AS workspace_code, s.id, s.product, s.tier, s.status, s.billing_cycle, s.price,
    CAST(s.currency AS TEXT) AS currency, s.started_at, s.ends_at, s.trial_ends_at, s.cancelled_at
FROM subscriptions AS s
JOIN workspaces AS w ON w.id = s.workspace_id
"""
MOVES = ("mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Paid:
    """A subscription that is worth something, from one day to another."""

    tier: str
    monthly: Decimal
    begins_at: datetime
    begins: date
    ends: date

    def counts_on(self, day):
        return self.begins <= day < self.ends


def answer(connection, zone):
    """The rows of the rollup."""
    followed = defaultdict(list)
    for row in connection.execute(text(SUBSCRIPTIONS)):
        key = {name: getattr(row, name) for name in ("workspace_code", "product", "currency")}
        yield from _counted(key, row, ZoneInfo(zone))
        if row.status != "trialing" and row.price:
            followed[tuple(key.items())].append(_paid(row, ZoneInfo(zone)))
    for key, subscriptions in followed.items():
        yield from _moves(dict(key), subscriptions)


def _end_of(row):
    """What was cancelled or has expired ended at some time; other ends are set or not."""
    if row.status in {"cancelled", "expired"}:
        return row.ends_at or row.cancelled_at or row.started_at
    return row.ends_at


def _counted(key, row, zone):
    ended_at = _end_of(row)
    yield {**key, "tier": row.tier, "day": row.started_at.astimezone(zone).date(), "subscriptions_started": 1}
    if ended_at:
        yield {**key, "tier": row.tier, "day": ended_at.astimezone(zone).date(), "subscriptions_ended": 1}


def _paid(row, zone):
    ended_at = _end_of(row)
    begins_at = row.trial_ends_at or row.started_at
    monthly = row.price / 12 if row.billing_cycle == "annual" else row.price
    return Paid(
        row.tier,
        monthly.quantize(Decimal("0.000001"), ROUND_HALF_UP),
        begins_at,
        begins_at.astimezone(zone).date(),
        ended_at.astimezone(zone).date() if ended_at else date.max,
    )


def _moves(key, subscriptions):
    """From each day on which something began or ended to the next: what was, what is, and what that is called."""
    was, ever = NOTHING, False
    for day in sorted({day for one in subscriptions for day in (one.begins, one.ends)} - {date.max}):
        counted = sum((one.monthly for one in subscriptions if one.counts_on(day)), NOTHING)
        if counted != was:
            change = counted - was
            name = _name(was, counted, ever=ever)
            yield {**key, "tier": _tier(subscriptions, day), "day": day, name: change, "mrr_change": change}
        was, ever = counted, ever or counted > 0


def _name(was, counted, *, ever):
    if not was:
        return "mrr_reactivation" if ever else "mrr_new"
    if not counted:
        return "mrr_churn"
    return "mrr_expansion" if counted > was else "mrr_contraction"


def _tier(subscriptions, day):
    """Of what began last and stays, else of what is left."""
    stays = [one for one in subscriptions if one.begins == day and one.counts_on(day)]
    left = [one for one in subscriptions if one.begins < day and one.ends == day]
    return max(stays or left, key=lambda one: one.begins_at).tier
