"""What lists of prices say of a model: the package genai-prices as it was installed, and our own reviewed file.

The package brings prices with it and can fetch newer ones; it is never asked to: a price book that changes by itself
could not say later what it knew when. Another version of the package is another proposal.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from genai_prices import data
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from app.money.proposals import Found, Listed
from app.money.units import MILLION, Unit

# The package's keys, our unit, and for how many of it the package gives the price.
UNITS = {
    "input_mtok": (Unit("input"), MILLION),
    "cache_read_mtok": (Unit("cached_input"), MILLION),
    "cache_write_mtok": (Unit("cache_write_5m"), MILLION),
    "cache_write_1h_mtok": (Unit("cache_write_1h"), MILLION),
    "output_mtok": (Unit("output"), MILLION),
    "output_reasoning_mtok": (Unit("reasoning"), MILLION),
    "input_audio_mtok": (Unit("audio_input"), MILLION),
    "cache_audio_read_mtok": (Unit("cached_audio_input"), MILLION),
    "output_audio_mtok": (Unit("audio_output"), MILLION),
    "input_image_mtok": (Unit("image_input"), MILLION),
    "cache_image_read_mtok": (Unit("cached_image_input"), MILLION),
    "output_image_mtok": (Unit("image_output"), MILLION),
    "input_video_mtok": (Unit("video_input"), MILLION),
    "output_video_mtok": (Unit("video_output"), MILLION),
    "web_searches_kcount": (Unit("tool_call", "web_search"), 1000),
    "storage_searches_kcount": (Unit("tool_call", "storage_search"), 1000),
    "audio_hours": (Unit("audio_second"), 3600),
    "input_audio_hours": (Unit("audio_second"), 3600),
}
# What has no price of its own is charged as what it is a part of; the book says so in a row of its own.
CHARGED_AS = {
    "reasoning": "output",
    "cached_input": "input",
    "audio_input": "input",
    "image_input": "input",
    "video_input": "input",
    "image_output": "output",
    "cached_audio_input": "cached_input",
    "cached_image_input": "cached_input",
}
# Of these every model has some; of the others those that hear, see or draw. All of Google's models do.
OF_ALL_MODELS = ("reasoning", "cached_input")
MODALITIES = ("audio", "image", "video")
# How the package names what a response was served by: our tier, or nothing where that is the standard one.
TIERS = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "default"): None,
}
REVIEWED = "reviewed_prices.toml"


def listed(provider: str, model: str) -> Found:
    """What is known of a model: the package's prices, else the reviewed ones."""
    found = _from_package(provider, model)
    reviewed = tuple(_reviewed(provider, model))
    if not found.prices and not reviewed:
        return replace(found, left_out=(*found.left_out, f"No list has {provider}/{model}."))
    return Found((*found.prices, *reviewed), found.left_out)


@cache
def package() -> tuple[str, str]:
    """The package's version, and the SHA-256 of the prices that it brings with it."""
    content = files("genai_prices").joinpath("data.py").read_bytes()
    return f"genai-prices {version('genai-prices')}", hashlib.sha256(content).hexdigest()


def _from_package(provider: str, model: str) -> Found:
    source = next((one for one in data.providers if one.id == provider), None)
    info = source.find_model(model) if source is not None else None
    if info is None:
        return Found()
    named, digest = package()
    prices: list[Listed] = []
    left_out: list[str] = []
    for tier, context, since in _tiers(info, left_out):
        for start, end, rates in _eras(info, context, since):
            for unit, per, price, context_from in _rates(rates, f"{provider}/{model}", left_out):
                one = Listed(
                    provider, model, unit, price, per, named, f"{info.id}, data {digest}",
                    tier, context_from, start, end,
                )  # fmt: skip
                prices.append(one) if one.is_exact else left_out.append(
                    f"{provider}/{model}: {price} for {per:,} of {unit} has no exact price of one."
                )
    return Found(tuple(prices), tuple(dict.fromkeys(left_out)))


def _tiers(info: ModelInfo, left_out: list[str]) -> Iterator[tuple[str, dict[str, str], date | None]]:
    """Our tiers of a model, how the package is asked for each, and from when it knows them."""
    yield "standard", {}, None
    for variant in info.price_variants or ():
        [*contexts] = variant.when.items()
        if len(contexts) != 1 or contexts[0] not in TIERS:
            left_out.append(f"{info.id}: prices for {variant.when} have no tier here.")
        elif (tier := TIERS[contexts[0]]) is not None:
            since = variant.constraint.start_date if isinstance(variant.constraint, StartDateConstraint) else None
            yield tier, dict(variant.when), since


def _eras(
    info: ModelInfo, context: dict[str, str], since: date | None
) -> Iterator[tuple[datetime | None, datetime | None, ModelPrice]]:
    """From when to when which prices were valid; the first has no beginning unless the tier has one."""
    prices = info.prices if isinstance(info.prices, list) else [ConditionalPrice(None, prices=info.prices)]
    changes = {one.constraint.start_date for one in prices if isinstance(one.constraint, StartDateConstraint)}
    starts: list[date | None] = [since, *sorted(day for day in changes if since is None or day > since)]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        asked_at = _begin(start) if start is not None else datetime(2000, 1, 1, tzinfo=UTC)
        rates = info.get_prices(asked_at, context)
        yield (None if start is None else asked_at), (None if end is None else _begin(end)), rates


def _rates(rates: ModelPrice, model: str, left_out: list[str]) -> Iterator[tuple[Unit, int, Decimal, int]]:
    """Each unit's price, once for every context tier. The package's tiers begin above their number, ours at it."""
    found: dict[str, tuple[Unit, int, Decimal | TieredPrices]] = {}
    for key, price in vars(rates).items():
        if price is None or key.startswith("_"):
            continue
        if key not in UNITS:
            left_out.append(f"{model}: no unit here is charged as `{key}`.")
            continue
        unit, per = UNITS[key]
        found[unit.name if not unit.variant else str(unit)] = (unit, per, price)
    kinds = {kind for kind in MODALITIES if model.startswith("google/") or any(kind in name for name in found)}
    for name, charged_as in CHARGED_AS.items():
        is_used = name in OF_ALL_MODELS or any(kind in name for kind in kinds)
        if is_used and name not in found and charged_as in found:
            _, per, price = found[charged_as]
            found[name] = (Unit(name), per, price)
    for unit, per, price in found.values():
        if isinstance(price, TieredPrices):
            yield unit, per, price.base, 0
            for tier in price.tiers:
                yield unit, per, tier.price, tier.start + 1
        else:
            yield unit, per, price, 0


def _reviewed(provider: str, model: str) -> Iterator[Listed]:
    for entry in tomllib.loads(_reviewed_text())["price"]:
        if entry["provider"] == provider and model in entry["models"]:
            for variant, dollars in entry["dollars"].items():
                yield Listed(
                    provider, model, Unit(entry["unit"], variant), Decimal(dollars), 1, "reviewed list",
                    entry["source"], valid_from=_begin(entry["valid_from"]),
                )  # fmt: skip


@cache
def _reviewed_text() -> str:
    return files("app.money").joinpath(REVIEWED).read_text(encoding="utf-8")


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
