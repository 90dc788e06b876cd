"""The choices at the top of a page, kept in its address: what can't be chosen there falls back, and is said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import streamlit as st

from app.access import Viewer
from app.metrics.dimensions import dimension
from app.ui import periods, words
from app.ui.choices import workspaces_of
from app.ui.scope import Values

BEFORE, YEAR, OFF = "Previous period", "Year ago", "Off"
COMPARISONS = {BEFORE: "previous", YEAR: "year", OFF: None}
GLOBAL = ("product", "workspace", "channel")


@dataclass(frozen=True)
class Choices:
    """What was chosen, and the same as an address holds it."""

    since: date
    until: date
    compare: str | None
    grain: str
    where: Mapping[str, Values]
    query: tuple[tuple[str, str], ...]
    broken: tuple[str, ...]


def draw_filters(
    viewer: Viewer,
    last: date,
    *,
    own: Sequence[str],
    default_days: int,
    grains: Sequence[str],
    values: Callable[[str], list[str]],
) -> Choices:
    """One row of widgets; what is used less lies in a popover. Every one of them is bound to the address."""
    broken: list[str] = []
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="filters"):
        period, since, until = _period(last, default_days, broken)
        compare = _single("compare", "Compare with", list(COMPARISONS), BEFORE, broken)
        grain = _single("grain", "Grain", [periods.AUTOMATIC, *map(str.capitalize, grains)], periods.AUTOMATIC, broken)
        where, labels = _where(viewer, own, values, broken)
    query = [
        ("period", period),
        *(
            (("days", since.isoformat()), ("days", (until - timedelta(days=1)).isoformat()))
            if period == periods.CUSTOM
            else ()
        ),
    ]
    query += [
        (name, value)
        for name, value, usual in (("compare", compare, BEFORE), ("grain", grain, periods.AUTOMATIC))
        if value != usual
    ]
    query += [(name, label) for name, listed in labels.items() for label in listed]
    fitting = periods.grain_for(grain.lower(), (until - since).days, tuple(grains))
    return Choices(since, until, COMPARISONS[compare], fitting, where, tuple(query), tuple(broken))


def _period(last: date, default_days: int, broken: list[str]) -> tuple[str, date, date]:
    named = _single("period", "Period", [*periods.PRESETS, periods.CUSTOM], periods.preset_of(default_days), broken)
    if named != periods.CUSTOM:
        return named, *periods.PRESETS[named](last)
    usual = (last - timedelta(days=default_days - 1), last)
    _note_broken_days(broken)
    chosen = st.date_input("Days", usual, key="days", bind="query-params", format="YYYY-MM-DD", width=240)
    # While the second day is being chosen there is one alone.
    days = chosen if isinstance(chosen, tuple) and len(chosen) == 2 else usual  # noqa: PLR2004
    return named, days[0], days[1] + timedelta(days=1)


def _note_broken_days(broken: list[str]) -> None:
    for given in st.query_params.get_all("days"):
        try:
            date.fromisoformat(given)
        except ValueError:
            broken.append(f"days={given}")


def _single(key: str, label: str, options: list[str], usual: str, broken: list[str]) -> str:
    broken += [f"{key}={given}" for given in st.query_params.get_all(key) if given not in options]
    chosen = st.selectbox(label, options, index=options.index(usual), key=key, bind="query-params", width=165)
    return chosen if chosen in options else usual


def _where(
    viewer: Viewer, own: Sequence[str], values: Callable[[str], list[str]], broken: list[str]
) -> tuple[dict[str, Values], dict[str, list[str]]]:
    where: dict[str, Values] = {}
    labels: dict[str, list[str]] = {}
    slot = st.container(width="content")
    chosen_before = sum(_number_chosen(name) for name in (*GLOBAL, *own))
    with slot.popover(f"Filters ({chosen_before})" if chosen_before else "Filters", icon=":material/filter_list:"):
        for name in (*GLOBAL, *own):
            options = workspaces_of(viewer) if name == "workspace" else _options(name, values)
            picked = _several(name, list(options), broken)
            if picked:
                labels[name], where[name] = picked, tuple(options[label] for label in picked)
    return where, labels


def _number_chosen(key: str) -> int:
    """Before the widgets are drawn: by what they hold, or what the address is about to give them."""
    held = st.session_state[key] if key in st.session_state else st.query_params.get_all(key)
    return len(held or ())


def _options(name: str, values: Callable[[str], list[str]]) -> dict[str, Any]:
    """Values by what people read; a dimension without a list of values tells those that occur."""
    listed = sorted(dimension(name).values) or values(name)
    return {words.value_of(dimension(name), value): value for value in listed}


def _several(key: str, options: list[str], broken: list[str]) -> list[str]:
    broken += [f"{key}={given}" for given in st.query_params.get_all(key) if given and given not in options]
    chosen = st.multiselect(words.spelled(key), options, key=key, bind="query-params", placeholder="All")
    return [one for one in chosen if one in options]
