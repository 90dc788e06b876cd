"""OpenAI's costs and usage of an organisation: GET /v1/organization/costs and /v1/organization/usage/….

Of costs the amount's value is a number, or a text; the line item tells the model and the unit, and no tier. Of usage
the input includes what was cached, written to the cache, heard and seen.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.ingest.reading import (
    Collector,
    Line,
    Read,
    RowError,
    buckets_in,
    count,
    day_of_seconds,
    dollars,
    in_dollars,
    number,
    word,
)
from app.money.bills import Billed

COST = "organization.costs.result"
_USAGE = "organization.usage."
_UNITS = {
    "input": "input",
    "text input": "input",
    "cached input": "cached_input",
    "input cached": "cached_input",
    "cached text input": "cached_input",
    "cache write": "cache_write_5m",
    "output": "output",
    "text output": "output",
    "reasoning": "reasoning",
    "audio input": "audio_input",
    "cached audio input": "cached_audio_input",
    "audio output": "audio_output",
    "image input": "image_input",
    "cached image input": "cached_image_input",
    "image output": "image_output",
}
_TIERS = ("batch", "flex", "priority")
_SERVED = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority", "batch": "batch"}
_PICTURE = re.compile(r"(\d+x\d+)(?:[/, ]+(\w+))?")
_MODEL = re.compile(r"[a-z0-9]+(?:-[a-z0-9.]+)+")
# How many of ours one of theirs is.
_QUANTITIES = {
    "tokens": 1,
    "1000_tokens": 1000,
    "images": 1,
    "duration_seconds": 1,
    "duration_minutes": 60,
    "duration_hours": 3600,
}
_APART = ("amount", "quantity")


def read(text: str, name: str) -> Read:
    """Costs or usage, whichever the results are; never both in one file."""
    collector = Collector(name)
    kinds: set[str] = set()
    for place, bucket, result in buckets_in(text, collector):
        try:
            day = day_of_seconds(bucket.get("start_time"), bucket.get("end_time"))
            collector.days.add(day)
            if result:
                told = str(result.get("object"))
                kinds.add("cost" if told == COST else "usage")
                collector.once(place, (day, tuple(sorted((k, str(v)) for k, v in result.items() if _tells(k, v)))))
                if told == COST:
                    collector.lines.append(_cost(day, result))
                else:
                    collector.lines += _usage(day, told, result)
        except RowError as error:
            collector.wrong(place, str(error))
    if len(kinds) > 1:
        collector.wrong("The file", "it mixes costs and usage: give them as two files.")
    return collector.finish("openai", kinds.pop() if kinds else "cost")


def _tells(key: str, value: object) -> bool:
    """Whether a field says what a row is of, rather than how much."""
    return key not in _APART and (value is None or isinstance(value, str | bool))


def _cost(day: date, result: Mapping[str, Any]) -> Line:
    amount = result.get("amount")
    if not isinstance(amount, dict):
        raise RowError("it has no `amount`.")
    in_dollars(amount.get("currency"))
    item = word(result, "line_item")
    model, unit, variant, tier = item_of(item or "")
    return Line(
        Billed(
            day=day,
            amount=dollars(number(amount.get("value"), "amount.value"), "amount.value"),
            quantity=_quantity(result) if unit else None,
            model=model,
            unit=unit,
            variant=variant,
            tier=tier,
            description=item or "",
        ),
        _plain(result),
    )


def item_of(item: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Model, unit, kind and tier that a line item names, as `gpt-4o-2024-08-06, cached input` does."""
    model, *rest = (part.strip() for part in item.split(",", 1))
    told = rest[0].replace("_", " ").removesuffix(" tokens").lower() if rest else ""
    tier = next((one for one in _TIERS if one in re.split(r"\W+", told)), None)
    if tier:
        told = " ".join(re.sub(rf"\b{tier}\b", " ", told).replace(",", " ").split())
    if not _MODEL.fullmatch(model.lower()):
        return None, None, None, None
    if told in _UNITS:
        return model, _UNITS[told], "", tier
    if picture := _PICTURE.fullmatch(told):
        return model, "image", "/".join(part for part in picture.groups() if part), tier
    return model, None, None, tier


def _quantity(result: Mapping[str, Any]) -> Decimal | None:
    if result.get("quantity") is None:
        return None
    unit = word(result, "quantity_unit")
    if unit is not None and unit not in _QUANTITIES:
        return None
    quantity = number(result["quantity"], "quantity") * _QUANTITIES.get(unit or "tokens", 1)
    if quantity < 0:
        raise RowError(f"`quantity` is {quantity}.")
    return quantity


def _usage(day: date, told: str, result: Mapping[str, Any]) -> list[Line]:
    kind = told.removeprefix(_USAGE).removesuffix(".result")
    counts = _COUNTED.get(kind)
    if not told.startswith(_USAGE) or counts is None:
        raise RowError(f"`object` is {told!r}, which Sightline does not know.")
    model = word(result, "model")
    if model is None:
        raise RowError("it names no `model`: ask for usage grouped by model.")
    tier = _tier(result)
    variant = word(result, "size") if kind == "images" else ""
    return [
        Line(Billed(day, None, Decimal(quantity), model, unit, variant, tier), _plain(result))
        for unit, quantity in counts(result).items()
        if quantity
    ]


def _tier(result: Mapping[str, Any]) -> str | None:
    if result.get("batch") is True:
        return "batch"
    tier = word(result, "service_tier")
    if tier is None:
        return "standard" if result.get("batch") is False else None
    if tier not in _SERVED:
        raise RowError(f"`service_tier` is {tier!r}, which Sightline does not know.")
    return _SERVED[tier]


def _completions(result: Mapping[str, Any]) -> dict[str, int]:
    def told(name: str) -> int:
        return count(result.get(name), name)

    cached, heard, seen = (told(f"input_{one}_tokens") for one in ("cached", "audio", "image"))
    to_cache, spoken, drawn = (told(f"{one}_tokens") for one in ("input_cache_write", "output_audio", "output_image"))
    fresh = told("input_tokens") - cached - to_cache - heard - seen
    written = told("output_tokens") - spoken - drawn
    if fresh < 0 or written < 0:
        raise RowError("its parts are more than the whole.")
    return {
        "input": fresh, "cached_input": cached, "cache_write_5m": to_cache, "audio_input": heard, "image_input": seen,
        "output": written, "audio_output": spoken, "image_output": drawn,
    }  # fmt: skip


def _counted(unit: str, name: str) -> Callable[[Mapping[str, Any]], dict[str, int]]:
    return lambda result: {unit: count(result.get(name), name)}


_COUNTED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, int]]] = {
    "completions": _completions,
    "embeddings": _counted("input", "input_tokens"),
    "images": _counted("image", "images"),
    "audio_transcriptions": _counted("audio_second", "seconds"),
}


def _plain(result: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON keeps it: numbers as they were written."""
    return {
        key: str(value) if isinstance(value, Decimal) else value for key, value in result.items() if key != "amount"
    } | (
        {"amount": {key: str(value) for key, value in result["amount"].items()}}
        if isinstance(result.get("amount"), dict)
        else {}
    )
