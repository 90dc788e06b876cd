"""Campaigns of every channel: found by their words, beside each other, and over each other from their launch on."""

import streamlit as st

from app import ui
from app.access import Permission
from app.metrics.metric import Unit
from app.ui.compared import compared, narrowed
from app.ui.onward import onward, place
from app.ui.words import spelled

FIGURES = ("emails_delivered", "open_rate", "click_rate", "views", "conversions", "impressions", "spend", "roas")
MOST_NAMED = 1000
COLUMNS = {
    "name": ui.Column("Campaign", opens="campaign", key="id"),
    "workspace": "Workspace",
    "channel": "Channel",
    "status": "Status",
    "start_date": "First day",
    "end_date": "Last day",
    "total_budget": ui.Column("Budget", Unit.MONEY),
    "currency": "Currency",
    "reached": ui.Column("Reached", Unit.COUNT),
    "clicks": ui.Column("Clicks", Unit.COUNT),
    "conversions": ui.Column("Conversions", Unit.COUNT),
}

viewer = ui.person_here(Permission.CAMPAIGNS_READ)
scope = ui.top("Campaigns", viewer, own=("campaign_status",))
sought = st.text_input(
    "Search", key="words", bind="query-params", placeholder="Words of names and descriptions", max_chars=200
)
asked = narrowed(sought, scope)
found = ui.read("campaigns", scope, after=place(scope, "campaigns", sought), limit=50, **asked)
if not found.rows:
    ui.nothing_here(
        "No campaign is like this.", fill="Type the beginning of a word of its name, or choose fewer filters."
    )
    st.stop()

named = ui.read("campaigns", scope, limit=MOST_NAMED, **asked) if sought else None
only = scope.narrowed(campaign=tuple(str(one.id) for one in named.rows)) if named else scope
ui.table(
    ui.ask(FIGURES, only.uncompared, by=("campaign", "channel")),
    name="campaigns",
    title="What they did in this period",
    why=f"Of the {MOST_NAMED:,} newest that hold these words." if named and named.next else "",
    opens="campaign",
)
compared(found.rows, scope)
ui.table(
    [vars(one) | {"channel": spelled(one.channel), "status": spelled(one.status)} for one in found.rows],
    name="all-campaigns",
    title="All campaigns, the newest first",
    why="Also those that did nothing in this period. Counts are of their whole life; reached are e-mails delivered, "
    "pages viewed or ads shown. Read from the database a moment ago.",
    columns=COLUMNS,
    scope=scope,
    read=found,
)
onward("campaigns", scope, found.next, "campaigns", sought, words=sought or None)
