"""What a thing once said beside what it says: two versions are chosen, and the lines that differ are shown."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from app.commands.templates_compared import Part
from app.ui import words
from app.ui.cards import card
from app.ui.empty import empty_card
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

_AROUND = 2
_MOST_LINES = 400
_NOW = "As it is now"


def two_versions(
    labels: Mapping[int, str],
    parts: Callable[[int, int | None], Iterable[Part]],
    ask_roll_back: Callable[[int], None],
    address: Callable[[int], str],
) -> None:
    """The first can be gone back to and is previewed; in place of a second one it is compared with what is now."""
    left, right = st.columns(2)
    old = left.selectbox("From", list(labels), format_func=labels.__getitem__)
    new = right.selectbox("To", [None, *labels], format_func=lambda number: labels[number] if number else _NOW)
    what_differs(parts(old, new))
    with st.container(horizontal=True):
        if st.button(f"Roll back to version {old} …", icon=":material/history:"):
            ask_roll_back(old)
    with st.expander(f"Preview of version {old}"):
        st.iframe(address(old), height=480, alt=f"Preview of version {old}")


def label(version: int, why: str, at: datetime, by: str | None, scope: Scope) -> str:
    """A version as it is chosen."""
    told = words.moment(at.astimezone(ZoneInfo(scope.zone)))
    return f"Version {version}, {why}, {told}" + (f" by {by}" if by else "")


def what_differs(parts: Iterable[Part]) -> None:
    """A table under its title for each part that differs."""
    told = [(title, side_by_side(title, before, after)) for title, before, after in parts if before != after]
    drawn = [joined((tag("h3", title, style="font-size:.9rem;margin:.9rem 0 .2rem;padding:0"), cells))
        for title, cells in told]  # fmt: skip
    nothing = empty_card("They say the same.", "Choose two that differ.")
    why = "Left as it was, right as it became; lines that stayed the same are left out where there are many."
    card("What differs", joined(drawn) if drawn else nothing, why=why)


def side_by_side(title: str, old: str, new: str) -> Markup:
    """Two texts, the lines that differ beside each other."""
    rows = list(_rows(old.splitlines(), new.splitlines()))
    shown = [
        tag("tr", *(_cell(*side) for side in row)) for row in rows[:_MOST_LINES]
    ]  # fmt: skip
    if len(rows) > _MOST_LINES:
        shown.append(tag("tr", tag("td", f"… and {len(rows) - _MOST_LINES:,} more lines", colspan=2)))
    head = tag("tr", *(tag("th", label, scope="col", style="width:50%") for label in ("Before", "After")))
    table = tag("table", tag("thead", head), tag("tbody", *shown), class_="sl-table sl-diff")
    return tag("div", table, class_="sl-scroll", tabindex=0, role="region", aria_label=f"What differs: {title}")


def _rows(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        for kind, start, end, since, until in group:
            before, after = old[start:end], new[since:until]
            for number in range(max(len(before), len(after))):
                yield (
                    ("" if kind == "equal" else "del", before[number] if number < len(before) else ""),
                    ("" if kind == "equal" else "ins", after[number] if number < len(after) else ""),
                )


def _cell(mark: str, line: str) -> Markup:
    """What was taken away is struck, what came is underlined: the colour is not the only sign."""
    return tag("td", tag(mark, line) if mark and line else line)
