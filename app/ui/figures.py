"""Figures that are no metrics: counts of what is read live, in the form of tiles, with a word on each."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.ui.markup import Markup, tag


@dataclass(frozen=True)
class Figure:
    """A label, what it says, and a remark; `is_amiss` is told by a sign as well as by its colour."""

    label: str
    says: str
    remark: str = ""
    is_amiss: bool = False


def figures(shown: Sequence[Figure]) -> None:
    """Side by side, like the tiles of metrics."""
    st.html(tag("div", tag("div", *map(_drawn, shown), class_="sl-tiles", style=f"--n:{len(shown)}"), class_="sl"))


def _drawn(one: Figure) -> Markup:
    sign = tag("span", "▲ ", class_="sl-bad", title="This needs a look.") if one.is_amiss else ""
    return tag(
        "div",
        tag("div", one.label, class_="label"),
        tag("div", sign, one.says, class_="value"),
        tag("div", one.remark or Markup("&nbsp;"), class_="delta sl-muted", title=one.remark or None),
        class_="sl-tile",
        data_figure=one.label,
    )
