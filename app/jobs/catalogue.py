"""The kinds of jobs that there are: what each does, how its effect is kept to once, and when it is due."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection

from app.database import Engines
from app.jobs.schedules import Schedule
from db.errors import SightlineError

Fields = dict[str, Any]
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Job:
    """A job as the one who runs it sees it; the attempt's number is the proof that it is still theirs."""

    id: UUID
    job_type: str
    workspace_id: UUID | None
    user_id: UUID | None
    campaign_id: UUID | None
    unique_key: str | None
    payload: Fields
    attempt: int
    max_attempts: int

    @property
    def workspaces(self) -> tuple[UUID, ...]:
        """What its transactions see."""
        return () if self.workspace_id is None else (self.workspace_id,)


@dataclass(frozen=True)
class Again:
    """An outcome that asks for another job of the same kind: there is more to do."""

    result: Fields
    wait_seconds: float = 0


Outcome = Fields | Again | None


class Handle(Protocol):
    """What a job with an effect outside of the database holds while it runs."""

    @property
    def job(self) -> Job: ...

    @property
    def engines(self) -> Engines: ...

    @property
    def should_stop(self) -> bool:
        """Whether the worker ends, somebody cancelled the job, or another worker has taken it over."""
        ...

    def go_on(self) -> None:
        """Return when the job may go on; otherwise leave it by an exception that the worker understands."""
        ...


@dataclass(frozen=True)
class InTransaction:
    """An effect in the database: it is committed together with the job's completion, or not at all."""

    work: Callable[[Connection, Job], Outcome]


@dataclass(frozen=True)
class Outside:
    """An effect elsewhere: after a kill it may come again, so the work must be such that twice is as good as once."""

    work: Callable[[Handle], Outcome]


class UnknownJobTypeError(SightlineError):
    """No kind of job has this name."""


@dataclass(frozen=True)
class JobType:
    """A kind of job. A worker that is killed keeps its job for `lease_seconds` after its last sign of life."""

    name: str
    meaning: str
    effect: InTransaction | Outside
    schedule: Schedule | None = None
    max_attempts: int = 5
    lease_seconds: float = 60
    first_wait_seconds: float = 10
    longest_wait_seconds: float = 3600

    def wait_before_next(self, attempt: int) -> float:
        """Anything up to a limit that doubles: jobs that failed together must not come back together."""
        return _chance.uniform(0, min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** (attempt - 1)))


class Catalogue:
    """The kinds of jobs that a worker runs. Those of other names it leaves to workers who know them."""

    def __init__(self, types: Iterable[JobType]) -> None:
        self._types: dict[str, JobType] = {}
        for one in types:
            if one.name in self._types:
                raise ValueError(f"Two kinds of jobs are named {one.name}.")
            self._types[one.name] = one

    def __iter__(self) -> Iterator[JobType]:
        """In the order of names, in which locks on their schedules are taken as well."""
        return iter(sorted(self._types.values(), key=lambda one: one.name))

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def named(self, name: str) -> JobType:
        if name not in self._types:
            alike = get_close_matches(name, self._types, n=1)
            raise UnknownJobTypeError(
                f"No kind of job is named {name!r}.",
                why=f"There are {', '.join(sorted(self._types)) or 'none'}.",
                fix=f"Did you mean {alike[0]!r}?" if alike else "Choose one of them.",
            )
        return self._types[name]

    @property
    def lease_seconds(self) -> dict[str, float]:
        return {one.name: one.lease_seconds for one in self}
