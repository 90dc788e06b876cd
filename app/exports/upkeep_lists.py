"""Lists of what admins keep running: jobs, their workers, and connections to other platforms."""

from app.exports.given import text_of
from app.exports.wanted import Wanted, whole
from app.records import integrations, jobs
from app.records.reading import Page


def connections(wanted: Wanted) -> Page[integrations.Integration]:
    values = wanted.given
    return integrations.integrations(
        wanted.engine,
        wanted.viewer,
        platform=text_of(values, "platform") or None,
        slugs=values.get("workspace", ()),
        needing=text_of(values, "needing") == "yes",
        **wanted.paged,
    )


def analyses(wanted: Wanted) -> Page[integrations.Analysis]:
    return integrations.analyses(wanted.engine, wanted.viewer, **wanted.paged)


def every_job(wanted: Wanted) -> Page[jobs.JobRecord]:
    values = wanted.given
    kind, statuses = text_of(values, "kind") or None, values.get("status", ())
    slugs = values.get("workspace", ())
    return jobs.jobs(wanted.engine, wanted.viewer, statuses=statuses, kind=kind, slugs=slugs, **wanted.paged)


def job_hours(wanted: Wanted) -> Page[jobs.JobHour]:
    return whole(jobs.job_hours(wanted.engine, wanted.viewer, text_of(wanted.given, "kind") or None))


def job_counts(wanted: Wanted) -> Page[jobs.JobCount]:
    return whole(jobs.job_counts(wanted.engine, wanted.viewer))


def job_workers(wanted: Wanted) -> Page[jobs.WorkerRecord]:
    return whole(jobs.workers(wanted.engine, wanted.viewer))
