"""AI cost: where it goes and what it earns, this month's end, what was saved and lost, and what has no price."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.generated import SHOW, raw_generations
from app.ui.month_end import forecasts_tried, month_end
from app.ui.unpriced import unpriced_use
from app.ui.unusual import unusual_days

HEADLINES = (
    "ai_cost",
    "cost_per_accepted",
    "cost_per_conversion",
    "ai_savings",
    "ai_failed_cost_share",
    "ai_retry_cost_share",
    "unpriced_generations",
    "ai_cost_corrections",
)
PER_PART = ("ai_cost", "unpriced_generations", "generations", "cost_per_generation", "cost_per_accepted", "ai_savings")
SAVED = ("cache_rate", "cache_savings", "batch_savings", "ai_savings", "ai_savings_rate", "ai_cost_undiscounted")
LOST = ("ai_failed_cost", "ai_failed_cost_share", "failure_rate", "ai_retry_cost", "ai_retry_cost_share", "retry_rate")
CLOSED = ("ai_cost_of_calls", "ai_cost_corrections", "ai_cost", "unpriced_generations")
PER_CONVERSION = ("ai_cost", "conversions", "cost_per_conversion")
SPLITS = {
    "Model": "model",
    "Provider": "provider",
    "Product": "product",
    "Type": "generation_type",
    "Plan": "plan",
    "Workspace": "workspace",
    "User": "user",
    "Tier": "service_tier",
}
# Filters of the page: these lead from a table to the attempts behind a row.
OWN = ("generation_type", "provider", "model")
VIEWS = (
    PARTS := "Parts",
    MONTHS := "Months",
    SAVINGS := "Savings",
    LOSSES := "Failed and repeated",
    CONVERSIONS := "Conversions",
    UNPRICED := "Without a price",
    UNUSUAL := "Unusual days",
    FORECASTS := "Forecasts",
    SHOW,
)

viewer = ui.person_here(Permission.AI_COST_READ)
scope = ui.top("AI cost", viewer, own=OWN)
once = scope.uncompared
ui.tiles(HEADLINES, scope)
left, right = st.columns(2)
with left:
    month_end(scope)
with right:
    ui.area(ui.ask("ai_cost", once, by="model", grain=scope.grain), title="AI cost by model")
    ui.bars(ui.ask("ai_cost", once, by="product", order="-ai_cost"), title="AI cost by product", opens="ai_cost")

view = ui.one_of("show", VIEWS)
behind = scope.chosen((*scope.query, ("show", SHOW)))

if view == MONTHS:
    ui.table(ui.ask(CLOSED, once, grain="month", order="-month"), name="by-month", title="Months",
        why="A closed month stays as it was; what was found out later stands beside it as a correction.")  # fmt: skip
elif view == SAVINGS:
    ui.table(ui.ask(SAVED, behind.uncompared, by="model", order="-ai_savings"), name="savings", title="Saved",
        why="Against the standard prices of the moment, without a cache. Writing into a cache costs, and is taken off.",
        opens="ai_cost")  # fmt: skip
elif view == LOSSES:
    ui.table(ui.ask(LOST, behind.uncompared, by="model", order="-ai_failed_cost"), name="losses",
        title="Failed and repeated attempts", opens="ai_cost",
        why="What gave no result, and what had to be asked again, as parts of all cost.")  # fmt: skip
elif view == CONVERSIONS:
    split = SPLITS[ui.one_of("of", ("Product", "Workspace", "Plan"), label="Split by")]
    ui.table(ui.ask(PER_CONVERSION, once, by=split, order="-ai_cost"), name="conversions", title="Per conversion",
        why="The cost of everything that was generated, for each conversion of the campaigns.")  # fmt: skip
elif view == UNPRICED:
    unpriced_use(scope)
elif view == UNUSUAL:
    unusual_days(scope)
elif view == FORECASTS:
    forecasts_tried(scope)
elif view == SHOW:
    raw_generations(scope)
else:
    label = ui.one_of("by", tuple(SPLITS), label="Split by")
    split = SPLITS[label]
    parts = ui.ask(PER_PART, behind, by=split, order="-ai_cost")
    leads = "ai_cost" if split in {"product", "workspace", *OWN} else None
    ui.table(parts, name="parts", title=f"By {label.lower()}", opens=leads,
        why="Corrections of closed months belong to no user, and to no tier.")  # fmt: skip
