"""Rules of retention: what each takes and when it last did, which no job holds and why, and changing one."""

from typing import Any

import streamlit as st

from app import serving
from app.commands import retention
from app.commands.company import sees_whole_company
from app.commands.retention import ENFORCED, FIXED, LONGEST_DAYS, NOT_ENFORCED, Taken, Terms
from app.commands.stale import EditedMeanwhileError, Fields
from app.records.company_settings import RetentionRule
from app.ui import words
from app.ui.audit_list import history_link
from app.ui.cards import LIVE
from app.ui.done import Undo, attempt, said, save_together
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.rows import Columns
from app.ui.scope import Scope
from app.ui.tables import table

_OF = {"all": "everyone", "free": "customers without a paid plan", "paid": "customers with a paid plan"}
_FIXED: Columns = {"what": "What", "kept": "Kept", "job": "Job"}
_OTHERS: Columns = {"what": "What", "of": "Of", "kept": "Would be kept", "why": "Why not"}


def retention_list(scope: Scope) -> None:
    """Those that a job holds stand first, each with what the next run takes."""
    said()
    listed = read("retention_rules", scope)
    may = sees_whole_company(serving.engines().ro, scope.viewer)
    for one in listed.rows:
        if one.subject in ENFORCED:
            _card(one, scope, may=may)
    table(
        [
            {"what": words.spelled(one.subject), "of": _OF[one.audience], "kept": _kept(one.keep_days, one.is_active),
                "why": NOT_ENFORCED.get(one.subject, "No job knows it.")}
            for one in listed.rows
            if one.subject not in ENFORCED
        ],
        name="not-enforced",
        title="Rules that no job holds",
        why=f"They say what the documents promise; nothing is deleted by them, and everything is kept. {LIVE}",
        columns=_OTHERS,
        scope=scope,
        read=listed,
    )  # fmt: skip
    table(
        [{"what": what, "kept": kept, "job": job or "none: nothing deletes it"} for what, kept, job in FIXED],
        name="fixed",
        title="Fixed",
        why="Part of how the app works: nobody changes it here.",
        columns=_FIXED,
        scope=scope,
    )


@st.dialog("Change how long it is kept", width="medium", icon=":material/edit:")
def change(scope: Scope, one: RetentionRule) -> None:
    """What the next run would forget is said before anything is saved, and again when the days change."""
    still_here(scope.viewer)
    save_together()
    before = Terms(one.keep_days, one.is_active)
    wanted = _fields(one)
    taken = retention.would_take(serving.engines().pipe, scope.viewer, one.subject, wanted)
    st.html(_warning(one, taken, wanted))
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    is_sure = taken is None or taken.rows == 0 or st.checkbox("I know that they can't be brought back.")
    if not st.button("Save", type="primary", disabled=not is_sure, key="save-retention"):
        return

    def save(terms: Terms, revision: int, was: Terms, why: str) -> tuple[Terms, int]:
        retention.change_retention(
            serving.engines().rw, scope.viewer, one.id, terms, revision=revision, reason=why, made_on=before
        )
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Terms, int]:
        return save(Terms(**merged), stale.revision, Terms(**stale.now), reason)

    def take_back(done: tuple[Terms, int]) -> None:
        was, revision = done
        save(was, revision, was, "Taken back.")

    attempt(
        lambda: save(wanted, one.revision, before, reason),
        f"{words.spelled(one.subject)}: {_kept(wanted.keep_days, wanted.is_active)} from the next run on.",
        undo=Undo(take_back, "It is kept as before. What a run has forgotten meanwhile stays gone."),
        together=save_both,
    )


def _fields(one: RetentionRule) -> Terms:
    is_active = st.toggle("Forget what is older", one.is_active, key=f"active-{one.id}")
    if not is_active:
        return Terms(one.keep_days, is_active=False)
    for_ever = st.checkbox("Keep it for ever", one.keep_days is None, key=f"ever-{one.id}")
    if for_ever:
        return Terms(None)
    days = st.number_input("Days", 1, LONGEST_DAYS, one.keep_days or 365, key=f"days-{one.id}")
    return Terms(int(days))


def _card(one: RetentionRule, scope: Scope, *, may: bool) -> None:
    enforced, pipe = ENFORCED[one.subject], serving.engines().pipe
    now = Terms(one.keep_days, one.is_active)
    last = retention.last_run(pipe, scope.viewer, one.subject)
    facts: dict[str, Any] = {
        "Kept": _kept(one.keep_days, one.is_active),
        "Of": _OF[one.audience],
        "Next run takes": _count(retention.would_take(pipe, scope.viewer, one.subject, now)),
        "Last run": f"{words.moment(last.at)} UTC, took {words.counted(last.forgotten, 'row')}" if last else "not yet",
        "Job": enforced.job,
    }
    listed = [part for name, value in facts.items() for part in (tag("dt", name), tag("dd", value))]
    with st.container(border=True, key=f"card-retention-{one.subject}-{one.audience}"):
        head = (tag("h2", words.spelled(one.subject)), tag("p", f"{one.description} {enforced.says}", class_="why"))
        history = tag("p", history_link(scope, "retention_policies", one.id), class_="sl-small")
        inner = tag("div", tag("dl", *listed, class_="facts"), class_="sl-receipt")
        st.html(tag("section", *head, inner, history, class_="sl sl-card"))
        if may and st.button("Change", key=f"change-{one.id}", icon=":material/edit:"):
            change(scope, one)


def _warning(one: RetentionRule, taken: Taken | None, wanted: Terms) -> Markup:
    kept = _kept(wanted.keep_days, wanted.is_active)
    what = "Nothing is forgotten by it." if taken is None or not taken.rows else f"It forgets {_count(taken)}."
    told = f"{words.spelled(one.subject)}: {kept}. {what} {ENFORCED[one.subject].says}"
    return tag("div", tag("b", "What the next run will do"), told, class_="sl sl-refused")


def _count(taken: Taken | None) -> str:
    if taken is None:
        return "nothing"
    return (
        f"about {words.counted(taken.rows, 'row')}, by estimate" if taken.is_guess else words.counted(taken.rows, "row")
    )


def _kept(days: int | None, is_active: bool) -> str:
    return words.counted(days, "day") if days is not None and is_active else "for ever"
