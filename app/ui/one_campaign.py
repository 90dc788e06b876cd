"""The parts of a campaign's page: what is shown of each channel, and what belongs to the campaign."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.records import campaigns
from app.records.campaigns import CampaignDetail
from app.ui import words
from app.ui.asking import ask
from app.ui.cards import LIVE
from app.ui.changed import changed
from app.ui.charts import bars
from app.ui.compared import launched_on
from app.ui.empty import nothing_here
from app.ui.freshness import freshness
from app.ui.links import address, anchor
from app.ui.live import not_pinned, read
from app.ui.markup import tag
from app.ui.onward import onward, place
from app.ui.paced import paced
from app.ui.periods import CUSTOM
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.tested import tested

_RATES = {"ctr": "Clicks per impression", "ad_conversion_rate": "Conversions per click", "roas": "Revenue per spend"}
_EVENTS = 100
# Each is held against campaigns that were left alone: more would take long.
_CHANGED = 50


@dataclass(frozen=True)
class Split:
    """A table of a campaign's figures by one dimension."""

    by: str
    figures: tuple[str, ...]
    title: str


@dataclass(frozen=True)
class Shown:
    """What a campaign of one channel is shown by."""

    tiles: tuple[str, ...]
    steps: tuple[str, ...]
    steps_told: str
    course: tuple[str, ...]
    splits: tuple[Split, ...]


CHANNELS = {
    "email": Shown(
        tiles=("open_rate", "click_rate", "bounce_rate", "complaint_rate"),
        steps=("emails_sent", "emails_delivered", "emails_opened", "emails_clicked"),
        steps_told="Each e-mail counts once. Percentages are of the step before.",
        course=("emails_delivered", "emails_opened", "emails_clicked"),
        splits=(
            Split("link", ("total_clicks",), "Links"),
            Split("domain", ("emails_delivered", "bounce_rate", "open_rate", "complaint_rate"), "Receiving domains"),
        ),
    ),
    "web": Shown(
        tiles=(
            "views",
            "clicks_per_view",
            "conversions",
            "conversion_rate",
            "conversion_value",
            "value_per_conversion",
        ),
        steps=("views", "clicks", "form_submits", "conversions"),
        steps_told="Events, with their part of the step before; a conversion needs no form.",
        course=("views", "clicks", "conversions"),
        splits=(
            Split("source", ("views", "clicks", "conversions", "conversion_rate"), "Sources"),
            Split("country", ("views", "clicks"), "Countries"),
        ),
    ),
    "ads": Shown(
        tiles=("spend", "ctr", "cpa", "roas"),
        steps=("impressions", "ad_clicks", "ad_conversions"),
        steps_told="As the ad platform counts them, with their part of the step before.",
        course=("ad_clicks", "ad_conversions", "spend"),
        splits=(
            Split("platform", ("impressions", "ctr", "spend", "ad_conversions", "roas"), "Platforms"),
            Split("placement", ("impressions", "ctr", "spend", "ad_conversions", "roas"), "Placements"),
        ),
    ),
}
_EMAIL: Mapping[str, str | Column] = {
    "occurred_at": "When",
    "event_type": "What",
    "email": "Contact",
    "link_url": "Link",
    "device_type": "Device",
    "location": "Place",
    "bounce_type": "Bounce",
    "bounce_reason": "Reason",
    "is_machine_open": "By a machine",
}
_WEB: Mapping[str, str | Column] = {
    "occurred_at": "When",
    "event_type": "What",
    "component": "Part",
    "session_id": "Session",
    "source": "Source",
    "medium": "Medium",
    "country": "Country",
    "referrer": "Referrer",
}
_CHANGES: Mapping[str, str | Column] = {
    "optimized_at": "When",
    "optimization_type": "What",
    "trigger_condition": "Because of",
    "before_values": "Before",
    "after_values": "After",
    "success": "Success",
    "impact_description": "What was said of it",
}
# What happened on a campaign of each channel: the list of it, and its columns.
_HAPPENED = {"email": ("email_events", _EMAIL), "web": ("web_events", _WEB), "ads": ("optimizations", _CHANGES)}


def campaign_here(viewer: Viewer) -> CampaignDetail | None:
    """The campaign that the address names, if the viewer sees it."""
    try:
        key = UUID(st.query_params.get("campaign", ""))
    except ValueError:
        return None
    return campaigns.campaign(serving.engines().ro, viewer, key)


def facts(found: CampaignDetail, scope: Scope) -> None:
    """What it is, in a line of chips, and what it says of itself."""
    days = " to ".join(words.day(day) for day in (found.start_date, found.end_date) if day)
    launched = launched_on(found, scope.zone)
    budget = words.money(found.total_budget, found.currency) if found.total_budget else ""
    told = (
        words.spelled(found.status),
        words.spelled(found.product),
        found.workspace,
        days,
        f"launched {words.day(launched)}" if found.launched_at and launched else "",
        f"budget {budget}" if budget else "",
        f"subject “{found.subject}”" if found.subject else "",
        f"template {found.template}" if found.template else "",
        f"by {found.owner}" if found.owner else "",
        not_pinned(scope),
    )
    chips = tag("div", *(tag("span", one, class_="sl-chip") for one in told if one), class_="sl-chips")
    why = tag("p", found.description, class_="sl-small sl-muted") if found.description else ""
    st.html(tag("div", chips, why, class_="sl"))


