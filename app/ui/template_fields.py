"""The fields of a template as a form, and as the draft that they make."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.commands.templates import Draft
from app.commands.templates_checked import LARGEST_SIDE, LONGEST
from app.commands.templates_compared import NAMES
from app.commands.templates_sections import Section
from app.ui import words
from db.errors import SightlineError

_OF_FINDING = ("category", "industry", "style", "campaign_type")
_SIDES = ("width", "height")
_PLACE, _KIND, _HTML, _SETTINGS = "Place", "Kind", "HTML", "Settings"

Given = dict[str, Any]


def fields(now: Draft, kind: str) -> Given:
    """Widgets for all of it; those of mail and those of ads are not asked of the other."""
    given: Given = {"name": _line("name", now)}
    if kind == "email":
        left, right = st.columns(2)
        with left:
            given["subject"] = _line("subject", now)
        with right:
            given["preheader"] = _line("preheader", now)
    else:
        given |= _shape(now)
    given["html_content"] = _long("html_content", now, 220)
    given["text_content"] = _long("text_content", now, 110)
    st.caption("Sections, in the order of their places. Their HTML stands below the template's own.")
    given["sections"] = _sections(now.sections)
    with st.expander("What it is found by"):
        given["description"] = _long("description", now, 80)
        for column, name in zip(st.columns(len(_OF_FINDING)), _OF_FINDING, strict=True):
            with column:
                given[name] = _line(name, now)
    return given


def read(given: Given, now: Draft) -> Draft:
    """The draft that was typed; what was not asked stays."""
    told = {**vars(now), **given}
    told["sections"] = _read_sections(given["sections"])
    return Draft(**told)


def _line(name: str, now: Draft) -> str:
    return st.text_input(NAMES[name], getattr(now, name) or "", max_chars=LONGEST[name]) or ""


def _long(name: str, now: Draft, height: int) -> str:
    value = getattr(now, name) or ""
    return st.text_area(NAMES[name], value, max_chars=LONGEST[name], height=height) or ""


def _shape(now: Draft) -> Given:
    given: Given = {}
    wide, high, form = st.columns(3)
    for column, name in ((wide, "width"), (high, "height")):
        with column:
            side = st.number_input(f"{NAMES[name]} in pixels", 0, LARGEST_SIDE, getattr(now, name) or 0)
            given[name] = int(side) or None
    with form:
        given["format"] = _line("format", now)
    return given


def _sections(now: Sequence[Section]) -> list[Mapping[str, Any]]:
    rows = [
        {_PLACE: number, _KIND: one.kind, _HTML: one.html_content or "", _SETTINGS: json.dumps(dict(one.content))}
        for number, one in enumerate(now, 1)
    ]
    frame = pd.DataFrame(rows, columns=[_PLACE, _KIND, _HTML, _SETTINGS]).astype(
        {_PLACE: "float64", _KIND: "object", _HTML: "object", _SETTINGS: "object"}
    )
    edited: pd.DataFrame = st.data_editor(
        frame,
        num_rows="dynamic",
        hide_index=True,
        height=min(300, 80 + 36 * len(rows)),
        column_config={
            _PLACE: st.column_config.NumberColumn(width=60),
            _KIND: st.column_config.TextColumn(width=120),
            _HTML: st.column_config.TextColumn(width="large"),
            _SETTINGS: st.column_config.TextColumn(width="medium", help="What the product keeps of it, as JSON."),
        },
        alt="Sections of the template: place, kind, HTML and settings.",
    )
    return [{str(name): value for name, value in row.items()} for row in edited.to_dict("records")]


def _read_sections(rows: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    """By their places; those without one come last, as they were added."""
    last = len(rows) + 1
    placed = sorted(rows, key=lambda row: row[_PLACE] if _is_there(row[_PLACE]) else last)
    return tuple(_read_section(row) for row in placed if any(_is_there(row[name]) for name in (_KIND, _HTML)))


def _read_section(row: Mapping[str, Any]) -> Section:
    kind, html, settings = (row[name] if _is_there(row[name]) else "" for name in (_KIND, _HTML, _SETTINGS))
    try:
        content = json.loads(settings or "{}")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SightlineError(
            f"The settings of the section “{words.spelled(kind)}” can't be read.",
            why="They are kept as JSON.",
            fix='Write them such as {"align": "left"}, or leave them empty.',
        )
    return Section(kind, html or None, content)


def _is_there(value: object) -> bool:
    return bool(value) and not (isinstance(value, float) and pd.isna(value))
