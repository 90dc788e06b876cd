"""Two edits of one long text, or of one list of sections: what they are together, where they don't collide."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class _Edit(NamedTuple):
    """Lines of the text that both began with, and what stands in their place."""

    start: int
    end: int
    lines: tuple[str, ...]


def merged_lines(made_on: str, now: str, wanted: str) -> str | None:
    """Line by line; None where both changed the same lines, or lines beside each other, to different things."""
    lines = made_on.splitlines(keepends=True)
    theirs, ours = _edits(lines, now), _edits(lines, wanted)
    if any(_meet(one, other) for one in theirs for other in ours if one != other):
        return None
    # From the end: what is put in place moves none of the lines before it.
    for edit in sorted({*theirs, *ours}, reverse=True):
        lines[edit.start : edit.end] = edit.lines
    return "".join(lines)


def merged_texts(made_on: str | None, now: str | None, wanted: str | None) -> str | None:
    """The same of texts that may be missing."""
    return merged_lines(made_on or "", now or "", wanted or "")


def merged_order(made_on: Sequence[str], now: Sequence[str], wanted: Sequence[str]) -> list[str] | None:
    """Names in an order, as two people put them: added, taken away and moved; None where these collide."""
    told = merged_lines(*("".join(f"{name}\n" for name in names) for names in (made_on, now, wanted)))
    if told is None:
        return None
    names = told.splitlines()
    # Whatever both moved to different places would stand there twice.
    return names if len(set(names)) == len(names) else None


def _edits(lines: Sequence[str], changed: str) -> set[_Edit]:
    into = changed.splitlines(keepends=True)
    compared = SequenceMatcher(None, lines, into, autojunk=False)
    return {
        _Edit(start, end, tuple(into[since:until]))
        for kind, start, end, since, until in compared.get_opcodes()
        if kind != "equal"
    }


def _meet(one: _Edit, other: _Edit) -> bool:
    return one.start <= other.end and other.start <= one.end
