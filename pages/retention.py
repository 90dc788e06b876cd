"""Retention: how long rows are kept, what the next night takes, and what is kept for ever."""

from app import ui
from app.access import Permission
from app.ui.bare import bare_top
from app.ui.retention_list import retention_list

viewer = ui.person_here(Permission.RETENTION_MANAGE)
scope = bare_top("Retention", viewer, "As it is now, for every workspace; jobs of the night delete what is older")
retention_list(scope)
