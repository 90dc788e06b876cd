"""Jobs: what runs, waits and failed, what is due when, who works, and what admins can do about it."""

from app import ui
from app.access import Permission
from app.ui.job_acts import add_some
from app.ui.job_list import every_job, jobs_now
from app.ui.job_times import job_course, job_schedules, job_workers, say_when_nobody_works

VIEWS = ("Now", ALL := "All jobs", SCHEDULES := "Schedules", OVER_TIME := "Over time")

viewer = ui.person_here(Permission.JOBS_READ)
scope = ui.top("Jobs", viewer, offers=("workspace",))
say_when_nobody_works(scope)
view = ui.one_of("show", VIEWS)

if view == ALL:
    every_job(scope)
elif view == SCHEDULES:
    job_schedules(scope)
    add_some(scope)
elif view == OVER_TIME:
    job_course(scope)
    job_workers(scope)
else:
    jobs_now(scope)
