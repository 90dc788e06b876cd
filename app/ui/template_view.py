"""A template as readers would see it: on a desk, on a telephone, as plain text; and what is to be mended beside it."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import streamlit as st

from app.analysis.template_checks import Checked, Finding, Weight, check
from app.records.template_texts import Text
from app.ui.cards import card
from app.ui.empty import nothing_here
from app.ui.markup import Markup, lone, tag
from app.ui.views import one_of

WIDTHS = (DESK, PHONE, PLAIN) = ("Desktop", "Telephone", "Plain text")
_PHONE_WIDTH, _HEIGHT, _PHONE_HEIGHT = 375, 620, 667
_MARKS = {Weight.BAD: "✕", Weight.WARNING: "!", Weight.GOOD: "✓"}
_MOODS = {Weight.BAD: "sl-bad", Weight.WARNING: "", Weight.GOOD: "sl-good"}


class Previewed(Protocol):
    """What a frame shows: a template, or a component."""

    @property
    def id(self) -> UUID: ...
    @property
    def revision(self) -> int: ...


def preview_and_checks(one: Text) -> None:
    """Side by side where there is room."""
    shown, checked = st.columns([0.62, 0.38])
    with shown:
        preview(one)
    with checked:
        card("Checks", findings(check(checked_of(one))), why="What mail filters, telephones and the law look at.")


def preview(one: Text) -> None:
    """In a frame where scripts never run, links lead nowhere and pictures from elsewhere don't load."""
    width = one_of("as", WIDTHS, label="Preview")
    if width == PLAIN:
        if one.text_content:
            st.code(one.text_content, language=None, wrap_lines=True)
        else:
            nothing_here("There is no plain text.", fill="Write some: readers without HTML see that alone.")
        return
    if not one.html.strip():
        nothing_here("There is no HTML to show.", fill="Write some, or some sections.")
        return
    framed(preview_address("template", one), one.name, is_phone=width == PHONE)


def framed(address: str, name: str, *, is_phone: bool) -> None:
    """A preview, as wide as there is room or as a telephone is."""
    st.iframe(
        address,
        width=_PHONE_WIDTH if is_phone else "stretch",
        height=_PHONE_HEIGHT if is_phone else _HEIGHT,
        alt=f"Preview of {name}",
    )
    st.caption("Nothing in it runs, leads away or loads pictures from elsewhere: these are shown as frames.")


def preview_address(what: str, one: Previewed, version: int | None = None) -> str:
    """Where the frame gets it from; what was saved since is another address, so that it is loaded anew."""
    return f"/preview/{what}/{one.id}?" + (f"version={version}" if version else f"revision={one.revision}")


def checked_of(one: Text) -> Checked:
    return Checked(one.kind, one.subject, one.html, one.text_content, one.width, one.height, one.format)


def findings(found: Sequence[Finding]) -> Markup:
    """A line for each: its weight is told by a sign and a word, not by the colour alone."""
    lines = [
        tag("li",
            tag("b", tag("span", _MARKS[one.weight], class_=_MOODS[one.weight], aria_hidden="true"), f" {one.about}"),
            tag("span", f" ({one.weight})", class_="sl-unseen"),
            lone("br"), one.told, style="list-style:none;margin:.5rem 0 0;overflow-wrap:anywhere")
        for one in found
    ]  # fmt: skip
    return tag("ul", *lines, class_="sl-small", style="margin:0")
