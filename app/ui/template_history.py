"""What a template once said: its versions, and two of them side by side, section by section."""

import difflib
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from app import serving
from app.commands.templates import Draft
from app.commands.templates_sections import Section, named
from app.records.template_texts import Text, VersionText, kept_of, version_texts
from app.ui import words
from app.ui.cards import card
from app.ui.empty import empty_card
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope
from app.ui.template_fields import NAMES, draft_of
from app.ui.template_form import ask_roll_back
from app.ui.template_view import preview_address

_TEXTS = ("subject", "preheader", "html_content", "text_content")
_AROUND = 2
_MOST_LINES = 400
_NOW = "As it is now"
_WHY = {
    "auto_save": "kept by itself",
    "snapshot": "before a change",
    "publish": "published",
    "roll_back": "before rolling back",
}


def history(one: Text, scope: Scope) -> None:
    """Two versions are chosen, and what differs is shown; going back makes a new version."""
    found = version_texts(serving.engines().ro, scope.viewer, one.id)
    kept = kept_of(serving.engines().ro, scope.viewer, one.id)
    if kept:
        most = "All are kept" if kept.most is None else f"By its plan the last {kept.most} are kept"
        counted = f"{words.counted(kept.others, 'version')}, and {kept.published} that were published"
        st.html(tag("p", f"{most}, and published ones for ever. There are {counted}.", class_="sl sl-small sl-muted"))
    if not found:
        nothing = empty_card("It has no version yet.", "One is kept whenever somebody changes or publishes it.")
        card("Versions", nothing)
        return
    by_number = {version.version: version for version in found}
    left, right = st.columns(2)
    old = left.selectbox("From", list(by_number), format_func=lambda number: _label(by_number[number], scope))
    new = right.selectbox(
        "To", [None, *by_number], format_func=lambda number: _label(by_number[number], scope) if number else _NOW
    )
    then = by_number[old]
    differences(draft_of(then), draft_of(by_number[new]) if new else draft_of(one))
    with st.container(horizontal=True):
        if st.button(f"Roll back to version {old} …", icon=":material/history:"):
            ask_roll_back(scope, one, old)
    with st.expander(f"Preview of version {old}"):
        st.iframe(preview_address(one, old), height=480, alt=f"Preview of version {old}")


def differences(old: Draft, new: Draft) -> None:
    """A card for every part that differs."""
    parts = [*_texts(old, new), *_sections(old, new)]
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


def _texts(old: Draft, new: Draft) -> Iterator[tuple[str, str, str]]:
    for name in _TEXTS:
        yield NAMES[name], getattr(old, name) or "", getattr(new, name) or ""


def _sections(old: Draft, new: Draft) -> Iterator[tuple[str, str, str]]:
    """By kind, and which of that kind; their order is a part of its own."""
    before, after = named(old.sections), named(new.sections)
    yield "Order of sections", "\n".join(before), "\n".join(after)
    for name in dict.fromkeys((*before, *after)):
        told = [_told(side.get(name)) for side in (before, after)]
        yield f"Section {name}", told[0], told[1]


def _told(section: Section | None) -> str:
    if section is None:
        return ""
    settings = [f"{key}: {value}" for key, value in sorted(section.content.items())]
    return "\n".join([section.html_content or "", *settings])


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


def _label(version: VersionText, scope: Scope) -> str:
    by = f" by {version.created_by}" if version.created_by else ""
    at = words.moment(version.created_at.astimezone(ZoneInfo(scope.zone)))
    return f"Version {version.version}, {_WHY.get(version.reason, version.reason)}, {at}{by}"
