"""The forecast of a publication beside what its first two weeks really brought."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.records.simulations import Simulated

DAYS = 30


@dataclass(frozen=True)
class Beside:
    """One figure of both; amounts and calls are as in 30 days. None: it was never simulated."""

    name: str
    is_counted: bool
    forecast: Decimal | None
    happened: Decimal

    @property
    def difference(self) -> Decimal | None:
        return None if self.forecast is None else self.happened - self.forecast


def side_by_side(found: Sequence[Simulated]) -> tuple[Beside, ...]:
    """Of what was found of a plan, the newest first; nothing where nobody has looked at what happened yet."""
    forecast = next((one for one in found if one.kind == "forecast"), None)
    outcome = next((one for one in found if one.kind == "outcome"), None)
    if outcome is None:
        return ()
    return tuple(
        Beside(name, name in _COUNTED, None if forecast is None else read(forecast), read(outcome))
        for name, read in _FIGURES.items()
    )


def _as_in_a_month(value: Decimal | int, one: Simulated) -> Decimal:
    return round(Decimal(value) / one.days * DAYS, 2)


_COUNTED = {"Workspaces", "Workspaces at a limit", "Calls"}
_FIGURES: Mapping[str, Callable[[Simulated], Decimal]] = {
    "Workspaces": lambda one: Decimal(one.workspaces),
    "Workspaces at a limit": lambda one: Decimal(one.hit if one.kind == "forecast" else one.reached),
    "Calls": lambda one: _as_in_a_month(one.calls, one),
    "Revenue": lambda one: _as_in_a_month(one.revenue_after, one),
    "AI cost": lambda one: _as_in_a_month(one.ai_cost_after, one),
    "Margin": lambda one: _as_in_a_month(one.margin_after, one),
}
