"""Anthropic's usage in disjoint units: its input leaves out what the cache held, its output includes what was thought.

A request that compacts its conversation samples more than once. Each sampling reads a prompt of its own and is charged
by that prompt's length: it is a call of its own here, and rows of one request share their request key.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.money.reported import Reported, UsageError, less, tier_of
from app.money.units import Unit, Usage, counted

SERVICE_TIERS = {"standard": "standard", "priority": "priority", "batch": "batch"}
# What is charged like anywhere else; another place costs more, and its prices are not in the book.
GLOBAL_PLACES = (None, "global", "not_available")
SAMPLINGS = ("message", "compaction")


def messages(usage: Mapping[str, Any]) -> tuple[Usage, ...]:
    """Usage of a message: one for each time that the model read and wrote, mostly one."""
    told = Reported(usage)
    tier = tier_of("Anthropic", SERVICE_TIERS, told.word("service_tier"))
    _require_plain(told)
    tools = told.inside("server_tool_use")
    searches = tools.count("web_search_requests")
    tools.passed("web_fetch_requests")
    tools.finish()
    samplings = list(told.each("iterations"))
    whole = _tokens(told)
    told.finish()
    parts = [_sampling(one) for one in samplings] or [("message", whole)]
    _require_whole(whole, [units for kind, units in parts if kind == "message"])
    if searches:
        parts[-1][1][Unit("tool_call", "web_search")] = Decimal(searches)
    return tuple(Usage(units, tier) for _, units in parts)


def _sampling(told: Reported) -> tuple[str, dict[Unit, Decimal]]:
    kind = told.word("type") or "message"
    if kind not in SAMPLINGS:
        raise UsageError(
            f"Anthropic's iteration '{kind}' is not known.",
            why="It may be of another model, whose prices are others.",
            fix=f"Known are {' and '.join(SAMPLINGS)}.",
        )
    units = _tokens(told)
    told.finish()
    return kind, units


def _tokens(told: Reported) -> dict[Unit, Decimal]:
    read, written = told.required("input_tokens"), told.required("output_tokens")
    cached, to_cache = told.count("cache_read_input_tokens"), told.count("cache_creation_input_tokens")
    lifetimes, thinking = told.inside("cache_creation"), told.inside("output_tokens_details")
    for_minutes = lifetimes.count("ephemeral_5m_input_tokens")
    for_an_hour = lifetimes.count("ephemeral_1h_input_tokens")
    thought = thinking.count("thinking_tokens")
    lifetimes.finish()
    thinking.finish()
    if for_minutes + for_an_hour not in {0, to_cache}:
        raise UsageError(
            f"`cache_creation` adds up to {for_minutes + for_an_hour:,},"
            f" and `cache_creation_input_tokens` is {to_cache:,}.",
            why="Lifetimes have prices of their own, so each token written must have one.",
        )
    return counted(
        input=read,
        cached_input=cached,
        # Five minutes is the lifetime when none was asked for.
        cache_write_5m=to_cache - for_an_hour,
        cache_write_1h=for_an_hour,
        output=less(written, thought, of="output_tokens", part_of="thinking_tokens"),
        reasoning=thought,
    )


def _require_plain(told: Reported) -> None:
    """What multiplies the price is not in the book, and not passed over."""
    place, speed = told.word("inference_geo"), told.word("speed")
    if place not in GLOBAL_PLACES:
        raise UsageError(
            f"The call was kept to the place '{place}'.", why="That costs more than anywhere, and has no price here."
        )
    if speed not in {None, "standard"}:
        raise UsageError(f"The call was served at the speed '{speed}'.", why="That speed has no price here.")


def _require_whole(whole: Mapping[Unit, Decimal], messages_alone: list[dict[Unit, Decimal]]) -> None:
    """The counts above the iterations are the sum of those that are no compaction."""
    added: dict[Unit, Decimal] = {}
    for units in messages_alone:
        for unit, quantity in units.items():
            added[unit] = added.get(unit, Decimal(0)) + quantity
    if added != dict(whole):
        raise UsageError(
            "The iterations do not add up to the usage of the message.",
            why="Some of what was used stands in one place alone, and would be charged twice or not at all.",
        )
