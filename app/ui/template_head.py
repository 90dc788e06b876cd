"""The head of a template that is edited: what it is, what can be done with it, and how it does."""

from uuid import UUID

import streamlit as st

from app import serving
from app.exports.given import given
from app.exports.live import reading
from app.metrics.metric import Unit
from app.records.template_texts import Text, figures_of, shelves_of
from app.records.templates import template
from app.ui import template_ai, template_use, words
from app.ui.cards import card
from app.ui.empty import empty_card, nothing_here
from app.ui.links import address, anchor
from app.ui.markup import tag
from app.ui.scope import Scope
from app.ui.template_actions import ask, offered
from app.ui.template_form import edit
from app.ui.template_shelves import put
from app.ui.tiles import tiles

HEADLINES = ("emails_delivered", "open_rate", "click_rate", "unsubscribe_rate")
_SHELVES = "Put on shelves"


def key_here() -> UUID | None:
    """The template that the address names."""
    try:
        return UUID(st.query_params.get("edit_template", ""))
    except ValueError:
        return None


def facts(one: Text, scope: Scope) -> None:
    """What it is, in a line of chips, and where its figures are."""
    told = (
        words.spelled(one.kind),
        words.spelled(one.status),
        words.spelled(one.product),
        "library" if one.is_library else one.workspace,
        "featured" if one.is_featured else "",
        one.category or "",
        f"version {one.current_version}",
    )
    chips = [tag("span", part, class_="sl-chip") for part in told if part]
    lead = tag("span", anchor("How it does", address("template", scope, template=one.id)), class_="sl-small")
    st.html(tag("div", tag("div", *chips, lead, class_="sl-chips", style="align-items:baseline"), class_="sl"))


def actions(one: Text, scope: Scope) -> None:
    """Writing first; everything else behind one button."""
    with st.container(horizontal=True):
        if st.button("Edit", icon=":material/edit:", type="primary"):
            edit(scope, one)
        if st.button("Rewrite with AI", icon=":material/auto_awesome:"):
            template_ai.rewrite(scope, one)
        options = (*offered(one.status, is_featured=one.is_featured), _SHELVES)
        what = st.menu_button("More to do", options, key="template-more")
    if what == _SHELVES:
        put(scope, one, shelves_of(serving.engines().ro, scope.viewer, one.id))
    elif what:
        ask(scope, what, [one])


def use(one: Text, scope: Scope) -> None:
    """Who uses it, and how it does: campaigns, copies, AI, and what was measured of it."""
    with reading() as told:
        counted = template(serving.engines().ro, scope.viewer, one.id)
        measured = figures_of(serving.engines().ro, scope.viewer, one.id)
    if counted is None:
        return
    rating = f"{counted.rating:.2f} of 5, by {counted.ratings:,}" if counted.rating else "not rated yet"
    lines = [
        ("Campaigns that used it", words.count(counted.campaigns)),
        ("Copies that workspaces made", words.count(counted.copies)),
        ("Uses counted by products", words.count(one.usage_count)),
        ("AI calls with it", words.count(counted.generations)),
        ("Rating", rating),
        ("Impressions", words.count(measured.impressions)),
        ("Clicks per impression", _share(measured.clicks, measured.impressions)),
        ("Conversions per click", _share(measured.conversions, measured.clicks)),
    ]
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", says, class_="number")) for name, says in lines]
    drawn = tag("table", tag("tbody", *rows), class_="sl-table") if rows else empty_card("Nothing is known.", "")
    used = told.listed("template_use", given(template=one.id), (counted,))
    card("Use", drawn, why="Of its whole life, in workspaces that you see.", read=used, scope=scope)
    campaigns = template_use.campaigns_of(scope.viewer, one.id)
    if campaigns:
        tiles(HEADLINES, scope.narrowed(campaign=campaigns), title="Its campaigns together, in this period")
    else:
        nothing_here("No campaign that you see used it.", fill="E-mail campaigns name the template they are made of.")


def _share(part: int, whole: int) -> str:
    return words.figure(part / whole if whole else None, Unit.PERCENT)
