"""What is compared: the lines of a provider's bill, the calls of our ledger, and the differences with their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

SMALLEST = Decimal("0.000000000001")


class Kind(StrEnum):
    """Why a provider charged something else than the ledger says."""

    UNPRICED = "unpriced"
    MISSING = "missing_calls"
    PRICE = "price"
    CACHE = "cache_mix"
    TIER = "tier"
    ZONE = "time_zone"
    LATE = "late"
    ROUNDING = "rounding"
    UNEXPLAINED = "unexplained"


MEANINGS: Mapping[Kind, str] = {
    Kind.UNPRICED: "Calls that the ledger has and no price of the book fits, at what the provider charged for them.",
    Kind.MISSING: "Usage that one of the two has and the other has not.",
    Kind.PRICE: "The provider charged another price than the book's.",
    Kind.CACHE: "Tokens that one of the two counts as cached and the other does not.",
    Kind.TIER: "Usage that one of the two counts in another service tier or context tier.",
    Kind.ZONE: "Calls that lie on another day, or in another month, by the clock of the bill.",
    Kind.LATE: "Calls that the provider counts when they ended, or that came to us after the month was closed.",
    Kind.ROUNDING: "What is less than half of the last place that the bill tells.",
    Kind.UNEXPLAINED: "What nothing above explains: somebody has to ask.",
}


class Meter(NamedTuple):
    """What a quantity is of."""

    unit: str
    variant: str = ""
    tier: str = "standard"
    context_from: int = 0

    def __str__(self) -> str:
        context = f"from {self.context_from:,} tokens" if self.context_from else ""
        return " ".join(part for part in (self.unit.replace("_", " "), self.variant, self.tier, context) if part)


@dataclass(frozen=True)
class Counted:
    """How much of something calls used, and what one of it costs by the book; None: the book has no price."""

    quantity: Decimal
    price: Decimal | None


@dataclass(frozen=True)
class Used:
    """Calls of a model that began and ended on the same days, and that the ledger prices alike."""

    model: str
    day: date  # of the ledger (UTC)
    began_on: date  # by the bill's clock
    ended_on: date
    calls: int
    cost: Decimal | None  # as the ledger keeps it; None: unpriced
    meters: Mapping[Meter, Counted]


@dataclass(frozen=True)
class Billed:
    """A line of a bill. What it does not tell is None; a line without an amount reports usage alone."""

    day: date
    amount: Decimal | None = None
    quantity: Decimal | None = None
    model: str | None = None
    unit: str | None = None
    variant: str | None = None
    tier: str | None = None
    context_from: int | None = None
    description: str = ""
    # The smallest amount in which the file tells amounts: what is less than half of it is rounding.
    step: Decimal = SMALLEST


@dataclass(frozen=True)
class Bill:
    """What a provider says of a month; `invoiced` is the invoice before tax, where it is known."""

    provider: str
    month: date
    zone: str
    lines: tuple[Billed, ...]
    invoiced: Decimal | None = None


@dataclass(frozen=True)
class Part:
    """A difference on a day: how much more the provider charged than the ledger says, and why."""

    day: date
    model: str | None
    kind: Kind
    amount: Decimal
    why: str = ""
    # Of what it is, where that is known: the calls behind it used one of these.
    meters: tuple[Meter, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class ChargedPrice:
    """A price that a bill shows and the book does not: a proposal for the book."""

    model: str
    meter: Meter
    price: Decimal  # of one
    known: Decimal | None
    since: date
