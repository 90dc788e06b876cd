"""Data health: how fresh the figures are, what the doctor says, and whether counters, rollups and months are right."""

from app import ui
from app.access import Permission
from app.ui.health_checks import counters_and_rollups, late_rows
from app.ui.health_now import health_now, partition_list, slow_queries
from app.ui.job_times import say_when_nobody_works

VIEWS = ("Now", COUNTS := "Counters and rollups", MONTHS := "Partitions", LATE := "Late rows", SLOW := "Slow queries")

viewer = ui.person_here(Permission.DATA_HEALTH_READ)
scope = ui.top("Data health", viewer, offers=())
say_when_nobody_works(scope)
view = ui.one_of("show", VIEWS)

if view == COUNTS:
    counters_and_rollups(scope)
elif view == MONTHS:
    partition_list(scope)
elif view == LATE:
    late_rows(scope)
elif view == SLOW:
    slow_queries(scope)
else:
    health_now(scope)
