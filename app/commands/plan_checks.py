"""What a plan can say: drafts are checked whole, and what does not fit is named."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.commands.texts import one_line
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms
from db.errors import SightlineError
from db.minor import DIGITS, USUAL_DIGITS
from db.tables.products import BILLING_PERIODS, METERS, PERIODS, PRODUCTS, TIERS

LONGEST_NAME = 80
LONGEST_DESCRIPTION = 300
LONGEST_REASON = 300
LONGEST_VALUE = 200
HIGHEST_PRICE = Decimal("99999999")
MOST = 10**15
MOST_CREDITS = 1_000_000_000
LONGEST_GRACE = 366
FEATURE_KINDS = ("boolean", "static", "metered")
ENFORCEMENTS = ("hard", "soft")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,59}")


def checked_terms(terms: PlanTerms) -> PlanTerms:
    """The same terms, fit to be kept; or a sentence that says which of them is not."""
    name, description = one_line(terms.name), one_line(terms.description or "")
    if not name:
        raise SightlineError("The plan has no name.", fix="Give it one, such as Mailer Pro.")
    if len(name) > LONGEST_NAME:
        raise SightlineError(f"The name has {len(name)} characters.", why=f"At most {LONGEST_NAME} fit.")
    if len(description) > LONGEST_DESCRIPTION:
        raise SightlineError(
            f"The description has {len(description)} characters.", why=f"At most {LONGEST_DESCRIPTION} fit."
        )
    require_known("billing period", terms.billing_period, BILLING_PERIODS)
    _require_price(terms.price, terms.currency)
    _require_count("number of credits", terms.generation_credits, MOST_CREDITS)
    for key, limit in terms.limits.items():
        _require_limit(key, limit)
    features = {key: _checked_feature(key, one, terms.meters) for key, one in terms.features.items()}
    return replace(terms, name=name, description=description or None, features=features)


def require_tier(product: str, tier: str) -> None:
    """A tier of a product: both are among those that there are."""
    require_known("product", product, PRODUCTS)
    require_known("tier", tier, TIERS)


def require_known(what: str, given: str, known: Collection[str]) -> None:
    if given not in known:
        raise SightlineError(f"'{given}' is no {what}.", fix=f"Choose one of {', '.join(known)}.")


def said_reason(given: str) -> str:
    """Why something is done that customers may feel."""
    said = short_reason(given)
    if not said:
        raise SightlineError("This is done for a reason.", fix="Say why in a few words.")
    return said


def short_reason(given: str) -> str:
    """A reason, or none."""
    said = one_line(given)
    if len(said) > LONGEST_REASON:
        raise SightlineError(f"The reason has {len(said)} characters; at most {LONGEST_REASON} fit.", fix="Shorten it.")
    return said


def _require_price(price: Decimal, currency: str) -> None:
    if not _CURRENCY.fullmatch(currency):
        raise SightlineError(f"'{currency}' is no currency.", fix="Give its code in capitals, such as USD, EUR or INR.")
    places = DIGITS.get(currency, USUAL_DIGITS)
    if not price.is_finite() or not 0 <= price <= HIGHEST_PRICE or price != round(price, places):
        raise SightlineError(
            f"{price} is no price of a plan.",
            why=f"It is zero or more, and {currency} has {places or 'no'} decimal places.",
            fix="Give an amount such as 29 or 99.50.",
        )


def _require_limit(key: str, limit: PlanLimit) -> None:
    meter, _, period = key.partition(" ")
    require_known("meter", meter, METERS)
    require_known("period of a limit", period, PERIODS)
    require_known("way to enforce a limit", limit.enforcement, ENFORCEMENTS)
    if limit.amount is not None:
        _require_count("limit", limit.amount, MOST)
    _require_count("grace amount", limit.grace_amount, MOST)
    _require_count("number of days of grace", limit.grace_days, LONGEST_GRACE)
    if limit.rolls_over and period == "lifetime":
        raise SightlineError(
            "What is left of a lifetime goes nowhere.", why="Only a period that ends has a next one.",
            fix="Choose a day, a month or a year, or let nothing roll over.",
        )  # fmt: skip


def _require_count(what: str, given: int, most: int) -> None:
    if not 0 <= given <= most:
        raise SightlineError(f"{given:,} is no {what}.", fix=f"Give a number from 0 to {most:,}.")


def _checked_feature(name: str, feature: PlanFeature, meters: Collection[str]) -> PlanFeature:
    if not _FEATURE.fullmatch(name):
        raise SightlineError(
            f"'{name}' is no name of a feature.",
            why="Products look for it: small letters, digits and underscores, at most 60.",
            fix="Give one such as team_seats.",
        )
    require_known("kind of feature", feature.kind, FEATURE_KINDS)
    if feature.kind == "boolean":
        _require_switch(name, feature.value)
    elif feature.kind == "metered":
        return PlanFeature("metered", {"meter": _known_meter(name, feature, meters)})
    else:
        return PlanFeature("static", _checked_value(name, feature.value))
    return feature


def _require_switch(name: str, value: Any) -> None:  # noqa: ANN401 - what people and databases hold
    if not isinstance(value, bool):
        raise SightlineError(f"{name} is a feature that is there or not.", fix="Say yes or no.")


def _known_meter(name: str, feature: PlanFeature, meters: Collection[str]) -> str:
    if feature.meter is None or feature.meter not in meters:
        raise SightlineError(
            f"{name} is metered by {feature.meter or 'nothing'}, which the plan does not limit.",
            why="A metered feature is there as far as a limit of the plan goes.",
            fix="Add the limit first, or change the feature before its limit is taken away.",
        )
    return feature.meter


def _checked_value(name: str, value: Any) -> str | int | float:  # noqa: ANN401 - what people and databases hold
    if isinstance(value, bool | Mapping | list) or value is None:
        raise SightlineError(f"{name} has no fixed value.", fix="Give a number or a few words.")
    if isinstance(value, int | float):
        return value
    said = one_line(str(value))
    if not said or len(said) > LONGEST_VALUE:
        raise SightlineError(
            f"The value of {name} has {len(said)} characters.", why=f"It has 1 to {LONGEST_VALUE}.",
            fix="Give a number or a few words.",
        )  # fmt: skip
    return said
