"""AI cost: where it goes and what it earns, this month's end, what was saved and lost, and what has no price."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui import cost_tables
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
VIEWS = (
    "Parts",
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
scope = ui.top("AI cost", viewer, own=cost_tables.OWN)
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
    cost_tables.months(scope)
elif view == SAVINGS:
    cost_tables.saved(behind)
elif view == LOSSES:
    cost_tables.lost(behind)
elif view == CONVERSIONS:
    cost_tables.per_conversion(scope)
elif view == UNPRICED:
    unpriced_use(scope)
elif view == UNUSUAL:
    unusual_days(scope)
elif view == FORECASTS:
    forecasts_tried(scope)
elif view == SHOW:
    raw_generations(scope)
else:
    cost_tables.parts(behind)
