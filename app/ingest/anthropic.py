"""Anthropic's cost report and usage report: GET /v1/organizations/cost_report and …/usage_report/messages.

Amounts are decimal texts in cents. Costs name no quantity and usage no amount: both together make a bill.
"""

from collections.abc import Iterator, Mapping
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
    day_of_moments,
    dollars,
    in_dollars,
    number,
    word,
)
from app.money.bills import Billed

_UNITS = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cached_input",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}
_TIERS = ("standard", "batch", "priority", "flex")
# Documented, and without a price in the book: the difference stays with its lines, and the file is read all the same.
_UNPRICED_TIERS = ("priority_on_demand", "flex_discount")
# Our tiers begin at their first token.
_CONTEXTS = {"0-200k": 0, "200k-1M": 200_001}
_SEARCH = "web_search"
_OTHER_COSTS = (_SEARCH, "code_execution", "session_usage")
_KEYS = (
    "model", "token_type", "service_tier", "context_window", "cost_type", "workspace_id", "api_key_id", "inference_geo",
    "description", "speed",
)  # fmt: skip


def read(text: str, name: str) -> Read:
    """Costs or usage, whichever the results are; never both in one file."""
    collector = Collector(name)
    kinds: set[str] = set()
    for place, bucket, result in buckets_in(text, collector):
        try:
            day = day_of_moments(bucket.get("starting_at"), bucket.get("ending_at"))
            collector.days.add(day)
            if result:
                kind = "cost" if "amount" in result else "usage"
                kinds.add(kind)
                collector.once(place, (day, tuple(result.get(key) for key in _KEYS)))
                collector.lines += [_cost(day, result)] if kind == "cost" else _usage(day, result)
        except RowError as error:
            collector.wrong(place, str(error))
    if len(kinds) > 1:
        collector.wrong("The file", "it mixes costs and usage: give them as two files.")
    return collector.finish("anthropic", kinds.pop() if kinds else "cost", left_out=tuple(_unpriced(collector.lines)))


def _unpriced(lines: list[Line]) -> Iterator[str]:
    for tier in _UNPRICED_TIERS:
        count = sum(line.billed.tier == tier for line in lines)
        if count:
            yield f"{count:,} lines are of the tier {tier}, which the price book does not have."


def _cost(day: date, result: Mapping[str, Any]) -> Line:
    in_dollars(result.get("currency"))
    told = result["amount"]
    if not isinstance(told, str):
        raise RowError(f"`amount` is {told}, and not a text: the report tells cents as texts.")
    amount = dollars(number(told, "amount").scaleb(-2), "amount")
    model, description = word(result, "model"), word(result, "description") or ""
    cost_type = word(result, "cost_type")
    if cost_type not in {None, "tokens", *_OTHER_COSTS}:
        raise RowError(f"`cost_type` is {cost_type!r}, which Sightline does not know.")
    if cost_type == _SEARCH:
        return Line(
            Billed(day, amount, None, model, "tool_call", _SEARCH, description=description or _SEARCH), dict(result)
        )
    if cost_type != "tokens" or model is None:
        return Line(Billed(day, amount, description=description or cost_type or ""), dict(result))
    token_type = word(result, "token_type")
    if token_type is not None and token_type not in _UNITS:
        raise RowError(f"`token_type` is {token_type!r}, which Sightline does not know.")
    return Line(
        Billed(
            day=day,
            amount=amount,
            model=model,
            unit=_UNITS[token_type] if token_type else None,
            variant="",
            tier=_tier(result),
            context_from=_context(result),
            description=description,
        ),
        dict(result),
    )


def _usage(day: date, result: Mapping[str, Any]) -> list[Line]:
    model = word(result, "model")
    if model is None:
        raise RowError("it names no `model`: ask for usage grouped by model.")
    written = result.get("cache_creation") or {}
    if not isinstance(written, dict):
        raise RowError("`cache_creation` is no object.")
    counts = {unit: result.get(name) for name, unit in _UNITS.items() if "." not in name}
    counts |= {unit: written.get(name.partition(".")[2]) for name, unit in _UNITS.items() if "." in name}
    tools = result.get("server_tool_use") or {}
    if not isinstance(tools, dict):
        raise RowError("`server_tool_use` is no object.")
    counts["tool_call"] = tools.get("web_search_requests")
    tier, context = _tier(result), _context(result)
    return [
        Line(
            Billed(day, None, Decimal(quantity), model, unit, _SEARCH if unit == "tool_call" else "", tier, context),
            dict(result),
        )
        for unit, told in counts.items()
        if (quantity := count(told, unit))
    ]


def _tier(result: Mapping[str, Any]) -> str | None:
    tier = word(result, "service_tier")
    if tier not in {None, *_TIERS, *_UNPRICED_TIERS}:
        raise RowError(f"`service_tier` is {tier!r}, which Sightline does not know.")
    return tier


def _context(result: Mapping[str, Any]) -> int | None:
    window = word(result, "context_window")
    if window is not None and window not in _CONTEXTS:
        raise RowError(f"`context_window` is {window!r}, which Sightline does not know.")
    return None if window is None else _CONTEXTS[window]
