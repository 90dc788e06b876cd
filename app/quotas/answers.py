"""What the engine answers: a call is admitted, or refused with what a product can show in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Limit:
    """One limit that rules a call, and what is used and held of it; no amount means no limit."""

    rules: str  # the workspace or the customer
    source: str
    meter: str
    period: str
    period_end: datetime | None
    amount: int | None
    grace: int
    rolled_over: int
    is_soft: bool
    used: int
    held: int
    left: int | None

    @classmethod
    def read(cls, told: Json) -> "Limit":
        return cls(
            told["for"], told["source"], told["meter"], told["period"], moment(told["period_end"]), told["limit"],
            told["grace"], told["rolled_over"], told["is_soft"], told["used"], told["held"], told["left"],
        )  # fmt: skip


@dataclass(frozen=True)
class Upgrade:
    """The next plan that has more of what has run out."""

    plan: str
    tier: str
    limit: int | None
    price: Decimal
    currency: str
    billing_period: str


@dataclass(frozen=True)
class Instead:
    """What a product shows and does when it may not do what was asked for."""

    action: str
    title: str
    text: str
    prompt: str | None
    upgrade: Upgrade | None
    again_at: datetime | None

    @classmethod
    def read(cls, told: Json) -> "Instead":
        offered = told["upgrade"]
        upgrade = offered and Upgrade(
            offered["plan"], offered["tier"], offered["limit"], Decimal(str(offered["price"])), offered["currency"],
            offered["billing_period"],
        )  # fmt: skip
        return cls(told["action"], told["title"], told["text"], told["prompt"], upgrade, moment(told["again_at"]))


@dataclass(frozen=True)
class Admitted:
    """The call may be made: what it needs is held under its key until it is settled, released or expires."""

    key: str
    state: str
    is_replay: bool
    expires_at: datetime
    limits: tuple[Limit, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Refused:
    """The call may not be made, and nothing is held: a limit, a missing plan, a budget, a stop, or too few credits."""

    because: str
    instead: Instead
    limit: Limit | None
    as_json: Json


@dataclass(frozen=True)
class Settled:
    """What has become of a reservation; `over` is what was used beyond what was held, by meter."""

    state: str
    has_changed: bool
    is_late: bool
    over: Mapping[str, int]


def answer_of(told: Json) -> Admitted | Refused:
    """The engine's JSON, typed."""
    if told["verdict"] == "refused":
        limit = Limit.read(told["limit"]) if told.get("limit") else None
        return Refused(told["because"], Instead.read(told["degrade"]), limit, told)
    return Admitted(
        told["key"],
        told["state"],
        told["replayed"],
        datetime.fromisoformat(told["expires_at"]),
        tuple(Limit.read(one) for one in told["limits"]),
        tuple(told["flags"]),
    )


def moment(told: str | None) -> datetime | None:
    """A time as JSON has it; periods without an end have none."""
    return None if told is None else datetime.fromisoformat(told)
