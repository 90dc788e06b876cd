"""All products at a glance: what the database holds of each."""

import streamlit as st

from app import serving, ui
from app.access import Permission
from app.counts import counts
from app.ui.words import PRODUCT_NAMES, count, money

viewer = ui.person_here(Permission.OVERVIEW_READ)
st.title("Overview")
held = counts(serving.engines().ro, viewer)
company = held.company
ui.tiles(
    [
        ui.Tile("Workspaces", count(company["workspaces"]), "Customers' workspaces that are not deleted."),
        ui.Tile("Customers", count(company["customers"]), "People who are in a workspace or own one."),
        ui.Tile("Contacts", count(company["contacts"]), "People who get e-mail from a workspace."),
        ui.Tile("E-mails sent", count(company["emails_sent"]), "One per campaign and contact, however often retried."),
        ui.Tile("AI generations", count(company["generations"]), "Every attempt of every call of a model."),
        ui.Tile("AI cost", money(company["ai_cost_usd"], "USD"), "Tokens and pictures times their price at the time."),
    ]
)
if not company["workspaces"]:
    ui.nothing_here("No workspace is here yet.", fill="Run `sightline demo` to fill the database with invented data.")
    st.stop()
st.subheader("Products")
st.dataframe(
    held.per_product.assign(product=held.per_product["product"].map(PRODUCT_NAMES)),
    hide_index=True,
    column_config={
        "product": "Product",
        "subscribers": st.column_config.NumberColumn("Subscribed workspaces", format="localized"),
        "campaigns": st.column_config.NumberColumn("Campaigns", format="localized"),
        "templates": st.column_config.NumberColumn("Templates", format="localized"),
        "emails_delivered": st.column_config.NumberColumn("E-mails delivered", format="localized"),
        "page_views": st.column_config.NumberColumn("Page views", format="localized"),
        "ad_impressions": st.column_config.NumberColumn("Ad impressions", format="localized"),
    },
)
ui.line(held.ai_by_day, x="day", y="ai_cost_usd", title="AI cost, day by day", unit="USD")
st.caption("Days are UTC. Figures are the counters that the database keeps with every event.")
