"""Drawings as pictures inside the page: SVG in a data address, which keeps to the colour scheme around it.

Streamlit takes SVG elements out of HTML; a picture stays, runs no script, and has a text for those who don't see it.
"""

import re
from functools import cache
from urllib.parse import quote

import streamlit as st

from app.ui.markup import Markup, lone, tag

COLOURS = 6
# Of what a picture's address may hold as it is, only what is needed in an attribute is written otherwise.
_UNSAFE = re.compile(r"[^A-Za-z0-9 /:=;.,()!*{}_-]+")
_LINES = {"grid": ("#e4e8ee", "#29323d"), "base": ("#aeb8c4", "#4a5665"), "limit": ("#a52a3a", "#f295a2")}
_BEFORE = ("#76818f", "#8b98a8")
_SHAPES = (
    "*{vector-effect:non-scaling-stroke}"
    ".line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".before{stroke-dasharray:4 4;stroke-width:1.5}"
    ".fill{stroke:none;opacity:.13}.stack{stroke:none;opacity:.85}.band{stroke:none;opacity:.18}"
    ".limit{stroke-dasharray:2 3}"
)


def picture(*inner: Markup, width: float, height: float, alt: str) -> Markup:
    """A drawing that is stretched to wherever it is put."""
    box = f"0 0 {width:.0f} {height:.0f}"
    drawn = tag("svg", _style(), *inner, xmlns="http://www.w3.org/2000/svg", viewBox=box, preserveAspectRatio="none")
    address = _UNSAFE.sub(lambda found: quote(found[0], safe=""), drawn)
    return lone("img", src=f"data:image/svg+xml,{address}", alt=alt)


def shades() -> dict[str, tuple[str, str]]:
    """The theme's colours for lines, in light and in dark."""
    light, dark = (st.get_option(f"theme.{scheme}.chartCategoricalColors") for scheme in ("light", "dark"))
    return {f"c{place}": (light[place], dark[place]) for place in range(COLOURS)} | {"cb": _BEFORE}


@cache
def _style() -> Markup:
    rules = []
    for scheme in (0, 1):
        told = [f".{name}{{stroke:{colour[scheme]}}}" for name, colour in _LINES.items()]
        for name, colour in shades().items():
            filled = ",".join(f".{name} .{shape}" for shape in ("fill", "stack", "band"))
            told.append(f".{name} .line{{stroke:{colour[scheme]}}}{filled}{{fill:{colour[scheme]}}}")
        rules.append("".join(told))
    return Markup(f"<style>{_SHAPES}{rules[0]}@media (prefers-color-scheme:dark){{{rules[1]}}}</style>")
