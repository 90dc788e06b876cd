"""Plans: the tiers of all products side by side, every version of them, and publications that wait for approval."""

from app import ui
from app.access import Permission
from app.ui.plan_list import approval_list, ladder, new_plan, version_list

VIEWS = ("Side by side", VERSIONS := "All versions", APPROVALS := "Approvals")

viewer = ui.person_here(Permission.PLANS_READ)
scope = ui.top("Plans", viewer, offers=("product",))
new_plan(scope)
view = ui.one_of("show", VIEWS)

if view == VERSIONS:
    version_list(scope)
elif view == APPROVALS:
    approval_list(scope)
else:
    ladder(scope)
