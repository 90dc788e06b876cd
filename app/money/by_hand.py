"""A price that somebody adds by hand, checked as strictly as what providers report: a slip of the pen is refused."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches

from app.money.ledger import KIND_COLUMNS
from app.money.proposals import Listed
from app.money.units import Unit
from db.errors import SightlineError
from db.tables.ai import SERVICE_TIERS
from db.tables.products import AI_PROVIDERS, AI_UNITS

SOURCE = "by hand"
LONGEST_NAME = 200
_PLACES = 12
_MOST_DOLLARS = 10**8
_MOST_UNITS = 10**12
_KIND = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
_KINDS_ARE = {"image": "1024x1024/hd", "tool_call": "web_search", "video_second": "1080p", "audio_second": "hd"}


class PriceError(SightlineError):
    """A price that can't stand in the book as it was given."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What somebody typed, not yet looked at. Days begin at midnight UTC; the last one is no part of the time."""

    provider: str
    model: str
    unit: str
    price: Decimal
    per: int
    reference: str
    valid_from: date
    valid_to: date | None = None
    variant: str = ""
    service_tier: str = "standard"
    context_from: int = 0


def checked(given: Given, models: Collection[str], kinds: Collection[str]) -> Listed:
    """The price as a proposal; `models` and `kinds` are those that calls and the book have of provider and unit."""
    _require_one_of("provider", given.provider, AI_PROVIDERS)
    _require_one_of("unit", given.unit, AI_UNITS)
    _require_one_of("service tier", given.service_tier, SERVICE_TIERS)
    _require_name("model", given.model, models)
    _require_kind(given, kinds)
    _require_amount(given)
    if not 0 <= given.context_from <= _MOST_UNITS:
        raise PriceError(f"A context tier from {given.context_from:,} tokens there is not.", fix="Give 0 or more.")
    if given.valid_to is not None and given.valid_to <= given.valid_from:
        raise PriceError("The price ends before it starts.", fix="Give a later end, or none.")
    if not given.reference:
        raise PriceError(
            "A price has a source.",
            why="Who approves it looks there.",
            fix="Give the address of the page, or say who told you.",
        )
    made = Listed(
        given.provider, given.model, Unit(given.unit, given.variant), given.price, given.per, SOURCE, given.reference,
        given.service_tier, given.context_from, _begin(given.valid_from),
        None if given.valid_to is None else _begin(given.valid_to),
    )  # fmt: skip
    if not made.is_exact:
        raise PriceError(
            f"{given.price} for {given.per:,} of {made.unit} has no exact price of one.",
            why="Costs are sums of prices of one, kept to a millionth of a millionth of a dollar and never rounded.",
            fix="Give the price for another quantity, such as for a million.",
        )
    return made


def _require_one_of(what: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        near = get_close_matches(value, known, n=1)
        raise PriceError(
            f"'{value}' is no {what}.",
            why="What is not known prices no call, and is not taken for the standard.",
            fix=f"Is it '{near[0]}'?" if near else f"Choose one of {', '.join(known)}.",
        )


def _require_name(what: str, value: str, known: Collection[str]) -> None:
    if not value or len(value) > LONGEST_NAME or any(sign.isspace() for sign in value):
        raise PriceError(f"'{value[:40]}' is no {what}.", fix="Give its name as the provider's responses spell it.")
    _refuse_misspelt(what, value, known)


def _require_kind(given: Given, known: Collection[str]) -> None:
    if not given.variant:
        return
    if given.unit not in KIND_COLUMNS:
        raise PriceError(
            f"{given.unit} has no kinds, and '{given.variant}' is one.",
            why=f"Of {', '.join(KIND_COLUMNS)} there are kinds.",
            fix="Leave the kind empty.",
        )
    _refuse_misspelt("kind", given.variant, known)
    if len(given.variant) > LONGEST_NAME or not _KIND.fullmatch(given.variant):
        raise PriceError(
            f"'{given.variant[:40]}' is no kind.",
            why="Calls tell kinds in small letters, with one slash between size and quality.",
            fix=f"Write it as {_KINDS_ARE[given.unit]}.",
        )


def _refuse_misspelt(what: str, value: str, known: Collection[str]) -> None:
    """What differs from something known by case and signs alone is that, and would price nothing as it is."""
    meant: Mapping[str, str] = {_bare(one): one for one in known}
    if value not in known and _bare(value) in meant:
        raise PriceError(
            f"'{value}' is no {what} that calls have.",
            why="A price fits calls that are spelled alike, and no others.",
            fix=f"Is it '{meant[_bare(value)]}'?",
        )


def _bare(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.lower())


def _require_amount(given: Given) -> None:
    if not given.price.is_finite() or not 0 <= given.price < _MOST_DOLLARS:
        raise PriceError(f"{given.price} is no price.", why="It is not below zero.", fix="Give dollars, such as 2.50.")
    if given.price != round(given.price, _PLACES):
        raise PriceError(f"{given.price} has too many decimal places.", why=f"Prices have {_PLACES} at most.")
    if not 1 <= given.per <= _MOST_UNITS:
        raise PriceError(f"No price is for {given.per:,} units.", fix="Give 1, 1000 or 1000000.")


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
