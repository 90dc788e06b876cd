"""Quotas: what is used of the limits of this month, and exceptions."""

from collections import defaultdict
from datetime import date

import numpy as np

from db.demo.keys import key_at
from db.demo.plans import Catalogue
from db.demo.rows import Row
from db.demo.seasons import DAY, Season, first_of_month, moment, month_of
from db.demo.subscriptions import Subscription
from db.demo.world import World


def _month_start(month: int) -> int:
    first = first_of_month(month)
    return (first - date(1970, 1, 1)).days * DAY


def quota_rows(
    rng: np.random.Generator, world: World, catalogue: Catalogue, subscriptions: list[Subscription]
) -> tuple[list[Row], list[Row]]:
    """What is used of every monthly limit this month, and some exceptions."""
    season = world.season
    month = int(month_of(np.array([season.end - 1]))[0])
    span = (_month_start(month), _month_start(month + 1))
    limits = defaultdict(list)
    for limit in catalogue.limits:
        limits[limit["plan_id"]].append(limit)
    balances, overrides = [], []
    for one in subscriptions:
        if one.status not in {"active", "trialing", "past_due"}:
            continue
        monthly = [limit for limit in limits[one.plan.id] if limit["period"] == "month"]
        balances += [_balance(rng, one, limit, span) for limit in monthly]
        limited = [limit for limit in monthly if limit["amount"] is not None]
        if limited and rng.random() < 0.08:  # noqa: PLR2004
            overrides.append(_override(rng, season, one, limited[0]))
    return balances, overrides


def _balance(rng: np.random.Generator, one: Subscription, limit: Row, span: tuple[int, int]) -> Row:
    amount = limit["amount"]
    ceiling = 5_000 if amount is None else amount
    used = min(ceiling, int(ceiling * rng.beta(2, 2) * 1.15))
    return {
        "workspace_id": one.workspace.id,
        "id": key_at(rng, span[0]),
        "product": one.plan.product,
        "meter": limit["meter"],
        "period": "month",
        "period_start": moment(span[0]),
        "period_end": moment(span[1]),
        "limit_amount": amount,
        "grace_amount": limit["grace_amount"],
        "is_soft": limit["enforcement"] == "soft",
        # Nothing is known of the month before, and so all of it is left.
        "rolled_over": amount if limit["rolls_over"] and amount else 0,
        "used": used,
        "opening_used": used,
        "created_at": moment(span[0]),
        "updated_at": moment(span[0]),
    }


def _override(rng: np.random.Generator, season: Season, one: Subscription, limit: Row) -> Row:
    at = season.end - int(rng.integers(1, 20)) * DAY
    return {
        "workspace_id": one.workspace.id,
        "id": key_at(rng, at),
        "product": one.plan.product,
        "meter": limit["meter"],
        "period": "month",
        "limit_amount": limit["amount"] * 2 + 100,
        "reason": "A launch is coming; agreed with the customer.",
        "starts_at": moment(at),
        "ends_at": moment(season.end + 30 * DAY),
        "created_at": moment(at),
        "updated_at": moment(at),
    }
