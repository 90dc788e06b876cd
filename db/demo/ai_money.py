"""Budgets and their alerts, and quotas."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

import numpy as np

from db.demo.generations import Generations
from db.demo.keys import key_at
from db.demo.plans import Catalogue
from db.demo.prices import DOLLAR, MODELS
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, Season, first_of_month, moment, month_of
from db.demo.subscriptions import Subscription
from db.demo.world import World

_THRESHOLDS = (50, 80, 100)


def _dollars(cost: int) -> Decimal:
    return Decimal(cost).scaleb(-12)


def _month_start(month: int) -> int:
    first = first_of_month(month)
    return (first - date(1970, 1, 1)).days * DAY


def budget_rows(rng: np.random.Generator, world: World, made: Generations) -> tuple[list[Row], list[Row]]:
    """Budgets of the company, of providers and of the largest workspaces, and each threshold that was reached."""
    season = world.season
    at = season.start
    everything = np.ones(len(made), bool)
    scopes: list[tuple[Row, np.ndarray]] = [({"name": "All AI", "scope": "company"}, everything)]
    for provider in ("openai", "anthropic", "google"):
        own = np.array([one == provider for one, _ in MODELS])[made.model]
        scopes.append(({"name": f"AI of {provider}", "scope": "provider", "scope_value": provider}, own))
    for workspace in world.workspaces[:6]:
        row = {"name": f"AI of {workspace.row['name']}", "scope": "workspace", "workspace_id": workspace.id}
        scopes.append((row, made.workspace == workspace.index))
    budgets, alerts = [], []
    for position, (row, chosen) in enumerate(scopes):
        spent = _spent_by_month(made, chosen)
        usual = sorted(spent.values())[len(spent) // 2] if spent else DOLLAR
        budget = {
            **row,
            "id": key_at(rng, at),
            "amount": Decimal(max(1, round(usual / DOLLAR * 1.25))),
            "currency": "USD",
            "period": "month",
            "at_limit": "block" if position == len(scopes) - 1 else "notify",
            "created_at": moment(at),
            "updated_at": moment(at),
        }
        budgets.append(budget)
        alerts += _alerts(rng, season, budget, made, chosen)
    return budgets, alerts


def _spent_by_month(made: Generations, chosen: np.ndarray) -> dict[int, int]:
    months = month_of(made.at[chosen])
    cost = np.where(made.version[chosen] > 0, made.cost[chosen], 0)
    return {int(month): int(cost[months == month].sum()) for month in np.unique(months)}


def _alerts(rng: np.random.Generator, season: Season, budget: Row, made: Generations, chosen: np.ndarray) -> list[Row]:
    rows = []
    at, cost = made.at[chosen], np.where(made.version[chosen] > 0, made.cost[chosen], 0)
    months = month_of(at)
    for month in np.unique(months):
        running = np.cumsum(cost[months == month])
        for threshold in _THRESHOLDS:
            reached = int(np.searchsorted(running, int(budget["amount"]) * DOLLAR * threshold // 100))
            if reached == len(running):
                break
            reached_at = int(at[months == month][reached])
            rows.append(
                {
                    "id": key_at(rng, reached_at),
                    "budget_id": budget["id"],
                    "workspace_id": budget.get("workspace_id"),
                    "kind": "threshold",
                    "period_start": moment(_month_start(int(month))),
                    "threshold": threshold,
                    "spent": _dollars(int(running[reached])),
                    "acknowledged_at": moment(min(reached_at + 5 * HOUR, season.end)) if threshold < 100 else None,  # noqa: PLR2004
                    "created_at": moment(reached_at),
                }
            )
    return rows


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
        if monthly and rng.random() < 0.08:  # noqa: PLR2004
            overrides.append(_override(rng, season, one, monthly[0]))
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
        "limit_amount": (limit["amount"] or 0) * 2 + 100,
        "reason": "A launch is coming; agreed with the customer.",
        "starts_at": moment(at),
        "ends_at": moment(season.end + 30 * DAY),
        "created_at": moment(at),
        "updated_at": moment(at),
    }
