"""Google's usage in disjoint units: its prompt includes what was cached; what was thought stands beside its output."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.money.reported import Reported, UsageError, less, tier_of
from app.money.units import Unit, Usage, counted

SERVICE_TIERS = {
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
    "batch": "batch",
    "ON_DEMAND": "standard",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_PRIORITY": "priority",
}
# Pages of documents are read as images.
MODALITIES = {"TEXT": "text", "DOCUMENT": "image", "IMAGE": "image", "AUDIO": "audio", "VIDEO": "video"}


def generate(usage: Mapping[str, Any], *, service_tier: str | None = None, searches: int = 0) -> Usage:
    """Usage of `generateContent`, and how many searches it was grounded on, which its answer lists."""
    told = Reported(usage, "usageMetadata")
    said = told.word("trafficType") or told.word("serviceTier")
    told.word("serviceTier")
    prompt, cached = told.required("promptTokenCount"), told.count("cachedContentTokenCount")
    made, thought = told.count("candidatesTokenCount"), told.count("thoughtsTokenCount")
    of_tools = told.count("toolUsePromptTokenCount")
    read, held = _kinds(told, "promptTokensDetails"), _kinds(told, "cacheTokensDetails")
    shown = _kinds(told, "candidatesTokensDetails")
    _kinds(told, "toolUsePromptTokensDetails")
    total = told.count("totalTokenCount")
    told.finish()
    if total not in {0, prompt + made + thought + of_tools}:
        raise UsageError(
            f"`usageMetadata.totalTokenCount` is {total:,},"
            f" and its parts add up to {prompt + made + thought + of_tools:,}.",
            why="A kind of tokens is missing from the parts, and would be priced at nothing.",
        )
    fresh = {kind: less(read[kind], held[kind], of=f"{kind} read", part_of=f"{kind} cached") for kind in read}
    words_read = less(prompt, sum(read.values()), of="promptTokenCount", part_of="its modalities")
    words_held = less(cached, sum(held.values()), of="cachedContentTokenCount", part_of="its modalities")
    units = counted(
        input=less(words_read, words_held, of="promptTokenCount", part_of="cachedContentTokenCount") + of_tools,
        # Video that was cached has no price of its own.
        cached_input=words_held + held["video"],
        audio_input=fresh["audio"],
        image_input=fresh["image"],
        video_input=fresh["video"],
        cached_audio_input=held["audio"],
        cached_image_input=held["image"],
        output=less(made, sum(shown.values()), of="candidatesTokenCount", part_of="its modalities"),
        audio_output=shown["audio"],
        image_output=shown["image"],
        video_output=shown["video"],
        reasoning=thought,
    )
    if searches:
        units[Unit("tool_call", "web_search")] = Decimal(searches)
    return Usage(units, tier_of("Google", SERVICE_TIERS, service_tier or said))


def images(count: int, *, size: str = "") -> Usage:
    """Images by Imagen, which are charged one by one."""
    return Usage({Unit("image", size): Decimal(count)} if count else {})


def video(seconds: int | Decimal, *, kind: str = "") -> Usage:
    """A video by Veo, which is charged by the second and the kind: its resolution and sound, as `720p/audio`."""
    return Usage({Unit("video_second", kind): Decimal(seconds)} if seconds else {})


def _kinds(told: Reported, key: str) -> dict[str, int]:
    """Tokens by what they stand for; those of text are what is left, since lists of modalities may be incomplete."""
    found = {"audio": 0, "image": 0, "video": 0}
    for one in told.each(key):
        named = one.word("modality") or ""
        if named not in MODALITIES:
            raise UsageError(f"Google's modality '{named}' is not known.", why="It may have a price of its own.")
        count = one.count("tokenCount")
        one.finish()
        if MODALITIES[named] != "text":
            found[MODALITIES[named]] += count
    return found
