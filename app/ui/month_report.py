"""The month's report from a page: a link that makes the PDF for whoever follows it."""

from datetime import date

import streamlit as st

from app.access import Permission, Viewer
from app.ui.links import anchor
from app.ui.markup import tag


def month_report(viewer: Viewer, month: date) -> None:
    """A download of the report of the month that this day is in; nothing where the viewer may not have it."""
    if not all(viewer.may(one) for one in (Permission.AI_COST_READ, Permission.MONEY_READ)):
        return
    link = anchor(f"Report of {month:%B %Y} (PDF)", f"export/month/{month:%Y-%m}.pdf")
    st.html(tag("p", link, class_="sl sl-small", style="margin:0"))
