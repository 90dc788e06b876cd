"""Quotas: limits and what is used of them, who is close, exceptions, what calls hold, credits, and service limits."""

from app import ui
from app.access import Permission
from app.ui.quota_credits import credits_of_people
from app.ui.quota_exceptions import exceptions
from app.ui.quota_limits import close, limits
from app.ui.quota_rules import holds, service_limits

VIEWS = {
    "Close to a limit": close,
    "Limits": limits,
    "Exceptions": exceptions,
    "Held now": holds,
    "Credits": credits_of_people,
    "Service limits": service_limits,
}

viewer = ui.person_here(Permission.QUOTAS_READ)
scope = ui.top("Quotas", viewer, offers=("product", "workspace"))
VIEWS[ui.one_of("show", tuple(VIEWS))](scope)
