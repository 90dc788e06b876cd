"""All products at a glance: headline figures, what changed and why, each product beside the others, open alerts."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.alert_list import brief

HEADLINES = ("emails_delivered", "open_rate", "views", "conversions", "spend", "roas", "generations", "ai_cost")
EXPLAINED = ("emails_delivered", "open_rate", "conversions", "spend", "generations", "ai_cost")
PER_PRODUCT = ("emails_delivered", "views", "conversions", "spend", "generations")

viewer = ui.person_here(Permission.OVERVIEW_READ)
scope = ui.top("Overview", viewer)
ui.tiles(HEADLINES, scope)
left, right = st.columns(2)
with left:
    ui.line(ui.ask("conversions", scope, grain=scope.grain), title="Conversions")
with right:
    ui.area(ui.ask("generations", scope.uncompared, by="product", grain=scope.grain), title="AI generations by product")
ui.reasons(EXPLAINED, scope, by="workspace", title="What changed most, and why", opens="overview")
ui.table(
    ui.ask(PER_PRODUCT, scope, by="product", order="-generations"), name="products", title="Products", opens="overview"
)
alerts = ui.read("alerts", scope, limit=8)
ui.table(
    [brief(one) for one in alerts.rows],
    name="alerts",
    title="Open alerts",
    scope=scope,
    columns={"when": "Since", "what": "Alert", "of": "Of", "threshold": "Threshold, %", "says": "What it says"},
    empty=("No alert is open.", "One opens when a budget reaches a threshold, or a call has no price."),
    read=alerts,
)
