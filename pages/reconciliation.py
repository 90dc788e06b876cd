"""Reconciliation: what providers charged beside our ledger, differences named, and the month approved and closed."""

import streamlit as st

from app import serving, ui
from app.access import Permission
from app.commands.company import sees_whole_company
from app.ui.bill_choice import choose, page_head
from app.ui.bill_desk import bill_desk, chips
from app.ui.calls_behind import calls_of, lines_of
from app.ui.done import said
from app.ui.month_desk import month_desk
from app.ui.month_report import month_report
from app.ui.reconciled import bridge, bridge_of_day, compared, days, headlines, opened, parts
from app.ui.revenue_desk import revenue_desk

VIEWS = ("Differences", BILL := "The bill", MONTH := "The month", REVENUE := "Revenue")

viewer = ui.person_here(Permission.AI_COST_READ)
scope = page_head("Reconciliation", viewer)
if not sees_whole_company(serving.engines().ro, viewer):
    ui.nothing_here(
        "Bills are of the whole company.", fill="You see some workspaces; ask somebody of finance who sees all of them."
    )
    st.stop()
choice = choose(scope)
said()
chips(choice)
month_report(viewer, choice.month)
both = compared(choice)
view = ui.one_of("show", VIEWS)

if view == BILL:
    bill_desk(choice, both)
elif view == MONTH:
    month_desk(choice)
elif view == REVENUE:
    revenue_desk(choice)
elif both is None:
    ui.nothing_here(f"No bill of {choice.name} was read in.", fill="Read the provider's file in “The bill”.")
else:
    headlines(both)
    bridge(both)
    one = opened(both.found)
    if one is not None:
        bridge_of_day(both, one)
        parts(both, one)
        calls_of(choice, one, both.found.zone)
        lines_of(both, one)
    days(both)
