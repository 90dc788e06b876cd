"""Integrations: connections of customers to platforms and to Meta, what was found there, and Sightline's own keys."""

from app import ui
from app.access import Permission
from app.ui.integration_list import analysis_list, integration_list
from app.ui.own_keys import own_keys

VIEWS = ("Connections", ANALYSES := "Analyses", KEYS := "Sightline's own keys")

viewer = ui.person_here(Permission.INTEGRATIONS_READ)
scope = ui.top("Integrations", viewer, offers=("workspace",))
view = ui.one_of("show", VIEWS)

if view == ANALYSES:
    analysis_list(scope)
elif view == KEYS:
    own_keys(scope)
else:
    integration_list(scope)
