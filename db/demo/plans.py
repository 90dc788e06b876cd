"""The plans of the five products: tiers, versions, prices in three currencies, limits and features."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from db.demo.keys import key_at
from db.demo.rows import Row
from db.demo.seasons import DAY, Season, micros, moment

# Products as they write themselves.
_NAMES = {
    "email_studio": "Email Studio",
    "web_builder": "Web Builder",
    "craft_ads": "CraftAds",
    "ads_autopilot": "Ads Autopilot",
    "mailer": "Mailer",
}
# Product: tier and its price a month.
LADDERS: dict[str, dict[str, dict[str, int]]] = {
    "email_studio": {"free": {"USD": 0, "EUR": 0}, "pro": {"USD": 29, "EUR": 27}, "agency": {"USD": 99, "EUR": 92}},
    "web_builder": {
        "free": {"USD": 0, "EUR": 0},
        "creator": {"USD": 19, "EUR": 18},
        "business": {"USD": 49, "EUR": 46},
        "agency": {"USD": 149, "EUR": 139},
    },
    "craft_ads": {"free": {"USD": 0, "EUR": 0}, "starter": {"USD": 15, "EUR": 14}, "pro": {"USD": 45, "EUR": 42}},
    "ads_autopilot": {
        "starter": {"USD": 39, "INR": 2999},
        "pro": {"USD": 99, "INR": 7999},
        "business": {"USD": 249, "INR": 19999},
    },
    "mailer": {
        "free": {"USD": 0, "EUR": 0},
        "starter": {"USD": 12, "EUR": 11},
        "growth": {"USD": 39, "EUR": 36},
        "pro": {"USD": 89, "EUR": 83},
        "scale": {"USD": 299, "EUR": 279},
    },
}
_METERS: dict[str, dict[str, tuple[int | None, ...]]] = {
    "email_studio": {"generations": (20, 500, 5000), "template_versions": (5, None, None)},
    "web_builder": {
        "generations": (10, 200, 1000, None),
        "campaigns": (1, 10, 50, None),
        "storage_bytes": (10**8, 10**10, 10**11, 10**12),
    },
    "craft_ads": {"image_generations": (10, 200, 1000), "ai_credits": (20, 400, 2000)},
    "ads_autopilot": {"ai_credits": (100, 500, 2500), "imagen": (50, 200, 1000), "veo": (2, 10, 50)},
    "mailer": {
        "emails": (1_000, 10_000, 60_000, 250_000, None),
        "contacts": (500, 2_500, 15_000, 50_000, None),
        "api_calls": (1_000, 10_000, 100_000, 1_000_000, None),
    },
}
_CREDITS = {"free": 10, "starter": 100, "creator": 100, "growth": 200, "pro": 400, "business": 1000, "agency": 2000}
_MONTHS_PAID_PER_YEAR = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a tier, for one currency and billing period."""

    id: UUID
    product: str
    tier: str
    version: int
    billing_period: str
    currency: str
    price: int
    credits: int
    row: Row


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All plans, with their limits and features."""

    season: Season
    plans: list[Plan]
    limits: list[Row]
    features: list[Row]

    def sold(self, product: str, tier: str, currency: str, period: str, at: int) -> Plan:
        """The version that a customer got at that time; in dollars where the currency has no price."""
        asked = currency if currency in LADDERS[product][tier] else "USD"
        version = 2 if at >= self.season.price_change and LADDERS[product][tier]["USD"] else 1
        return next(
            plan
            for plan in self.plans
            if (plan.product, plan.tier, plan.currency, plan.billing_period, plan.version)
            == (product, tier, asked, period, version)
        )


def make_catalogue(rng: np.random.Generator, season: Season) -> Catalogue:
    """Every plan that was ever sold, and one draft."""
    plans: list[Plan] = []
    for product, ladder in LADDERS.items():
        for tier, prices in ladder.items():
            for currency, price in prices.items():
                plans.extend(_versions(rng, season, (product, tier, currency), price))
    plans.append(_plan(rng, season, ("mailer", "pro", "USD", "monthly"), 3, 99))
    limits = [row for plan in plans for row in _limits(rng, plan)]
    features = [row for plan in plans for row in _features(rng, plan)]
    return Catalogue(season, plans, limits, features)


def _versions(rng: np.random.Generator, season: Season, kind: tuple[str, str, str], price: int) -> list[Plan]:
    product, tier, currency = kind
    if price == 0:
        return [_plan(rng, season, (product, tier, currency, "monthly"), 1, 0)]
    return [
        _plan(rng, season, (product, tier, currency, period), version, amount * months)
        for period, months in (("monthly", 1), ("annual", _MONTHS_PAID_PER_YEAR))
        for version, amount in ((1, price * 17 // 20), (2, price))
    ]


def _plan(rng: np.random.Generator, season: Season, kind: tuple[str, str, str, str], version: int, price: int) -> Plan:
    product, tier, currency, period = kind
    published = season.price_change if version > 1 else season.start - 400 * DAY
    is_draft, is_retired = version > 2, version == 1 and price > 0  # noqa: PLR2004
    key = key_at(rng, published)
    row = {
        "id": key,
        "product": product,
        "tier": tier,
        "version": version,
        "status": "draft" if is_draft else "retired" if is_retired else "published",
        "name": f"{_NAMES[product]} {tier.title()}",
        "description": f"The {tier} tier, billed {'every year' if period == 'annual' else 'every month'}.",
        "price": Decimal(price),
        "currency": currency,
        "billing_period": period,
        "generation_credits": _CREDITS.get(tier, 4000),
        "has_watermark": tier == "free",
        "published_at": None if is_draft else moment(published),
        "retired_at": moment(season.price_change) if is_retired else None,
        "created_at": moment(published - 5 * DAY),
        "updated_at": moment(published),
    }
    return Plan(key, product, tier, version, period, currency, price, _CREDITS.get(tier, 4000), row)


def _limits(rng: np.random.Generator, plan: Plan) -> list[Row]:
    step = list(LADDERS[plan.product]).index(plan.tier)
    return [
        {
            "id": key_at(rng, plan_time(plan)),
            "plan_id": plan.id,
            "meter": meter,
            "period": _period(meter),
            "amount": amounts[step],
            "enforcement": "soft" if meter in {"contacts", "storage_bytes"} else "hard",
            "grace_amount": 0 if plan.tier == "free" or amounts[step] is None else (amounts[step] or 0) // 20,
            "grace_days": 0 if plan.tier == "free" else 3,
            "rolls_over": meter == "ai_credits" and plan.tier != "free",
            "created_at": plan.row["created_at"],
            "updated_at": plan.row["created_at"],
        }
        for meter, amounts in _METERS[plan.product].items()
    ]


def _period(meter: str) -> str:
    if meter in {"imagen", "veo"}:
        return "day"
    return "lifetime" if meter in {"template_versions", "contacts", "storage_bytes"} else "month"


def _features(rng: np.random.Generator, plan: Plan) -> list[Row]:
    is_free = plan.tier == "free"
    features: dict[str, tuple[str, Any]] = {
        "watermark_free": ("boolean", not is_free),
        "team_seats": ("static", 1 if is_free else 5 if plan.tier in {"starter", "creator", "growth"} else 25),
        "priority_support": ("boolean", plan.tier in {"pro", "business", "agency", "scale"}),
        next(iter(_METERS[plan.product])): ("metered", {"meter": next(iter(_METERS[plan.product]))}),
    }
    return [
        {
            "id": key_at(rng, plan_time(plan)),
            "plan_id": plan.id,
            "feature": feature,
            "kind": kind,
            "value": value,
            "created_at": plan.row["created_at"],
            "updated_at": plan.row["created_at"],
        }
        # A bare true or 5 is written the same as JSON and as text.
        for feature, (kind, value) in features.items()
    ]


def plan_time(plan: Plan) -> int:
    """When a plan was made, as arrays keep it."""
    return micros(plan.row["created_at"])
