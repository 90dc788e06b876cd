"""What a template may say: texts made fit to be kept, or a sentence that tells which of them is not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.commands.templates_sections import Section
from app.commands.texts import one_line
from db.errors import SightlineError

LONGEST: Mapping[str, int] = {
    "name": 120,
    "subject": 255,
    "preheader": 255,
    "category": 80,
    "industry": 80,
    "style": 80,
    "campaign_type": 80,
    "format": 20,
    "description": 2_000,
    "text_content": 200_000,
    "html_content": 1_000_000,
}
MOST_SECTIONS = 100
LARGEST_SIDE = 20_000
_OF_ONE_LINE = frozenset(LONGEST) - {"description", "text_content", "html_content"}


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields: lines without control characters, line ends of one kind, and None for what says nothing."""
    told = dict(fields)
    for name, most in LONGEST.items():
        told[name] = _text(name, fields[name], most)
    if not told["name"]:
        raise SightlineError("The template has no name.", fix="Give it one, such as Welcome of spring.")
    for side in ("width", "height"):
        _require_side(side, fields[side])
    if (fields["width"] is None) != (fields["height"] is None):
        raise SightlineError("Its size has one side.", fix="Give width and height, or neither.")
    told["sections"] = _sections(fields["sections"])
    return told


def _text(name: str, given: str | None, most: int) -> str | None:
    if given is None:
        return None
    kept = one_line(given) if name in _OF_ONE_LINE else _lines(given)
    if len(kept) > most:
        raise SightlineError(
            f"The {name.replace('_', ' ')} has {len(kept):,} characters.",
            why=f"At most {most:,} fit.",
            fix="Shorten it.",
        )
    return kept if kept.strip() else None


def _lines(given: str) -> str:
    """Browsers send other line ends than were there: a change of these alone is none."""
    return given.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _require_side(name: str, given: int | None) -> None:
    if given is not None and not 0 < given <= LARGEST_SIDE:
        raise SightlineError(
            f"{given:,} is no {name}.", why=f"It is in pixels, from 1 to {LARGEST_SIDE:,}.", fix="Give such a number."
        )


def _sections(given: Sequence[Section]) -> tuple[Section, ...]:
    if len(given) > MOST_SECTIONS:
        raise SightlineError(
            f"It has {len(given)} sections.", why=f"At most {MOST_SECTIONS} fit.", fix="Take some away."
        )
    kept = []
    for number, one in enumerate(given, 1):
        kind = one_line(one.kind)
        if not kind or len(kind) > LONGEST["category"]:
            raise SightlineError(
                f"Section {number} has no kind that can be kept.", fix="Name it, such as hero or footer."
            )
        html = _text("html_content", one.html_content, LONGEST["html_content"])
        kept.append(replace(one, kind=kind, html_content=html))
    return tuple(kept)
