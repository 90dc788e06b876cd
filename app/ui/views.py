"""One of several views of a page: which one stands in the address."""

from collections.abc import Sequence

import streamlit as st

from app.ui import words
from app.ui.notices import say_broken

ANY = "Any"


def any_of(name: str, options: Sequence[str], width: int) -> str:
    """One of them, or any: a filter. What the address names and isn't there is said by `note_broken` before."""
    shown = [ANY, *options]
    return st.selectbox(words.spelled(name), shown, key=name, bind="query-params", width=width) or ANY


def one_of(key: str, options: Sequence[str], *, label: str = "", usual: str | None = None) -> str:
    """The chosen one. What the address names and isn't there is said, and the usual one is shown."""
    first = usual or options[0]
    note_broken(key, options)
    chosen = st.segmented_control(
        label or "Show",
        options,
        default=first,
        key=key,
        bind="query-params",
        label_visibility="visible" if label else "collapsed",
        required=True,
    )
    return chosen if chosen in options else first


def note_broken(key: str, options: Sequence[str]) -> None:
    """Say what the address names that can't be chosen."""
    broken = [f"{key}={given}" for given in st.query_params.get_all(key) if given not in options]
    if broken:
        say_broken(broken)
