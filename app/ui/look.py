"""The kit's style sheet, with the theme's colours."""

from functools import cache
from pathlib import Path

import streamlit as st

from app.ui.pictures import shades

_SHEET = Path(__file__).with_name("look.css")


def dress() -> None:
    """Once a page: charts, tiles and tables are HTML that this makes readable, in light and in dark."""
    st.html(_style())


@cache
def _style() -> str:
    colours = "\n".join(
        f".sl-{name} {{ color: light-dark({light}, {dark}); }}" for name, (light, dark) in shades().items()
    )
    return f"<style>{_SHEET.read_text(encoding='utf-8')}\n{colours}</style>"
