"""Budgets and alerts: what AI may cost and does, who was told and what they did about it, and emergency stops."""

from app import ui
from app.access import Permission
from app.ui.alert_list import alert_list
from app.ui.budget_list import budget_list
from app.ui.evaluation_list import evaluation_list, say_when_late
from app.ui.stop_list import stop_list, stops_that_hold

VIEWS = ("Budgets", ALERTS := "Alerts", STOPS := "Emergency stops", EVALUATIONS := "Evaluations")

viewer = ui.person_here(Permission.AI_COST_READ)
scope = ui.top("Budgets and alerts", viewer)
stops_that_hold(scope)
say_when_late(scope)
view = ui.one_of("show", VIEWS)

if view == ALERTS:
    alert_list(scope)
elif view == STOPS:
    stop_list(scope)
elif view == EVALUATIONS:
    evaluation_list(scope)
else:
    budget_list(scope)
