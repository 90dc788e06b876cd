"""Usage as the ledger of calls keeps it in columns, and back."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from app.money.reported import UsageError
from app.money.units import UNREPORTED, Unit, Usage, counted
from db.tables.products import AI_UNITS

TOKEN_COLUMNS = {
    "input": "input_tokens",
    "cached_input": "cached_input_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
    "reasoning": "reasoning_tokens",
}
# Counted in columns as sums over their kinds.
KIND_COLUMNS = {
    "image": "images",
    "audio_second": "audio_seconds",
    "video_second": "video_seconds",
    "tool_call": "tool_calls",
}


def columns_of(usage: Usage) -> dict[str, Any]:
    """The columns of `ai_generations` that hold what was used."""
    columns: dict[str, Any] = {"service_tier": usage.service_tier, "cache_write_tokens": 0}
    columns |= dict.fromkeys((*TOKEN_COLUMNS.values(), *KIND_COLUMNS.values()), 0)
    more: dict[str, Any] = {}
    for unit, quantity in usage.units.items():
        if unit.name in TOKEN_COLUMNS:
            columns[TOKEN_COLUMNS[unit.name]] = quantity
        if unit.name in {"cache_write_5m", "cache_write_1h"}:
            columns["cache_write_tokens"] += quantity
        elif unit.name in KIND_COLUMNS:
            columns[KIND_COLUMNS[unit.name]] += quantity
            if unit.variant:
                more["/".join(unit)] = _number(quantity)
        elif unit.name not in TOKEN_COLUMNS:
            more[unit.name] = _number(quantity)
    return columns | {"more_units": more}


def usage_in(row: Mapping[str, Any]) -> Usage:
    """What a row of `ai_generations` says was used."""
    more = {Unit(*key.split("/", 1)): Decimal(str(value)) for key, value in row["more_units"].items()}
    _require_known(more)
    units = counted(
        **{unit: row[column] for unit, column in TOKEN_COLUMNS.items()},
        cache_write_5m=row["cache_write_tokens"] - row["cache_write_1h_tokens"],
    )
    for name, column in KIND_COLUMNS.items():
        kind = "/".join(row[one] for one in ("image_size", "image_quality") if row[one]) if name == "image" else ""
        rest = row[column] - sum(quantity for unit, quantity in more.items() if unit.name == name)
        if rest < 0:
            raise UsageError(f"A call has more {column} by kind than in all.", fix="Import it again.")
        if rest:
            units[Unit(name, kind)] = Decimal(rest)
    for unit, quantity in more.items():
        if quantity:
            units[unit] = units.get(unit, Decimal(0)) + quantity
    return Usage(units, row["service_tier"])


def _require_known(units: Collection[Unit]) -> None:
    """What products write is not checked when it comes in: no price fits what is misspelt."""
    for unit in units:
        if unit.name not in {*AI_UNITS, UNREPORTED}:
            near = get_close_matches(unit.name, AI_UNITS, n=1)
            raise UsageError(
                f"A call used `{unit.name}`, which Sightline does not know.",
                why="What is not known has no price, and is not counted as free.",
                fix=f"Is it `{near[0]}`?" if near else "If the provider charges for it, add it to the units.",
            )


def _number(quantity: Decimal) -> int | float:
    """As JSON has it; parts of a second have three places, which a float gives back as they were written."""
    return int(quantity) if quantity == int(quantity) else float(quantity)
