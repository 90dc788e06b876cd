"""The parts that a template is put together from, and two edits of them together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.commands.merging import merged_lines, merged_order
from app.commands.texts import shortened


@dataclass(frozen=True)
class Section:
    """One part: what kind it is, what it says, and what the product besides keeps of it."""

    kind: str
    html_content: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} “{shortened(self.html_content)}”" if self.html_content else self.kind

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Section":
        """As versions keep it."""
        return cls(told["kind"], told.get("html_content"), told.get("content") or {})


def merged_sections(
    made_on: Sequence[Section], now: Sequence[Section], wanted: Sequence[Section]
) -> tuple[Section, ...] | None:
    """Section by section, known by its kind and which of that kind it is; None where they collide."""
    old, theirs, ours = named(made_on), named(now), named(wanted)
    order = merged_order(list(old), list(theirs), list(ours))
    if order is None:
        return None
    together = [_merged(old.get(name), theirs.get(name), ours.get(name)) for name in order]
    gone = [name for name in old if name not in order]
    # Taken away by one and rewritten by the other: whatever stands, somebody's work is lost.
    if any(side[name] != old[name] for name in gone for side in (theirs, ours) if name in side):
        return None
    kept = tuple(one for one in together if one is not None)
    return kept if len(kept) == len(together) else None


def named(sections: Sequence[Section]) -> dict[str, Section]:
    """By names that tell two of a kind apart."""
    seen: Counter[str] = Counter()
    told = {}
    for one in sections:
        seen[one.kind] += 1
        told[f"{one.kind} {seen[one.kind]}"] = one
    return told


def _merged(old: Section | None, theirs: Section | None, ours: Section | None) -> Section | None:
    if theirs is None or ours is None or theirs == ours:
        return theirs or ours
    if old is None:
        return None
    if old == theirs:
        return ours
    if old == ours:
        return theirs
    if theirs.content != ours.content and old.content not in (theirs.content, ours.content):
        return None
    html = merged_lines(*(one.html_content or "" for one in (old, theirs, ours)))
    content = ours.content if theirs.content == old.content else theirs.content
    return None if html is None else replace(ours, html_content=html, content=content)
