"""The audit log: who changed what, when, from what to what and why; and whether the log is as it was sealed."""

from app import ui
from app.access import Permission
from app.ui.audit_chain import chain
from app.ui.audit_list import audit_list, one_change

viewer = ui.person_here(Permission.AUDIT_READ)
scope = ui.top("Audit log", viewer, offers=("period", "workspace"))
one_change(scope)
audit_list(scope)
chain(scope)