def own_days(found: CampaignDetail, scope: Scope) -> None:
    """Where the chosen period misses it, the way to its own days."""
    first = launched_on(found, scope.zone)
    last = min(found.end_date or scope.until, freshness(scope.as_of).last_day)
    if first is None or first > last or (scope.since <= first and last < scope.until):
        return
    query = tuple((name, value) for name, value in scope.query if name not in {"period", "days"})
    days = (("period", CUSTOM), ("days", first.isoformat()), ("days", last.isoformat()))
    own = anchor(f"Show all its days, {words.day(first)} to {words.day(last)}", _address(found, scope, (*days, *query)))
    st.html(tag("p", "A part of its days lies outside this period. ", own, class_="sl sl-small"))


def parts_of(found: CampaignDetail, one: Scope) -> None:
    """Components and assets, the best first; the performance of each in figures."""
    if found.channel == "web":
        bars(ask(("clicks_per_view", "views"), one, by="component"), title="Clicks per view of each component")
    listed = read("components", one, campaign=found.id)
    table(
        [
            vars(part)
            | {
                "component_type": words.spelled(part.component_type),
                "rate": part.conversions / part.views if part.views else None,
            }
            for part in sorted(listed.rows, key=lambda part: -part.conversions)
        ],
        name="components",
        title="Components",
        why=f"Counts are of their whole life. {LIVE}",
        empty=("It has no components.", "Landing pages and funnels are made of them."),
        columns={
            "name": "Component",
            "component_type": "Kind",
            "version": Column("Version", Unit.COUNT),
            "views": Column("Views", Unit.COUNT),
            "clicks": Column("Clicks", Unit.COUNT),
            "conversions": Column("Conversions", Unit.COUNT),
            "rate": Column("Conversions per view", Unit.PERCENT),
        },
        scope=one,
        read=listed,
    )
    used = read("assets", one, campaign=found.id)
    table(
        [vars(asset) for asset in used.rows],
        name="assets",
        title="Assets",
        why=f"The score, from 0 to 5, is the product's own. {LIVE}",
        empty=("It uses no pictures or videos.", "Products list here what a campaign uses."),
        columns={
            "filename": "Asset",
            "asset_type": "Kind",
            "asset_role": "Role",
            "is_active": "Active",
            "performance_score": Column("Score", Unit.NUMBER),
            "ai_model": "Made by",
            "format": "Format",
        },
        scope=one,
        read=used,
    )


def test_of(found: CampaignDetail, scope: Scope) -> None:
    """Its A/B test, where it is part of one."""
    variants = read("variants", scope, campaign=found.id)
    if len({one.variant for one in variants.rows}) > 1:
        tested(variants, scope)
    elif found.channel == "email":
        nothing_here("No other variant is tested against it.", fill="Campaigns of one test share a test's key.")
    elif found.channel == "web":
        nothing_here(
            "Nothing was tested or changed on it.", fill="Tests are of e-mails, and the autopilot changes ads."
        )


def changes_of(found: CampaignDetail, scope: Scope) -> None:
    """Pacing, and what the autopilot did; of ads alone."""
    if found.channel != "ads":
        return
    last_day = freshness(scope.as_of).last_day - timedelta(days=1)
    paced(found, scope, last_day)
    rate = st.segmented_control(
        "Judge by", list(_RATES), default="ctr", key="rate", bind="query-params", format_func=lambda name: _RATES[name]
    )
    listed = read("optimizations", scope, campaign=found.id, limit=_CHANGED)
    first = found.start_date or date.min
    changed(listed, scope, metric(rate or "ctr").name, (first, min(found.end_date or last_day, last_day)))


def events_of(found: CampaignDetail, scope: Scope) -> None:
    """What happened, one event after the other, in the chosen period."""
    name, columns = _HAPPENED[found.channel]
    page = read(
        name,
        scope,
        after=place(scope, "events", found.id),
        limit=_EVENTS,
        campaign=found.id,
        since=scope.since,
        until=scope.until,
    )
    table(
        [vars(row) | _spelled(row) for row in page.rows],
        name="events",
        title="Raw events, the newest first",
        why=f"Times are in {scope.zone}. {LIVE}",
        empty=("Nothing happened in this period.", "Choose another period."),
        columns=columns,
        scope=scope,
        read=page,
    )
    onward("campaign", scope, page.next, "events", found.id, campaign=found.id, show="Raw events")


def _spelled(row: object) -> dict[str, str]:
    """Names of kinds as people write them; texts of customers stay as they are."""
    named = ((name, getattr(row, name, None)) for name in ("event_type", "optimization_type", "trigger_condition"))
    return {name: words.spelled(value) for name, value in named if value}


def _address(found: CampaignDetail, scope: Scope, query: tuple[tuple[str, str], ...]) -> str:
    return address("campaign", replace(scope, query=query), campaign=found.id)
