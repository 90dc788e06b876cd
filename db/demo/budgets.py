"""Budgets near their limits, the alerts of thirteen months with what became of them, and a stop that has ended."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np

from db.demo.generations import LINES, Generations
from db.demo.keys import key_at
from db.demo.prices import DOLLAR, MODELS
from db.demo.rows import Row
from db.demo.seasons import DAY, HOUR, MINUTE, SECOND, Ints, Season, first_of_month, micros, moment, month_of
from db.demo.world import World

_THRESHOLDS = (50, 80, 100)
_FULL = 100
# Of the amount, so much is spent by the last day: one budget is over, one nearly, others are well.
_COMPANY, _PROVIDERS, _WORKSPACES = 0.72, {"openai": 0.93, "anthropic": 1.04, "google": 0.5}, (0.97, 0.45, 0.66, 0.3)
_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}
_EVALUATED_DAYS = 10
_TOLD_DAYS = 60
_BLOCKS = ("google", 0)
# In the first days of a month nothing is near a limit yet.
_EARLY_DAYS = 8


@dataclass
class Budgets:
    """The rows of each table, in the order in which they refer to each other."""

    budgets: list[Row] = field(default_factory=list)
    stops: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    evaluations: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Covered:
    """A budget to be made: of which calls, and how much of it is spent."""

    row: Row
    calls: np.ndarray
    share: float
    blocks: bool = False


def make_budgets(rng: np.random.Generator, world: World, made: Generations) -> Budgets:
    """Budgets of the company, of providers, a product, a type, the largest workspaces and a customer."""
    rows = Budgets()
    for one in _covered(world, made):
        _add(rng, world.season, rows, one, made)
    _add_stop(rng, world.season, rows)
    for alert in rows.alerts:
        if micros(alert["created_at"]) > world.season.end - _TOLD_DAYS * DAY:
            rows.deliveries += [_delivery(rng, alert, channel) for channel in ("email", "webhook")]
    return rows


def _covered(world: World, made: Generations) -> list[Covered]:
    found = [Covered({"name": "All AI", "scope": "company"}, np.ones(len(made), bool), _COMPANY)]
    for provider, share in _PROVIDERS.items():
        calls = np.array([one == provider for one, _ in MODELS])[made.model]
        row = {"name": f"AI of {_NAMES[provider]}", "scope": "provider", "scope_value": provider}
        found.append(Covered(row, calls, share, blocks=provider in _BLOCKS))
    ads = np.array([line.product == "craft_ads" for line in LINES])[made.line]
    found.append(Covered({"name": "CraftAds", "scope": "product", "scope_value": "craft_ads"}, ads, 0.83))
    videos = np.array([line.kind == "video" for line in LINES])[made.line]
    found.append(Covered({"name": "Videos", "scope": "generation_type", "scope_value": "video"}, videos, 0.61))
    for workspace, share in zip(world.workspaces, _WORKSPACES, strict=False):
        own: Row = {"name": f"AI of {workspace.row['name']}", "scope": "workspace", "workspace_id": workspace.id}
        found.append(Covered(own, made.workspace == workspace.index, share, blocks=workspace.index in _BLOCKS))
    first = world.workspaces[0]
    of_owner: Row = {"name": f"AI of {first.owner.row['name']}", "scope": "user", "workspace_id": first.id}
    owners = made.person == world.people.index(first.owner)
    found.append(Covered({**of_owner, "user_id": first.owner.id}, owners, 0.55))
    return found


def _add(rng: np.random.Generator, season: Season, rows: Budgets, one: Covered, made: Generations) -> None:
    at, cost = made.at[one.calls], np.where(made.version[one.calls] > 0, made.cost[one.calls], 0)
    budget = {
        **one.row,
        "id": key_at(rng, season.start),
        "amount": _amount(season, at, cost, one.share),
        "currency": "USD",
        "period": "month",
        "at_limit": "block" if one.blocks else "notify",
        "created_at": moment(season.start),
        "updated_at": moment(season.start),
    }
    alerts = _alerts(rng, season, budget, at, cost)
    rows.budgets.append(budget)
    rows.alerts += alerts
    rows.evaluations += _evaluations(rng, season, budget, at, cost)


def _amount(season: Season, at: Ints, cost: Ints, share: float) -> Decimal:
    months = month_of(at)
    by_month = sorted(int(cost[months == month].sum()) for month in np.unique(months)) or [DOLLAR]
    now = int(cost[months == _this_month(season)].sum())
    is_early = (season.today - first_of_month(_this_month(season))).days < _EARLY_DAYS
    wanted = by_month[len(by_month) // 2] * 1.25 if is_early or not now else now / share
    return max(Decimal("0.01"), Decimal(round(wanted / DOLLAR * 100)) / 100)


def _alerts(rng: np.random.Generator, season: Season, budget: Row, at: Ints, cost: Ints) -> list[Row]:
    found = []
    months = month_of(at)
    for month in np.unique(months):
        running = np.cumsum(cost[months == month])
        reached = [
            (threshold, int(np.searchsorted(running, float(budget["amount"]) * DOLLAR * threshold / _FULL)))
            for threshold in _THRESHOLDS
        ]
        reached = [(threshold, place) for threshold, place in reached if place < len(running)]
        for threshold, place in reached:
            moment_of = int(at[months == month][place])
            is_open = month == _this_month(season) and threshold == reached[-1][0]
            found.append(
                {
                    "id": key_at(rng, moment_of),
                    "budget_id": budget["id"],
                    "workspace_id": budget.get("workspace_id"),
                    "kind": "threshold",
                    "about": "",
                    "period_start": moment(_start(int(month))),
                    "threshold": threshold,
                    "spent": _dollars(int(running[place])),
                    "reason": f"{threshold} % of the budget are spent.",
                    "acknowledged_at": None if is_open else moment(min(moment_of + 5 * HOUR, season.end)),
                    "created_at": moment(moment_of),
                }
            )
    return found


def _evaluations(rng: np.random.Generator, season: Season, budget: Row, at: Ints, cost: Ints) -> list[Row]:
    """One of each morning; the worker makes one every few minutes."""
    rows = []
    for back in range(_EVALUATED_DAYS, 0, -1):
        looked_at = season.end - back * DAY + 6 * HOUR
        month = int(month_of(np.array([looked_at]))[0])
        since = _start(month)
        rows.append(
            {
                "id": key_at(rng, looked_at),
                "budget_id": budget["id"],
                "workspace_id": budget.get("workspace_id"),
                "period_start": moment(since),
                "period_end": moment(_start(month + 1)),
                "amount": budget["amount"],
                "spent": _dollars(int(cost[(at >= since) & (at < looked_at)].sum())),
                "held": Decimal(0),
                "unpriced": 0,
                "created_at": moment(looked_at),
            }
        )
    return rows


def _add_stop(rng: np.random.Generator, season: Season, rows: Budgets) -> None:
    """Somebody stopped a provider for an afternoon, five weeks ago."""
    at = season.end - 36 * DAY + 9 * HOUR + 12 * MINUTE
    ended_at = moment(at + 5 * HOUR + 40 * MINUTE)
    why = "Prices of videos doubled overnight; stopped until somebody has looked."
    stop = {
        "id": key_at(rng, at),
        "scope": "provider",
        "scope_value": "google",
        "reason": why,
        "ended_at": ended_at,
        "end_reason": "The new prices are in the book, and the budget was raised.",
        "refused": 37,
        "created_at": moment(at),
    }
    rows.stops.append(stop)
    rows.alerts.append(
        {
            "id": key_at(rng, at),
            "kind": "emergency_stop",
            "about": "google",
            "stop_id": stop["id"],
            "period_start": moment(at),
            "reason": why,
            "ended_at": ended_at,
            "created_at": moment(at),
        }
    )


def _delivery(rng: np.random.Generator, alert: Row, channel: str) -> Row:
    at = micros(alert["created_at"]) + int(rng.integers(20, 90)) * SECOND
    is_lost = channel == "webhook" and rng.random() < 0.1  # noqa: PLR2004
    return {
        "id": key_at(rng, at),
        "workspace_id": alert.get("workspace_id"),
        "alert_id": alert["id"],
        "channel": channel,
        "status": "failed" if is_lost else "sent",
        "attempts": 8 if is_lost else 1,
        "error": "The alert could not be sent to the webhook. It answered 503." if is_lost else None,
        "sent_at": None if is_lost else moment(at),
        "created_at": alert["created_at"],
        "updated_at": moment(at),
    }


def _this_month(season: Season) -> int:
    return int(month_of(np.array([season.end - 1]))[0])


def _start(month: int) -> int:
    return (first_of_month(month) - date(1970, 1, 1)).days * DAY


def _dollars(cost: int) -> Decimal:
    return Decimal(cost).scaleb(-12)
