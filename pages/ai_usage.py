"""AI usage: what was generated with which models, how well and how fast, what failed and why."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.generated import SHOW, raw_generations

HEADLINES = (
    "generations",
    "generations_failed",
    "retry_rate",
    "success_rate",
    "acceptance_rate",
    "average_rating",
    "generation_time_p50",
    "generation_time_p95",
)
PER_PART = ("generations", *HEADLINES[3:])
SPLITS = {"Models": "model", "Products": "product", "Types": "generation_type"}
VIEWS = (*SPLITS, "Failures", SHOW)

viewer = ui.person_here(Permission.AI_USAGE_READ)
scope = ui.top("AI usage", viewer, own=("generation_type", "provider", "model"))
ui.tiles(HEADLINES, scope)
course = ui.ask(HEADLINES, scope.uncompared, grain=scope.grain)
left, right = st.columns(2)
with left:
    by_product = ui.ask("generations", scope.uncompared, by="product", grain=scope.grain)
    ui.area(by_product, title="Generations by product")
with right:
    ui.line(course, metrics=("generation_time_p50", "generation_time_p95"), title="Time until a result")

view = ui.one_of("show", VIEWS)

if view == SHOW:
    raw_generations(scope)
elif view == "Failures":
    raw = scope.chosen((*scope.query, ("show", SHOW), ("status", "Failed")))
    reasons = ui.ask("generations_failed", raw, by="error_code", order="-generations_failed")
    ui.line(course, metrics=("success_rate", "acceptance_rate"), title="Success and acceptance")
    ui.table(
        reasons,
        name="failures",
        title="Failures by reason",
        why="A reason opens the attempts that failed for it.",
        opens="ai_usage",
    )
    where = ui.ask("generations_failed", scope, by=("model", "error_code"), order="-generations_failed", limit=100)
    ui.table(where, name="failures-by-model", title="Failures by model and reason")
else:
    split = SPLITS[view]
    here = scope.chosen((*scope.query, ("show", view)))
    parts = ui.ask(PER_PART, here.uncompared, by=split, order="-generations")
    ui.table(parts, name=f"by-{split}", title=view, opens="ai_usage")
