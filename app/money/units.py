"""The units that providers charge for, and how much of each a call used."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from db.tables.ai import SERVICE_TIERS
from db.tables.products import AI_UNITS

MILLION = 1_000_000
# What a model reads: their sum decides on which side of a context tier a call lies.
READ_UNITS = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "audio_input",
    "cached_audio_input",
    "image_input",
    "cached_image_input",
    "video_input",
)
# What a call used whose response did not say so. Nothing has a price for it: such a call is not taken to be free.
UNREPORTED = "unreported_usage"
TOKEN_UNITS = (*READ_UNITS, "output", "reasoning", "audio_output", "image_output", "video_output")


class Unit(NamedTuple):
    """Something that has a price: its name and, where the price depends on it, the kind."""

    name: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.variant}".strip()


@dataclass(frozen=True)
class Usage:
    """What one attempt used, in units of which none is part of another, and how it was served."""

    units: Mapping[Unit, Decimal]
    service_tier: str = "standard"

    def __post_init__(self) -> None:
        if self.service_tier not in SERVICE_TIERS:
            raise ValueError(f"{self.service_tier} is no service tier.")
        for unit, quantity in self.units.items():
            if unit.name not in (*AI_UNITS, UNREPORTED) or quantity < 0:
                raise ValueError(f"{quantity} of {unit} is no usage.")

    @property
    def tokens_read(self) -> Decimal:
        """The size of the context, however its tokens are charged."""
        return sum((quantity for unit, quantity in self.units.items() if unit.name in READ_UNITS), Decimal(0))


def counted(**quantities: int | Decimal) -> dict[Unit, Decimal]:
    """Units without kinds, those of which nothing was used left out."""
    return {Unit(name): Decimal(quantity) for name, quantity in quantities.items() if quantity}
