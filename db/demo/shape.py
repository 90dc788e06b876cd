"""How large demo data is: one number per kind of row, in proportion to the e-mail events."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

WORKSPACES = 50


class Size(StrEnum):
    """The sizes that people choose from; `tiny` is for tests."""

    TINY = "tiny"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Progress(Protocol):
    """Told after every piece of work, so that a bar can be drawn."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """About how many rows of each kind there shall be."""

    email_events: int
    contacts: int
    email_campaigns: int
    web_sessions: int
    web_campaigns: int
    generations: int
    ad_rows: int
    ad_campaigns: int
    templates: int


SCALES = {
    Size.TINY: Scale(5_000, 1_500, 150, 1_000, 40, 1_500, 4_000, 30, 120),
    Size.SMALL: Scale(200_000, 10_000, 600, 15_000, 120, 20_000, 20_000, 80, 400),
    Size.MEDIUM: Scale(5_000_000, 250_000, 1_200, 380_000, 300, 500_000, 500_000, 250, 1_000),
    Size.LARGE: Scale(20_000_000, 1_000_000, 2_000, 1_500_000, 600, 2_000_000, 2_000_000, 700, 2_000),
}


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What a load did, for the person who asked for it."""

    size: Size
    seed: int
    today: date
    already_loaded: bool
    rows: dict[str, int] = field(default_factory=dict)
