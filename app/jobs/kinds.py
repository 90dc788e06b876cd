"""Every kind of job that this program runs, and the kinds as those know them who only look at jobs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Never

from sqlalchemy import Engine

from app.jobs.alerts import alert_jobs
from app.jobs.audit import audit_jobs
from app.jobs.budgets import budget_jobs
from app.jobs.catalogue import Catalogue
from app.jobs.costs import cost_jobs
from app.jobs.health import health_jobs
from app.jobs.lake import lake_jobs
from app.jobs.plans import plan_jobs
from app.jobs.prices import price_jobs
from app.jobs.quotas import quota_jobs
from app.jobs.upkeep import upkeep
from app.lake.refresh import Refresher
from app.settings import settings


@dataclass(frozen=True)
class Means:
    """What jobs need besides the connections of their worker; asked for when one of them runs."""

    refresher: Callable[[], Refresher]
    # The set-up role, for what only it can see.
    setup: Callable[[], AbstractContextManager[Engine]]


def catalogue(means: Means) -> Catalogue:
    """Every kind, with what it takes to run it."""
    zone = settings().zone
    alerting = (*budget_jobs(), *cost_jobs(zone), *alert_jobs())
    nightly = (*upkeep(zone), *audit_jobs(zone))
    looking = health_jobs(zone, means.refresher, means.setup)
    selling = (*price_jobs(), *quota_jobs(), *plan_jobs())
    return Catalogue((*nightly, *selling, *alerting, *lake_jobs(means.refresher), *looking))


@cache
def known_kinds() -> Catalogue:
    """The same kinds by name, meaning and schedule, for pages and commands: nothing of theirs is run there."""
    return catalogue(Means(_nobody_runs_here, _nobody_runs_here))


def _nobody_runs_here() -> Never:
    raise RuntimeError("Jobs are run by workers.")
