"""What admins do about jobs: run them again or at once, cancel them, add one. Each says first what it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission, Viewer
from app.commands import jobs as commands
from app.commands.company import sees_whole_company
from app.commands.jobs import LONGEST_REASON
from app.jobs.kinds import known_kinds
from app.records.jobs import JobRecord
from app.ui import words
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from db.errors import SightlineError

_TAKEN_BACK = "Taken back."


@dataclass(frozen=True)
class _Act:
    """Something that can be done with jobs of some statuses."""

    label: str
    statuses: frozenset[str]
    tells: str
    done: str
    change: Callable[[Viewer, UUID, str], object]
    take_back: Callable[[Viewer, UUID], object] | None = None
    taken_back: str = "They are as they were before."


def _run_again(viewer: Viewer, key: UUID, reason: str) -> object:
    return commands.run_job_again(serving.engines().rw, viewer, known_kinds(), key, reason=reason)


def _run_now(viewer: Viewer, key: UUID, reason: str) -> object:
    return commands.run_job_now(serving.engines().rw, viewer, key, reason=reason)


def _cancel(viewer: Viewer, key: UUID, reason: str) -> object:
    return commands.cancel_job(serving.engines().rw, viewer, key, reason=reason)


def _keep(viewer: Viewer, key: UUID) -> object:
    return commands.keep_job(serving.engines().rw, viewer, key, reason=_TAKEN_BACK)


RUN_AGAIN = _Act(
    "Run again",
    frozenset({"failed", "cancelled"}),
    "Each is tried anew from now on, as often as a new one of its kind. What it did before it failed stays done.",
    "waits for a worker",
    _run_again,
    lambda viewer, key: _cancel(viewer, key, _TAKEN_BACK),
    "They are cancelled.",
)
RUN_NOW = _Act(
    "Run now",
    frozenset({"pending", "retrying"}),
    "Each begins as soon as a worker is free, in place of waiting for its time.",
    "begins as soon as a worker is free",
    _run_now,
)
CANCEL = _Act(
    "Cancel",
    frozenset({"pending", "retrying", "running"}),
    "Those that wait are cancelled at once. Those that run are asked to stop: they see that within seconds, and what"
    " they changed in the database goes back. What they did elsewhere stays done.",
    "is cancelled or was asked to stop",
    _cancel,
    _keep,
    "They wait again as they waited, or go on running.",
)
_ACTS = (RUN_AGAIN, RUN_NOW, CANCEL)


def decide(scope: Scope, rows: Sequence[JobRecord], name: str) -> None:
    """One or several of these jobs, and what can be done with all of them."""
    if not scope.viewer.may(Permission.JOBS_MANAGE) or not rows:
        return
    by_key = {one.id: one for one in rows}
    with st.container(border=True, key=f"card-{name}"):
        st.html(tag("section", tag("h2", "What to do"), class_="sl sl-card"))
        chosen = st.multiselect(
            "Jobs", list(by_key), format_func=lambda key: label_of(by_key[key], scope), key=name,
            placeholder="Choose jobs",
        )  # fmt: skip
        # Others come and go meanwhile: what was chosen stays so while it is listed.
        chosen = [key for key in chosen if key in by_key]
        statuses = {by_key[key].status for key in chosen}
        with st.container(horizontal=True):
            for act in _ACTS:
                fits = bool(statuses) and statuses <= act.statuses
                why = f"For jobs that are {', '.join(sorted(act.statuses))}."
                if st.button(f"{act.label} …", disabled=not fits, key=f"{name}-{act.label}", help=why):
                    _open(act)(scope, act, [by_key[key] for key in chosen])


def label_of(one: JobRecord, scope: Scope) -> str:
    """A job as a list of choices names it."""
    at = words.moment(one.created_at.astimezone(scope.zone_here))
    return f"{one.job_type} · {one.workspace or 'company'} · {one.status} · {at} · …{str(one.id)[-6:]}"


def add_some(scope: Scope) -> None:
    """A job of a kind, for the whole company, at once."""
    if not scope.viewer.may(Permission.JOBS_MANAGE) or not sees_whole_company(serving.engines().ro, scope.viewer):
        return
    kinds = {one.name: one for one in known_kinds()}
    with st.container(border=True, key="card-run-a-kind"):
        st.html(tag("section", tag("h2", "Run one now"), class_="sl sl-card"))
        kind = st.selectbox("Kind", list(kinds), key="kind-to-run")
        st.html(tag("p", kinds[kind].meaning, class_="sl sl-small sl-muted"))
        if st.button("Run it now …", icon=":material/play_arrow:"):
            _add(scope, kind)


@st.dialog("Run one now", icon=":material/play_arrow:")
def _add(scope: Scope, kind: str) -> None:
    still_here(scope.viewer)
    st.html(tag("p", f"A job {kind} is added for a worker to run. Of a kind with a schedule there is one at a time:"
        " while one waits or runs, none is added.", class_="sl"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
    if st.button("Add it", type="primary"):
        attempt(lambda: _added(scope.viewer, kind, reason), f"A job {kind} waits for a worker.", undo=Undo(
            lambda key: _cancel(scope.viewer, key, _TAKEN_BACK), "It is cancelled."))  # fmt: skip


def _added(viewer: Viewer, kind: str, reason: str) -> UUID:
    key = commands.add_job(serving.engines().rw, viewer, known_kinds(), kind, reason=reason)
    if key is None:
        raise SightlineError(f"A job {kind} waits or runs already.", fix="Look at it among the jobs of now.")
    return key


def _open(act: _Act) -> Callable[[Scope, _Act, Sequence[JobRecord]], None]:
    return {RUN_AGAIN.label: _ask_again, RUN_NOW.label: _ask_now}.get(act.label, _ask_cancel)


@st.dialog("Run again", icon=":material/replay:")
def _ask_again(scope: Scope, act: _Act, chosen: Sequence[JobRecord]) -> None:
    _ask(scope, act, chosen)


@st.dialog("Run now", icon=":material/play_arrow:")
def _ask_now(scope: Scope, act: _Act, chosen: Sequence[JobRecord]) -> None:
    _ask(scope, act, chosen)


@st.dialog("Cancel", icon=":material/cancel:")
def _ask_cancel(scope: Scope, act: _Act, chosen: Sequence[JobRecord]) -> None:
    _ask(scope, act, chosen)


def _ask(scope: Scope, act: _Act, chosen: Sequence[JobRecord]) -> None:
    """What will happen stands before the button that makes it happen."""
    still_here(scope.viewer)
    kinds = ", ".join(sorted({one.job_type for one in chosen}))
    st.html(tag("p", tag("b", f"{words.counted(len(chosen), 'job')}: {kinds}. "), act.tells, class_="sl"))
    strange = sorted({one.job_type for one in chosen if one.job_type not in known_kinds()})
    if strange and act is not CANCEL:
        st.html(tag("p", f"Sightline's own workers don't know {', '.join(strange)}: a worker of the product takes such"
            " jobs, if one runs.", class_="sl sl-muted"))  # fmt: skip
    reason = st.text_input("Why?", max_chars=LONGEST_REASON, help="The audit log keeps it.")
    if st.button(f"{act.label}: {words.counted(len(chosen), 'job')}", type="primary"):
        keys, viewer = [one.id for one in chosen], scope.viewer
        take_back = act.take_back
        attempt(
            lambda: _each(keys, lambda key: act.change(viewer, key, reason)),
            f"{words.counted(len(keys), 'job')}: {act.done}.",
            undo=Undo(lambda _: _each(keys, lambda key: take_back(viewer, key)), act.taken_back) if take_back else None,
        )


def _each(keys: Sequence[UUID], change: Callable[[UUID], object]) -> None:
    """One after the other; where one is refused, it is said how many were changed before it."""
    for place, key in enumerate(keys):
        try:
            change(key)
        except SightlineError as refusal:
            if not place:
                raise
            raise SightlineError(
                f"{place} of {len(keys)} jobs were changed. Of the next: {refusal.what}", why=refusal.why,
                fix=refusal.fix,
            ) from refusal  # fmt: skip
