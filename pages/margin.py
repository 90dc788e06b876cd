"""Margin: revenue against AI cost by plan, product, customer and month, who costs more than they pay, and MRR."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.below_cost import below_cost
from app.ui.focus_files import focus_files
from app.ui.owed import credit_moves
from app.ui.recurring import recurring

HEADLINES = (
    "recognised_revenue",
    "ai_cost",
    "margin",
    "margin_rate",
    "ai_cost_share",
    "mrr",
    "cost_per_accepted",
    "cost_per_conversion",
)
PER_PART = ("recognised_revenue", "ai_cost", "margin", "margin_rate")
PER_RESULT = ("ai_cost", "generations_accepted", "cost_per_accepted")
PER_CONVERSION = ("ai_cost", "conversions", "cost_per_conversion")
SPLITS = {"Plans": "plan", "Products": "product", "Customers": "workspace"}
VIEWS = (
    *SPLITS,
    "Months",
    BELOW := "Below cost",
    MRR := "Recurring revenue",
    RESULTS := "Results",
    CREDITS := "Credits",
    FOCUS := "FOCUS",
)

viewer = ui.person_here(Permission.MONEY_READ)
scope = ui.top("Margin", viewer, own=("tier",), default_days=90)
once = scope.uncompared
ui.tiles(HEADLINES, scope)
course = ui.ask((*PER_PART, "ai_cost_share"), once, grain=scope.grain)
left, right = st.columns(2)
with left:
    ui.line(course, metrics=("recognised_revenue", "ai_cost", "margin"), title="Revenue, AI cost and margin")
with right:
    ui.line(course, metrics=("margin_rate", "ai_cost_share"), title="Margin and AI cost per revenue")

view = ui.one_of("show", VIEWS)

if view == "Months":
    ui.table(ui.ask(PER_PART, once, grain="month"), name="by-month", title="Months")
elif view == BELOW:
    below_cost(scope)
elif view == MRR:
    recurring(scope)
elif view == RESULTS:
    kept = ui.ask(PER_RESULT, scope, by="generation_type", order="-ai_cost")
    ui.table(kept, name="per-result", title="Per accepted result",
        why="The cost of all attempts, failed and repeated ones too, for each result that was kept.")  # fmt: skip
    earned = ui.ask(PER_CONVERSION, scope, by="product", order="-ai_cost")
    ui.table(earned, name="per-conversion", title="Per conversion",
        why="The cost of everything that was generated in a product for each conversion of its campaigns.")  # fmt: skip
elif view == CREDITS:
    credit_moves(scope)
elif view == FOCUS:
    focus_files(scope)
else:
    parts = ui.ask(PER_PART, scope, by=SPLITS[view], order="-recognised_revenue")
    ui.table(parts, name=f"by-{SPLITS[view]}", title=view, why="Rates are empty where nothing was earned.")
