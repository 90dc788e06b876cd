"""What lies behind a chart, tiles or a table: one button that opens the receipt, the figures and the downloads."""

import re
from collections.abc import Mapping

import streamlit as st

from app.exports.address import LONGEST_ADDRESS, Kind, address
from app.ui.asking import Asked
from app.ui.explore import explore
from app.ui.grid import grid
from app.ui.links import anchor
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.receipts import draw_receipt

_ROWS = 500
_TOO_LONG = (
    "No download: more things are chosen one by one than an address can name. Choose fewer, or search for more words."
)


def behind(answer: Asked, title: str, label: str = "Receipt") -> None:
    """A quiet button; nothing of what it opens is made before."""
    told = f"Where “{title}” comes from, its figures as a table, and downloads."
    if st.button(label, key=f"behind-{slug(title)}", type="tertiary", icon=":material/receipt_long:", help=told):
        _open(answer, title)


@st.dialog("Where this comes from", width="medium", position="right")
def _open(answer: Asked, title: str) -> None:
    still_here(answer.scope.viewer)
    st.html(
        tag(
            "div",
            tag("h2", title, style="font-size:1.1rem;margin:0;padding:0"),
            downloads(answer, slug(title)),
            class_="sl",
        )
    )
    receipt, table, play = st.tabs(["Receipt", "As a table", "Explore"], key=f"tabs-{slug(title)}", on_change="rerun")
    with receipt:
        draw_receipt(answer)
    if table.open:
        with table:
            drawn = grid(answer, answer.rows()[:_ROWS])
            st.html(tag("div", tag("div", drawn, class_="sl-scroll", tabindex=0), class_="sl"))
    if play.open:
        with play:
            explore(answer, title)


def downloads(answer: Asked, name: str) -> Markup:
    """Addresses that ask the question again for whoever opens them."""
    return links_of({kind: address(answer.question, kind, name) for kind in Kind})


def links_of(addresses: Mapping[Kind, str]) -> Markup:
    """A link for each kind of file."""
    if max(map(len, addresses.values())) > LONGEST_ADDRESS:
        return tag("span", _TOO_LONG, class_="sl-muted")
    links = [anchor(kind.upper() if kind is not Kind.PARQUET else "Parquet", addresses[kind]) for kind in Kind]
    return tag("span", tag("span", "Download:", class_="sl-muted"), *links, class_="sl-downloads")


def slug(title: str) -> str:
    """A title as part of a key, a class or a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
