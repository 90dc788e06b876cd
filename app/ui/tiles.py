"""A row of headline figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Tile:
    """One figure, and the sentence that a person sees when asking what it is."""

    label: str
    value: str
    meaning: str


def tiles(shown: Sequence[Tile]) -> None:
    """Tiles side by side; they wrap on a narrow screen."""
    with st.container(horizontal=True):
        for tile in shown:
            st.metric(tile.label, tile.value, help=tile.meaning, border=True)
