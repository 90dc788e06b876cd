"""What a description on Google's bill names: model, unit, tier; the Gemini API and Vertex AI spell them differently."""

import re
from dataclasses import dataclass
from typing import NamedTuple

_FAMILIES = re.compile(r"(gemini|imagen|veo)(-|$)")
_RESOLUTION = re.compile(r"\d{3,4}p|[248]k")
_MODALITIES = ("text", "audio", "image", "video")
_NAME_ENDS = {
    *_MODALITIES, "input", "output", "thinking", "non-thinking", "caching", "cached", "generation", "generate", "ga",
    "global", "batch", "priority", "flex", "token", "tokens", "short", "long", "predictions", "response", "reasoning",
    "storage", "grounding", "with",
}  # fmt: skip
_UNITS = {"imagen": "image", "veo": "video_second"}
_TIERS = ("batch", "flex", "priority")
_LONG_FROM = 200_001
# The Gemini API has nothing but models; of Vertex AI much is machines.
_OF_MODELS_ALONE = re.compile(r"gemini api|generative language api", re.IGNORECASE)
_MAYBE_OF_MODELS = re.compile(r"vertex ai|token|gemini|imagen|\bveo\b|claude|llama|mistral", re.IGNORECASE)


class Sku(NamedTuple):
    """A description, read; the unit is None where what it names is no unit of calls, such as storage by the hour."""

    model: str | None
    unit: str | None
    variant: str = ""
    tier: str = "standard"
    context_from: int = 0

    @property
    def is_read(self) -> bool:
        return self.model is not None or self.unit is not None


@dataclass(frozen=True)
class _Words:
    """A description's words before the model, the model's, and those after it."""

    before: tuple[str, ...]
    model: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def told(self) -> set[str]:
        return {*self.before, *self.after}

    def first_of(self, words: tuple[str, ...]) -> str | None:
        """What stands before the model holds: "output … short input text" is of output."""
        return next((word for side in (self.before, self.after) for word in words if word in side), None)


def is_of_models_alone(service: str) -> bool:
    """Of such a service nothing is left out."""
    return bool(_OF_MODELS_ALONE.search(service))


def may_be_of_models(service: str, sku: str) -> bool:
    """Of such a row somebody has to know when it can't be read."""
    return bool(_MAYBE_OF_MODELS.search(f"{service} {sku}"))


def sku_of(sku: str) -> Sku:
    """`Gemini 2.5 Flash Text Input - Predictions` or `Generate_content text input token count for gemini 3 flash`."""
    words = _split(sku)
    told = words.told
    model = "-".join(words.model) or None
    if "grounding" in told or ("search" in told and told & {"query", "queries"}):
        return Sku(model, "tool_call", "web_search")
    if model is None:
        return Sku(None, None)
    tier = next((one for one in _TIERS if one in told), "standard")
    unit, variant = _unit(words), _video_kind(words.after) if words.model[0] == "veo" else ""
    return Sku(model, unit, variant, tier, _LONG_FROM if "long" in told else 0)


def _split(sku: str) -> _Words:
    words = [word for word in re.sub(r"[_(),+]", " ", sku.lower()).split() if word != "-"]
    begins = next((place for place, word in enumerate(words) if _FAMILIES.match(word)), len(words))
    before = tuple(words[:begins])
    ends = begins
    while ends < len(words) and _is_of_name(words, ends, begins, before):
        ends += 1
    return _Words(before, tuple(words[begins:ends]), tuple(words[ends:]))


def _is_of_name(words: list[str], place: int, begins: int, before: tuple[str, ...]) -> bool:
    """A modality is part of a name where another one is told beside it: `Flash Image Image Output`, `Native Audio`."""
    word = words[place]
    if word in _MODALITIES:
        follows = words[place + 1] if place + 1 < len(words) else ""
        is_told = any(one in before for one in _MODALITIES) or follows in _MODALITIES or words[place - 1] == "native"
        return is_told and words[begins] == "gemini"
    return word not in _NAME_ENDS and not _RESOLUTION.fullmatch(word)


def _unit(words: _Words) -> str | None:
    family, told = words.model[0], words.told
    if family in _UNITS:
        return _UNITS[family]
    if "storage" in told:
        return None
    modality = words.first_of(_MODALITIES[1:] if "text" not in words.before else ()) or ""
    prefix = f"{modality}_" if modality else ""
    if told & {"caching", "cached"}:
        # Video that was cached has no price of its own.
        return "cached_input" if modality == "video" else f"cached_{prefix}input"
    direction = words.first_of(("output", "input"))
    if direction == "output" and told & {"thinking", "reasoning"} and "off" not in told:
        return "reasoning"
    return f"{prefix}{direction}" if direction else None


def _video_kind(after: tuple[str, ...]) -> str:
    """The resolution, and whether there is sound: `720p/audio`."""
    told = [next((word for word in after if _RESOLUTION.fullmatch(word)), "")]
    if "audio" in after and not {"without", "no"} & set(after):
        told.append("audio")
    return "/".join(part for part in told if part)
