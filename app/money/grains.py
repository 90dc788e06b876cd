"""How finely a bill tells what was used: the ledger's calls are summed as coarsely before the two are compared."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.money.bills import Billed, Meter


@dataclass(frozen=True)
class Grain:
    """Which parts of a meter the lines of a model tell."""

    unit: bool = True
    variant: bool = True
    tier: bool = True
    context: bool = True
    reasoning: bool = False

    def fold(self, meter: Meter) -> Meter:
        """The meter as the bill tells it. What was thought is output to those who don't tell it apart."""
        unit = "output" if meter.unit == "reasoning" and not self.reasoning else meter.unit
        return Meter(
            unit if self.unit else "",
            meter.variant if self.variant and self.unit else "",
            meter.tier if self.tier else "",
            meter.context_from if self.context else 0,
        )

    def within(self, other: "Grain") -> "Grain":
        """No finer than the other."""
        return Grain(
            self.unit and other.unit,
            self.variant and other.variant,
            self.tier and other.tier,
            self.context and other.context,
            self.reasoning and other.reasoning,
        )


def grain_of(lines: Iterable[Billed]) -> Grain:
    """What every line tells; reasoning where any line is of it."""
    told = list(lines)
    return Grain(
        unit=all(line.unit is not None for line in told),
        variant=all(line.variant is not None for line in told),
        tier=all(line.tier is not None for line in told),
        context=all(line.context_from is not None for line in told),
        reasoning=any(line.unit == "reasoning" for line in told),
    )


def meter_of(line: Billed) -> Meter:
    return Meter(line.unit or "", line.variant or "", line.tier or "", line.context_from or 0)
