"""Settings: those of the company, which admins change, and those of the installation, as it read them."""

from app import ui
from app.access import Permission
from app.ui.bare import bare_top
from app.ui.setting_list import installation_list, setting_list

VIEWS = ("Of the company", INSTALLATION := "Of this installation")

viewer = ui.person_here(Permission.SETTINGS_MANAGE)
scope = bare_top("Settings", viewer, "As they hold now, for every workspace")
view = ui.one_of("show", VIEWS)

if view == INSTALLATION:
    installation_list(scope)
else:
    setting_list(scope)
