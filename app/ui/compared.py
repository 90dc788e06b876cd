"""Campaigns found by their words, and some of them compared from the day of their launch on."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app.metrics.glossary import metric
from app.records.campaigns import Campaign
from app.ui import words
from app.ui.aligned import aligned
from app.ui.asking import Asked, Refused, ask
from app.ui.empty import nothing_here
from app.ui.freshness import freshness
from app.ui.scope import Scope

_MOST, _USUAL = 6, 3
_NOT_LAUNCHED = frozenset({"draft", "generating", "review", "ready", "scheduled", "cancelled"})
_FIGURES = {
    "email": ("emails_opened", "emails_clicked", "emails_delivered", "emails_unsubscribed"),
    "web": ("views", "clicks", "conversions"),
    "ads": ("impressions", "ad_clicks", "ad_conversions", "spend", "ad_revenue"),
}
_WHY = "Day 0 is the day of each campaign's launch, whatever period is chosen above."


def narrowed(sought: str, scope: Scope) -> dict[str, object]:
    """The page's filters as those of the list."""
    filters = {name: scope.where.get(name) for name in ("channel", "product", "workspace")}
    return {"words": sought, "status": scope.where.get("campaign_status"), **filters}


def launched_on(one: Campaign, zone: str) -> date | None:
    """The day of the launch in the reporting zone; the first day, where no launch is known."""
    return one.launched_at.astimezone(ZoneInfo(zone)).date() if one.launched_at else one.start_date


def compared(found: Sequence[Campaign], scope: Scope) -> None:
    """Choose some of them and a figure; both are in the address."""
    last = freshness(scope.as_of).last_day
    launches = {str(one.id): day for one in found if (day := launched_on(one, scope.zone)) and day <= last}
    running = [one for one in found if str(one.id) in launches and one.status not in _NOT_LAUNCHED]
    if not running:
        nothing_here("No campaign to compare has been launched.", fill="Search for others, or choose fewer filters.")
        return
    labels = _labels(running)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = _usual(labels)
        chosen = st.multiselect(
            "Compare", list(labels), default=usual, key="with", bind="query-params", max_selections=_MOST
        )
        picked = [labels[label] for label in chosen] or [labels[label] for label in usual]
        figures = {words.title(metric(name)): name for name in _figures(picked)}
        figure = st.selectbox("Figure", list(figures), key="figure", bind="query-params", width=200)
        is_summed = st.toggle("Added up", value=True, key="added", bind="query-params")
    name = figures.get(figure, next(iter(figures.values())))
    answer = _daily(name, picked, launches, scope, last)
    title = f"{words.title(metric(name))} since launch"
    aligned(answer, launches, through=last, is_summed=is_summed, title=title, why=_WHY)


def _daily(
    name: str, picked: Sequence[Campaign], launches: Mapping[str, date], scope: Scope, last: date
) -> Asked | Refused:
    keys = tuple(str(one.id) for one in picked)
    since = min(launches[key] for key in keys)
    whole = scope.without("campaign", "campaign_status").over(since, last + timedelta(days=1)).uncompared
    return ask(name, whole.narrowed(campaign=keys), by="campaign", grain="day")


def _figures(picked: Sequence[Campaign]) -> list[str]:
    return [name for channel, names in _FIGURES.items() for name in names if channel in {one.channel for one in picked}]


def _usual(labels: Mapping[str, Campaign]) -> list[str]:
    """Those of the newest one's channel that reached the most."""
    channel = next(iter(labels.values())).channel
    alike = [label for label, one in labels.items() if one.channel == channel]
    return sorted(alike, key=lambda label: -(labels[label].reached or 0))[:_USUAL]


def _labels(found: Sequence[Campaign]) -> dict[str, Campaign]:
    """Names that tell campaigns apart; of two that read the same, the newer one."""
    labels: dict[str, Campaign] = {}
    for one in found:
        labels.setdefault(f"{one.name} · {one.workspace}", one)
    return labels
