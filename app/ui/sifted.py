"""What of a table's rows is shown: found by words, sorted, a page of them; the address holds it by the table's name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.ui.links import page_here
from app.ui.notices import say_broken

PAGE = 25
FEW = 10
USUAL = "As listed"
_MOST_TYPED = 200
_PARTS = (_SEARCH, _SORT, _RISING, _PAGE) = ("-search", "-sort", "-rising", "-page")
_OF_PAGE = "tables-of-page"

Row = Mapping[str, Any]


def sifted(
    rows: Sequence[Row],
    name: str,
    orders: Mapping[str, Callable[[Row], Any]],
    text: Callable[[Row], str],
    placeholder: str,
) -> list[Row]:
    """Those that contain the words, in the order that was chosen; what has no value comes last."""
    _forget_other_pages()
    broken = _broken(name + _SORT, (USUAL, *orders).__contains__) + _broken(name + _RISING, _is_truth)
    with st.container(horizontal=True, vertical_alignment="center"):
        sought = st.text_input(
            "Search",
            key=name + _SEARCH,
            bind="query-params",
            type="search",
            placeholder=placeholder,
            max_chars=_MOST_TYPED,
            label_visibility="collapsed",
            width=260,
            on_change=_begin_again,
            args=(name,),
        )
        order = st.selectbox(
            "Sort by",
            [USUAL, *orders],
            key=name + _SORT,
            bind="query-params",
            label_visibility="collapsed",
            width=200,
            on_change=_begin_again,
            args=(name,),
        )
        is_rising = st.toggle(
            "Smallest first", key=name + _RISING, bind="query-params", on_change=_begin_again, args=(name,)
        )
    if broken:
        say_broken(broken)
    words = (sought or "").lower().split()
    found = [row for row in rows if all(word in text(row) for word in words)]
    return _sorted(found, orders.get(order), is_rising=is_rising)


def value_of(column: str) -> Callable[[Row], Any]:
    """What rows are sorted by: a column of theirs, texts as if written small."""

    def of(row: Row) -> Any:  # noqa: ANN401 - a cell of any column
        value = row.get(column)
        return value.lower() if isinstance(value, str) else value

    return of


def turned(rows: Sequence[Row], name: str) -> Sequence[Row]:
    """The page of the rows that is looked at."""
    _forget_other_pages()
    pages = max(1, -(-len(rows) // PAGE))
    broken = _broken(name + _PAGE, lambda given: given.isdecimal() and 1 <= int(given[:9]) <= pages)
    page = min(pages, st.pagination(pages, key=name + _PAGE, bind="query-params")) if pages > 1 else 1
    if broken:
        say_broken(broken)
    return rows[(page - 1) * PAGE : page * PAGE]


def is_page_of_table(parameter: str) -> bool:
    """Whether it says how far somebody has turned a table."""
    return parameter.endswith(_PAGE)


def _sorted(rows: list[Row], of: Callable[[Row], Any] | None, *, is_rising: bool) -> list[Row]:
    if of is None:
        return rows[::-1] if is_rising else rows
    there = sorted((row for row in rows if of(row) is not None), key=of, reverse=not is_rising)
    return there + [row for row in rows if of(row) is None]


def _begin_again(name: str) -> None:
    """Other rows, or another order of them, are read from their beginning."""
    st.session_state[name + _PAGE] = 1


def _broken(key: str, is_known: Callable[[str], bool]) -> list[str]:
    """What the address says at first; what is chosen afterwards there was to choose."""
    if key in st.session_state:
        return []
    return [f"{key}={given}" for given in st.query_params.get_all(key) if not is_known(given)]


def _is_truth(given: str) -> bool:
    return given.lower() in {"true", "false"}


def _forget_other_pages() -> None:
    """Tables of other pages may bear the same names, and nobody has searched this one yet."""
    here = page_here()
    if st.session_state.get(_OF_PAGE) != here:
        for key in [key for key in st.session_state if isinstance(key, str) and key.endswith(_PARTS)]:
            del st.session_state[key]
        st.session_state[_OF_PAGE] = here
