"""The choices at the top of a page, kept in its address: what can't be chosen there falls back, and is said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
# What a page can offer at its top; each offers what changes something on it.
EVERY = ("period", "compare", "grain", *GLOBAL)
# As an address names them.
_NAMED = {name: ("period", "days") if name == "period" else (name,) for name in EVERY}

# Of a dimension, and those that the address names: they may be too rare to be listed.
Occurring = Callable[[str, Sequence[str]], list[str]]


@dataclass(frozen=True)
class Choices:
    """What was chosen, and the same as an address holds it."""

    since: date
    until: date
    compare: str | None
    grain: str
    where: Mapping[str, Values]
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class FilterRow:
    """Widgets bound to the address; `broken` collects what it says that can't be chosen."""

    viewer: Viewer
    last: date
    offers: Sequence[str]
    own: Sequence[str]
    default_days: int
    grains: Sequence[str]
    occurring: Occurring
    broken: list[str] = field(default_factory=list)

    def draw(self) -> Choices:
        """What is used less lies in a popover; what is not offered is as usual, and links carry it on."""
        period, since, until = self._period()
        compare = self._single("compare", "Compare with", list(COMPARISONS), BEFORE)
        grains = [periods.AUTOMATIC, *(grain.capitalize() for grain in self.grains)]
        grain = self._single("grain", "Grain", grains, periods.AUTOMATIC)
        where, labels = self._where()
        query = [("period", period)] if "period" in self.offers else []
        if period == periods.CUSTOM:
            query += [("days", since.isoformat()), ("days", (until - timedelta(days=1)).isoformat())]
        chosen = (("compare", compare, BEFORE), ("grain", grain, periods.AUTOMATIC))
        query += [(name, value) for name, value, usual in chosen if value != usual]
        query += [(name, label) for name, listed in labels.items() for label in listed]
        query += carried_on(self.offers)
        fitting = periods.grain_for(grain.lower(), (until - since).days, tuple(self.grains))
        if grain != periods.AUTOMATIC and fitting != grain.lower():
            self.broken.append(f"grain={grain} for so many days")
        return Choices(since, until, COMPARISONS[compare], fitting, where, tuple(query))

    def _period(self) -> tuple[str, date, date]:
        usual = periods.preset_of(self.default_days)
        named = self._single("period", "Period", [*periods.PRESETS, periods.CUSTOM], usual)
        if named != periods.CUSTOM:
            return named, *periods.PRESETS[named](self.last)
        chosen = self._days()
        return named, chosen[0], chosen[1] + timedelta(days=1)

    def _days(self) -> tuple[date, date]:
        usual = (self.last - timedelta(days=self.default_days - 1), self.last)
        self._note_broken("days", lambda given: _as_day(given) is not None)
        chosen = st.date_input("Days", usual, key="days", bind="query-params", format="YYYY-MM-DD", width=230)
        # A single day comes as one, also where an address names it as the first and the last.
        days: tuple[date, ...] = chosen if isinstance(chosen, tuple) else ()
        return (days[0], days[-1]) if days else usual

    def _single(self, key: str, label: str, options: list[str], usual: str) -> str:
        if key not in self.offers:
            return usual
        self._note_broken(key, options.__contains__)
        chosen = st.selectbox(label, options, index=options.index(usual), key=key, bind="query-params", width=150)
        return chosen if chosen in options else usual

    def _where(self) -> tuple[dict[str, Values], dict[str, list[str]]]:
        where: dict[str, Values] = {}
        labels: dict[str, list[str]] = {}
        names = (*(name for name in GLOBAL if name in self.offers), *self.own)
        if not names:
            return where, labels
        number = sum(self._number_chosen(name) for name in names)
        label = f"Filters ({number})" if number else "Filters"
        with st.popover(label, icon=":material/filter_list:", key="filters"):
            for name in names:
                options = workspaces_of(self.viewer) if name == "workspace" else self._options(name)
                picked = self._several(name, list(options))
                if picked:
                    labels[name], where[name] = picked, tuple(options[label] for label in picked)
        return where, labels

    def _options(self, name: str) -> dict[str, Any]:
        """Values by what people read; a dimension without a list of values tells those that occur."""
        listed = sorted(dimension(name).values) or self.occurring(name, st.query_params.get_all(name))
        return {words.value_of(dimension(name), value): value for value in listed}

    def _several(self, key: str, options: list[str]) -> list[str]:
        self._note_broken(key, lambda given: not given or given in options)
        chosen = st.multiselect(words.spelled(key), options, key=key, bind="query-params", placeholder="All")
        return [one for one in chosen if one in options]

    def _number_chosen(self, key: str) -> int:
        """Before the widgets are drawn: by what they hold, or what is about to be given to them."""
        if key in st.session_state:
            return len(st.session_state[key] or ())
        return len(st.query_params.get_all(key))

    def _note_broken(self, key: str, is_known: Callable[[str], bool]) -> None:
        self.broken.extend(f"{key}={given}" for given in st.query_params.get_all(key) if not is_known(given))


def carried_on(offers: Sequence[str]) -> list[tuple[str, str]]:
    """What the address says of filters that are not offered here: the next page may offer them."""
    names = [name for offer in EVERY if offer not in offers for name in _NAMED[offer]]
    return [(name, value) for name in names for value in st.query_params.get_all(name)]


def _as_day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None
