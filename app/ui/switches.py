"""A page's own choices besides its filters, kept in the address like them: how something is counted, what is open."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from app.ui.notices import say_broken
from app.ui.scope import Scope


def switch(key: str, label: str, options: Sequence[str], scope: Scope, *, hint: str = "") -> tuple[str, Scope]:
    """One of a few ways, the first one usually; the scope's links carry another one on."""
    usual = options[0]
    broken = [f"{key}={given}" for given in st.query_params.get_all(key) if given not in options]
    chosen = st.segmented_control(
        label, options, default=usual, required=True, key=key, bind="query-params", help=hint or None
    )
    if broken:
        say_broken(broken)
    if chosen is None or chosen == usual:
        return usual, scope
    return chosen, replace(scope, query=(*scope.query, (key, chosen)))


def shelves(key: str, drawn: dict[str, Callable[[], None]]) -> None:
    """Parts of a page behind tabs: only the open one asks and draws anything, and the address says which."""
    broken = [f"{key}={given}" for given in st.query_params.get_all(key) if given not in drawn]
    for tab, draw in zip(st.tabs(list(drawn), key=key, bind="query-params"), drawn.values(), strict=True):
        if tab.open:
            with tab:
                if broken:
                    say_broken(broken)
                draw()
