"""The receipt of an answer: from what it was made, how, and what a reader must know about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from app.metrics.compile import Compiled
from app.metrics.rates import RateUsed


@dataclass(frozen=True)
class Definition:
    """What a metric of the answer means."""

    name: str
    meaning: str
    formula: str
    unit: str
    additivity: str
    good: str


@dataclass(frozen=True)
class RollupRead:
    """A rollup that the answer was made from. How long it is would tell of workspaces that are not the viewer's."""

    name: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Everything that is needed to judge a figure and to make it again."""

    definitions: tuple[Definition, ...]
    compiled: Compiled = field(repr=False)
    parameters: Mapping[str, Any]
    rollups: tuple[RollupRead, ...]
    lake_version: int
    data_through: datetime
    loaded_at: datetime
    zone: str
    # Half-open, like every pair of days here.
    period: tuple[date, date]
    # The complete days of the period, and the days that they were compared with.
    compared: tuple[date, date] | None
    before: tuple[date, date] | None
    running_day: date | None
    # None where there are no amounts, or where they are shown in their own currencies.
    currency: str | None
    rates: tuple[RateUsed, ...]
    unconverted: int
    rows_read: int
    caveats: tuple[str, ...]
    price_book_version: int | None = None
    # None where no e-mail events are in it.
    machine_rules_version: int | None = None
    # The time that this one answer took is no part of what it says.
    elapsed_ms: float = field(default=0.0, compare=False)

    @property
    def sql(self) -> str:
        """The text as it ran, laid out for people."""
        return self.compiled.readable

    @property
    def made_by(self) -> list[tuple[str, str]]:
        """By which rates, prices and rules the figures were made, as names and texts."""
        versions = (
            ("Price book", self.price_book_version),
            ("Rules for machines' opens", self.machine_rules_version),
        )
        rates = [(f"Rate of {rate.currency}", rate.told) for rate in self.rates]
        return [*rates, *((name, f"version {version}") for name, version in versions if version is not None)]

    @cached_property
    def id(self) -> str:
        """The same question to the same version has the same id."""
        told = {"sql": self.compiled.sql, "parameters": self.parameters, "lake": self.lake_version, "zone": self.zone}
        return hashlib.sha256(json.dumps(told, default=str, sort_keys=True).encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """For programs: plain values under plain names."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "compiled"}
        listed = {name: [asdict(one) for one in plain[name]] for name in ("definitions", "rollups", "rates")}
        return {"id": self.id, **plain, **listed, "sql": self.sql, "parameters": dict(self.parameters)}
