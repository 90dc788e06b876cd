"""What a version of a plan says: its price and what it allows, as one thing that is read, edited and compared whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

# A meter and a period, such as "emails month".
LimitKey = str
_LIMIT, _FEATURE = "limit", "feature"


@dataclass(frozen=True)
class PlanLimit:
    """How much of a meter is allowed in a period; no amount: without limit."""

    amount: int | None
    enforcement: str = "hard"
    grace_amount: int = 0
    grace_days: int = 0
    rolls_over: bool = False

    def __str__(self) -> str:
        if self.amount is None:
            return "without limit"
        told = [f"{self.amount:,}"]
        if self.enforcement == "soft":
            told.append("soft")
        if self.grace_amount:
            days = {0: "for the rest of the period", 1: "for a day"}.get(self.grace_days, f"for {self.grace_days} days")
            told.append(f"{self.grace_amount:,} more {days}")
        if self.rolls_over:
            told.append("what is left goes into the next period")
        return ", ".join(told)


@dataclass(frozen=True)
class PlanFeature:
    """On or off, a fixed value, or metered by a limit of the plan."""

    kind: str = "boolean"
    value: Any = True

    @property
    def meter(self) -> str | None:
        """What meters it; None: nothing does."""
        named = self.value.get("meter") if self.kind == "metered" and isinstance(self.value, Mapping) else None
        return named if isinstance(named, str) else None

    def __str__(self) -> str:
        if self.kind == "boolean":
            return "yes" if self.value else "no"
        return f"metered by {str(self.meter).replace('_', ' ')}" if self.kind == "metered" else str(self.value)


@dataclass(frozen=True)
class PlanTerms:
    """All that a draft is edited for."""

    name: str
    price: Decimal
    currency: str = "USD"
    billing_period: str = "monthly"
    description: str | None = None
    generation_credits: int = 0
    has_watermark: bool = False
    limits: Mapping[LimitKey, PlanLimit] = field(default_factory=dict)
    features: Mapping[str, PlanFeature] = field(default_factory=dict)

    def with_limit(self, meter: str, period: str, limit: PlanLimit | None) -> "PlanTerms":
        """None: what the plan does not speak of is not limited."""
        key = f"{meter} {period}"
        others = {name: one for name, one in self.limits.items() if name != key}
        return replace(self, limits=others if limit is None else {**others, key: limit})

    def with_feature(self, name: str, feature: PlanFeature | None) -> "PlanTerms":
        others = {key: one for key, one in self.features.items() if key != name}
        return replace(self, features=others if feature is None else {**others, name: feature})

    @property
    def meters(self) -> set[str]:
        """What it limits."""
        return {key.split()[0] for key in self.limits}

    @property
    def fields(self) -> dict[str, Any]:
        """Everything under a name of its own: a limit is one thing, and so is a feature."""
        said = {name: value for name, value in vars(self).items() if name not in {"limits", "features"}}
        said |= {f"{_LIMIT} {key}": one for key, one in sorted(self.limits.items())}
        return said | {f"{_FEATURE} {name}": one for name, one in sorted(self.features.items())}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "PlanTerms":
        """Back from fields; a limit or a feature that is None is not there."""
        plain: dict[str, Any] = {}
        limits, features = {}, {}
        for name, value in fields.items():
            kind, *rest = name.split()
            if kind == _LIMIT and value is not None:
                limits[" ".join(rest)] = value
            elif kind == _FEATURE and value is not None:
                features[rest[0]] = value
            elif kind not in {_LIMIT, _FEATURE}:
                plain[name] = value
        return cls(**plain, limits=limits, features=features)


def side_by_side(*several: PlanTerms) -> list[dict[str, Any]]:
    """The fields of each, with all names that any of them has."""
    said = [one.fields for one in several]
    names = _ordered(said)
    return [{name: fields.get(name) for name in names} for fields in said]


def differing(left: PlanTerms, right: PlanTerms) -> tuple[str, ...]:
    """The fields that are not the same in both."""
    one, other = side_by_side(left, right)
    return tuple(name for name in one if one[name] != other[name])


def _ordered(said: Iterable[Mapping[str, Any]]) -> list[str]:
    """Plain fields as they stand, then limits, then features."""
    names = dict.fromkeys(name for fields in said for name in fields)
    return sorted(names, key=lambda name: (name.startswith(f"{_FEATURE} "), name.startswith(f"{_LIMIT} ")))
