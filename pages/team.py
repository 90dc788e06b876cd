"""The team: who uses Sightline, with which roles and in which workspaces, and what can be done about it."""

from app import ui
from app.access import Permission
from app.ui.team_list import team_list

viewer = ui.person_here(Permission.TEAM_MANAGE)
team_list(ui.top("Team", viewer, offers=()))
