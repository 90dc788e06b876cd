"""Workspaces and their people: who the customers are, what they pay for, and what can be done about them."""

from app import ui
from app.access import Permission
from app.ui.customer_list import customers, deleted

VIEWS = {"Workspaces": customers, "Deleted": deleted}

viewer = ui.person_here(Permission.CUSTOMERS_READ)
scope = ui.top("Workspaces and people", viewer, offers=("period", "product", "workspace", "channel"))
VIEWS[ui.one_of("show", tuple(VIEWS))](scope)
