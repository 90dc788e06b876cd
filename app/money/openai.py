"""OpenAI's usage in disjoint units: its input includes what was cached and heard, its output what was thought."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.money.reported import Reported, UsageError, less, tier_of
from app.money.units import Unit, Usage, counted

# As responses name them, and `batch` for what came from a batch: its responses do not say so.
SERVICE_TIERS = {"default": "standard", "flex": "flex", "priority": "priority", "batch": "batch"}
# What OpenAI charges per call of a tool; calls of a person's own functions are free.
CHARGED_TOOLS = ("web_search", "storage_search")


def chat(usage: Mapping[str, Any], *, service_tier: str | None = None) -> Usage:
    """Usage of a chat completion."""
    told = Reported(usage)
    units = _tokens(
        told, ("prompt_tokens", "prompt_tokens_details"), ("completion_tokens", "completion_tokens_details")
    )
    return Usage(units, tier_of("OpenAI", SERVICE_TIERS, service_tier))


def response(
    usage: Mapping[str, Any], *, service_tier: str | None = None, tool_calls: Mapping[str, int] | None = None
) -> Usage:
    """Usage of a response, and how often it called tools that cost something, which stands in its output."""
    told = Reported(usage)
    units = _tokens(told, ("input_tokens", "input_tokens_details"), ("output_tokens", "output_tokens_details"))
    for tool, calls in (tool_calls or {}).items():
        if tool not in CHARGED_TOOLS:
            raise UsageError(f"OpenAI has no charged tool '{tool}'.", fix=f"Give one of {', '.join(CHARGED_TOOLS)}.")
        if calls:
            units[Unit("tool_call", tool)] = Decimal(calls)
    return Usage(units, tier_of("OpenAI", SERVICE_TIERS, service_tier))


def images(count: int, *, size: str, quality: str) -> Usage:
    """Images that are charged one by one, by size and quality as they were asked for: DALL-E."""
    return Usage({Unit("image", f"{size}/{quality}"): Decimal(count)} if count else {})


def image_tokens(usage: Mapping[str, Any], *, service_tier: str | None = None) -> Usage:
    """Images that are charged by token: what the model draws is image tokens unless it says otherwise."""
    told = Reported(usage)
    details, made = told.inside("input_tokens_details"), told.inside("output_tokens_details")
    read, written = told.required("input_tokens"), told.required("output_tokens")
    seen, words = details.count("image_tokens"), made.count("text_tokens")
    details.passed("text_tokens")
    made.passed("image_tokens")
    _total(told, read + written)
    for one in (details, made, told):
        one.finish()
    return Usage(
        counted(
            input=less(read, seen, of="input_tokens", part_of="image_tokens"),
            image_input=seen,
            output=words,
            image_output=less(written, words, of="output_tokens", part_of="text_tokens"),
        ),
        tier_of("OpenAI", SERVICE_TIERS, service_tier),
    )


def transcription(usage: Mapping[str, Any]) -> Usage:
    """Usage of a transcription: by the second or by token, whichever its model is charged by."""
    told = Reported(usage)
    kind = told.word("type")
    if kind == "duration":
        seconds = usage.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise UsageError(f"`usage.seconds` is {seconds!r}.", why="Seconds are a number that is not negative.")
        return Usage(counted(audio_second=Decimal(str(seconds))))
    if kind != "tokens":
        raise UsageError(f"`usage.type` is {kind!r}.", why="Transcriptions are charged by `duration` or by `tokens`.")
    return Usage(_tokens(told, ("input_tokens", "input_token_details"), ("output_tokens", "output_token_details")))


def video(seconds: int | Decimal, *, size: str) -> Usage:
    """A video by Sora, which is charged by the second and the size."""
    return Usage({Unit("video_second", size): Decimal(seconds)} if seconds else {})


def _tokens(told: Reported, read: tuple[str, str], written: tuple[str, str]) -> dict[Unit, Decimal]:
    whole_read, whole_written = told.required(read[0]), told.required(written[0])
    inside_read, inside_written = told.inside(read[1]), told.inside(written[1])
    cached, to_cache, heard = (inside_read.count(f"{one}_tokens") for one in ("cached", "cache_write", "audio"))
    seen = inside_read.count("image_tokens")
    thought, spoken = inside_written.count("reasoning_tokens"), inside_written.count("audio_tokens")
    inside_read.passed("text_tokens")
    # Predicted tokens are output like any other, also where the prediction was rejected.
    inside_written.passed("text_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
    _total(told, whole_read + whole_written)
    for one in (inside_read, inside_written, told):
        one.finish()
    apart = "cached, written, audio and image tokens"
    return counted(
        input=less(whole_read, cached + to_cache + heard + seen, of=read[0], part_of=apart),
        cached_input=cached,
        # OpenAI has one kind of cache: the unit of the shorter lifetime stands for it.
        cache_write_5m=to_cache,
        audio_input=heard,
        image_input=seen,
        output=less(whole_written, thought + spoken, of=written[0], part_of="reasoning and audio tokens"),
        reasoning=thought,
        audio_output=spoken,
    )


def _total(told: Reported, expected: int) -> None:
    total = told.count("total_tokens")
    if total not in {0, expected}:
        raise UsageError(
            f"`usage.total_tokens` is {total:,}, and its parts add up to {expected:,}.",
            why="A kind of tokens is missing from the parts, and would be priced at nothing.",
        )
