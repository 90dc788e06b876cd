"""Jobs of now and jobs of all times: lists, one job with everything about it, and what can be done."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.commands.texts import plain
from app.exports.live import Listed
from app.jobs.kinds import known_kinds
from app.records.jobs import DAYS_COUNTED, JobCount, JobRecord, job
from app.ui import words
from app.ui.cards import card
from app.ui.done import said
from app.ui.figures import Figure, figures
from app.ui.job_acts import decide
from app.ui.links import address
from app.ui.live import behind_list, read
from app.ui.markup import Markup, joined, tag
from app.ui.notices import say_broken
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of
from db.tables.system import JOB_STATUSES

_ROWS = 50
_MOST_NOW = 500
_ALL = "All"
_ALL_KINDS = "All kinds"
_NAMED = {"pending": "Waiting", "running": "Running", "retrying": "Between attempts", "failed": "Dead",
    "completed": "Completed", "cancelled": "Cancelled"}  # fmt: skip
_KIND: dict[str, str | Column] = {"job_type": Column("Kind", leads="opens"), "workspace": "Workspace"}
_RUNNING: Columns = {**_KIND, "attempt": "Attempt", "started_at": "Since", "beat": "Last sign of life",
    "leased_until": "Held until", "worker": "Worker", "stopping": "Asked to stop"}  # fmt: skip
_WAITING: Columns = {**_KIND, "state": "State", "scheduled_at": "Due", "attempt": "Attempts", "error": "Last error"}
_DEAD: Columns = {**_KIND, "completed_at": "Since", "attempt": "Attempts", "error": "Error"}
_EVERY: Columns = {**_KIND, "state": "State", "created_at": "Added", "started_at": "Last began", "seconds": "Seconds",
    "attempt": "Attempts", "says": "Says"}  # fmt: skip


def jobs_now(scope: Scope) -> None:
    """What runs, what waits, what is dead; the workspaces are those that are chosen above, the period is none."""
    said()
    _summary(scope)
    running = _some(scope, "running")
    waiting = _some(scope, "pending", "retrying")
    dead = _some(scope, "failed")
    _table(running, "Running", _RUNNING, scope, "A worker that gives no sign of life until then loses its job.",
        ("Nothing runs.", "Workers take jobs that are due: `sightline worker`."))  # fmt: skip
    soonest = sorted(waiting.rows, key=lambda one: one.scheduled_at)
    _table(waiting, "Waiting", _WAITING, scope, "What failed is tried again later and later; soonest first.",
        ("Nothing waits.", "Schedules add jobs when they are due."), soonest)  # fmt: skip
    _table(dead, "Dead", _DEAD, scope, "No attempt is left, or the job says that trying again would not help.",
        ("Nothing is dead.", "A job without attempts left stays here until somebody runs it again."))  # fmt: skip
    decide(scope, [*dead.rows, *soonest, *running.rows], "decide-jobs")


def every_job(scope: Scope) -> None:
    """The newest first, by state and kind; an address names one job, which is shown with everything about it."""
    said()
    _one(scope)
    state = one_of("state", (_ALL, *_NAMED.values()), label="State")
    status = next((status for status, name in _NAMED.items() if name == state), None)
    counted: Sequence[JobCount] = read("job_counts", scope).rows
    kinds = sorted({one.job_type for one in counted} | {one.name for one in known_kinds()})
    kind = st.selectbox("Kind", [_ALL_KINDS, *kinds], key="kind", bind="query-params")
    named = None if kind == _ALL_KINDS else kind
    after = place(scope, "jobs", state, named)
    found = read("jobs", scope, after=after, limit=_ROWS, status=status, kind=named, workspace=_slugs(scope))
    _table(found, "Jobs", _EVERY, scope, f"Done ones are kept as the retention policy says. {_ROWS} a page.",
        ("There are no such jobs.", "Choose another state or kind."))  # fmt: skip
    onward(scope.page, scope, found.next, "jobs", state, named, show="All jobs", state=state, kind=named)
    decide(scope, [one for one in found.rows if one.status != "completed"], "decide-all-jobs")


def _summary(scope: Scope) -> None:
    found: Listed[JobCount] = read("job_counts", scope)
    counted = found.rows
    of = {status: sum(one.jobs for one in counted if one.status == status) for status in JOB_STATUSES}
    dead = [one for one in counted if one.status == "failed"]
    kinds = ", ".join(f"{one.job_type} {one.jobs:,}" for one in sorted(dead, key=lambda one: -one.jobs)[:3])
    figures([
        Figure("Running", words.count(of["running"])),
        Figure("Waiting", words.count(of["pending"])),
        Figure("Between attempts", words.count(of["retrying"]), "failed before, tried again"),
        Figure("Dead", words.count(of["failed"]), kinds, is_amiss=bool(dead)),
        Figure("Completed", words.count(of["completed"]), f"added in the last {DAYS_COUNTED} days"),
    ])  # fmt: skip
    behind_list(found, "Jobs by state", "jobs-by-state", scope)
    table(
        [{"kind": kind, **{status: _number(counted, kind, status) for status in JOB_STATUSES}} for kind in
            sorted({one.job_type for one in counted})],
        name="by-kind",
        title="By kind and state",
        why=f"Completed and cancelled ones of the last {DAYS_COUNTED} days.",
        columns={"kind": "Kind", **{status: Column(name) for status, name in _NAMED.items()}},
        scope=scope,
        empty=("There are no jobs.", "Schedules add them once a worker runs: `sightline worker`."),
        read=found,
    )  # fmt: skip


def _number(counted: Sequence[JobCount], kind: str, status: str) -> int:
    return sum(one.jobs for one in counted if (one.job_type, one.status) == (kind, status))


def _some(scope: Scope, *statuses: str) -> Listed[JobRecord]:
    return read("jobs", scope, limit=_MOST_NOW, status=statuses, workspace=_slugs(scope))


def _table(  # noqa: PLR0917 - a list with its words
    found: Listed[JobRecord],
    title: str,
    columns: Columns,
    scope: Scope,
    why: str,
    empty: tuple[str, str],
    rows: Sequence[JobRecord] | None = None,
) -> None:
    more = f" The newest {_MOST_NOW} are shown; All jobs has the others." if found.next and title != "Jobs" else ""
    shown = found.rows if rows is None else rows
    table([_row(one, scope) for one in shown], name=f"jobs-{title.lower()}", title=title, why=why + more,
        columns=columns, scope=scope, empty=empty, read=found)  # fmt: skip


def _row(one: JobRecord, scope: Scope) -> Mapping[str, Any]:
    return vars(one) | {
        "workspace": one.workspace or "The company",
        "state": _NAMED[one.status],
        "attempt": f"{one.attempts} of {one.max_attempts}",
        "beat": _last_sign(one),
        "stopping": one.cancel_requested_at,
        "says": one.error or _answered(one),
        "opens": address(scope.page, scope, show="All jobs", job=one.id),
    }


def _answered(one: JobRecord) -> str | None:
    """What it answered, field by field; all of it stands with the job itself."""
    try:
        fields = json.loads(one.result or "{}")
    except ValueError:
        # Without its secrets it may be JSON no more.
        return one.result
    if not isinstance(fields, dict):
        # Products answer what they like.
        return one.result
    return "; ".join(f"{words.spelled(name)}: {plain(value)}" for name, value in fields.items()) or None


def _last_sign(one: JobRecord) -> datetime | None:
    """Each sign of life holds the job for as long as its kind says."""
    if one.leased_until is None or one.job_type not in known_kinds():
        return None
    return one.leased_until - timedelta(seconds=known_kinds().named(one.job_type).lease_seconds)


def _slugs(scope: Scope) -> Sequence[str]:
    return [str(one) for one in scope.where.get("workspace", ())]


def _one(scope: Scope) -> None:
    given = st.query_params.get("job")
    if given is None:
        return
    try:
        found = job(serving.engines().ro, scope.viewer, UUID(given))
    except ValueError:
        found = None
    if found is None:
        say_broken([f"job={given}"])
        return
    card(f"{found.job_type}: {_NAMED[found.status].lower()}", _facts(found, scope),
        why=_meaning(found.job_type))  # fmt: skip
    if found.status != "completed":
        decide(scope, [found], "decide-one-job")


def _meaning(kind: str) -> str:
    known = kind in known_kinds()
    return known_kinds().named(kind).meaning if known else "A kind of the products: Sightline's own workers leave it."


def _facts(one: JobRecord, scope: Scope) -> Markup:
    """Whatever texts it holds are others' and are shown as they are."""
    moments = {"Added": one.created_at, "Due": one.scheduled_at, "Last began": one.started_at,
        "Ended": one.completed_at, "Last sign of life": _last_sign(one), "Held until": one.leased_until,
        "Asked to stop": one.cancel_requested_at}  # fmt: skip
    told = {"Key": one.id, "For": one.workspace or "The company", "Attempts": f"{one.attempts} of {one.max_attempts}",
        **{name: words.moment(at.astimezone(scope.zone_here)) for name, at in moments.items() if at},
        "Worker": one.worker, "Given": one.payload, "Result": one.result, "Error": one.error}  # fmt: skip
    parts = [tag("dt", name) + tag("dd", value) for name, value in told.items() if value]
    return tag("div", tag("dl", joined(Markup(part) for part in parts), class_="facts"), class_="sl-receipt")
