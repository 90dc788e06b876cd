"""Ads: what they cost and earned, for whom and where, which creatives do best, budgets, and what was restated."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.creatives import leaderboard
from app.ui.paces import paces
from app.ui.restatements import restatements

HEADLINES = ("spend", "ad_revenue", "roas", "cpa", "impressions", "ctr", "cpm", "ad_conversions")
PER_PART = ("impressions", "ctr", "cpm", "spend", "ad_conversions", "cpa", "ad_revenue", "roas")
SPLITS = ("Platform", "Placement", "Age", "Gender")
VIEWS = ("Breakdown", "Campaigns", "Creatives", "Pacing", "Restatements")

viewer = ui.person_here(Permission.ADS_READ)
scope = ui.top("Ads", viewer, own=("platform", "placement", "age", "gender"))
ui.tiles(HEADLINES, scope)
course = ui.ask(HEADLINES, scope.uncompared, grain=scope.grain)
left, right = st.columns(2)
with left:
    ui.line(course, metrics=("spend", "ad_revenue"), title="Spend and revenue", why="Days are the ad account's own.")
with right:
    ui.line(course, metrics=("roas",), title="Return on ad spend", why="Revenue per amount spent.")

view = ui.one_of("show", VIEWS)

if view == "Campaigns":
    ui.table(ui.ask(PER_PART, scope.uncompared, by="campaign", order="-spend"), name="campaigns", title="Ad campaigns",
        opens="campaign")  # fmt: skip
elif view == "Creatives":
    leaderboard(scope)
elif view == "Pacing":
    paces(scope)
elif view == "Restatements":
    restatements(scope)
else:
    split = ui.one_of("by", SPLITS, label="Split by")
    part = split.lower()
    here = scope.chosen((*scope.query, ("by", split)))
    ui.bars(ui.ask(("spend", "roas"), here, by=part, order="-spend"), title=f"Spend by {part}", opens="ads")
    parts = ui.ask(PER_PART, here.uncompared, by=part, order="-spend")
    ui.table(
        parts,
        name="parts",
        title=f"By {part}",
        why="One breakdown at a time: each shows all of the money from another side, and may be restated apart.",
        opens="ads",
    )
