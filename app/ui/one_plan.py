"""One version of a plan: how it stands and what can be done about it, what it would do, and what became of it."""

from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.commands.texts import plain
from app.records.plans import PlanChange, PlanDetail, PlanNow, plan
from app.records.plans import plans as all_plans
from app.ui import words
from app.ui.cards import LIVE
from app.ui.done import said
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import tag
from app.ui.plan_forms import draft_of
from app.ui.plan_list import may_change
from app.ui.plan_publishing import actions, waiting
from app.ui.plan_words import chips, field_name, price_told, standing
from app.ui.scope import Scope
from app.ui.tables import table

_ACTIONS = {"insert": "made", "update": "changed", "delete": "taken away"}
_PARTS = {"plans": "Plan", "plan_limits": "Limit", "plan_features": "Feature", "plan_approvals": "Approval"}


def plan_here(viewer: Viewer) -> PlanDetail | None:
    """The version that the address names."""
    try:
        key = UUID(st.query_params.get("plan", ""))
    except ValueError:
        return None
    return plan(serving.engines().ro, viewer, key)


def told(found: PlanDetail, scope: Scope) -> None:
    """How it stands, what it costs, the other versions of its tier, and the buttons for who may."""
    said()
    now = found.now
    st.html(
        tag(
            "div",
            chips(
                words.spelled(now.product), words.spelled(now.tier), standing(now), price_told(now),
                words.counted(now.subscribers, "subscriber"),
            ),
            class_="sl",
        )
    )  # fmt: skip
    waiting(found, scope)
    if may_change(scope):
        with st.container(horizontal=True):
            if st.button("Draft of this", icon=":material/content_copy:", help="Says the same, as the next version."):
                draft_of(scope, found)
            actions(found, scope)
    _others(found, scope)


def history(found: PlanDetail, scope: Scope) -> None:
    """Every change of it, of its limits and features, and of what was asked about it."""
    listed = read("plan_changes", scope, plan=found.now.id)
    table(
        [
            vars(one)
            | {
                "actor": one.actor or "the database",
                "did": _did(one),
                "was": _values(one.before),
                "became": _values(one.after),
            }
            for one in listed.rows
        ],
        name="plan-changes",
        title="History",
        why=f"From the audit log, the last first. {LIVE}",
        columns={"at": "When", "actor": "Who", "did": "What", "reason": "Why", "was": "Before", "became": "After"},
        scope=scope,
        empty=("Nobody changed anything of it yet.", "The audit log keeps every change from now on."),
        read=listed,
    )


def _did(one: PlanChange) -> str:
    part = _PARTS[one.table_name]
    if one.what:
        part = field_name(f"{'limit' if one.table_name == 'plan_limits' else 'feature'} {one.what}")
    return f"{part} {_ACTIONS[one.action]}"


def _values(given: object) -> str | None:
    if not isinstance(given, dict):
        return None
    left_out = {"id", "plan_id", "created_at", "meter", "period", "feature"}
    said_of = {name: value for name, value in given.items() if name not in left_out and value is not None}
    return "; ".join(f"{words.spelled(name)} {_plain(value)}" for name, value in said_of.items())


def _plain(value: object) -> str:
    return plain(value.get("meter", value)) if isinstance(value, dict) else plain(value)


def _others(found: PlanDetail, scope: Scope) -> None:
    """Of the same tier, whichever currency and period they are paid in."""
    others = [one for one in all_plans(serving.engines().ro, scope.viewer) if _is_sibling(one, found.now)]
    if others:
        links = [
            tag("span", anchor(_named(one), address("plan", scope, plan=one.id)), class_="sl-chip") for one in others
        ]
        inner = tag("summary", f"Other versions of this tier: {len(others)}", class_="sl-small")
        is_open = "" if any(one.status == "draft" for one in others) else None
        st.html(tag("details", inner, tag("div", *links, class_="sl-chips", style="margin-top:.4rem"), class_="sl",
            open=is_open))  # fmt: skip


def _named(one: PlanNow) -> str:
    return f"Version {one.version}, {one.currency} {one.billing_period} · {standing(one)}"


def _is_sibling(one: PlanNow, here: PlanNow) -> bool:
    return one.id != here.id and (one.product, one.tier) == (here.product, here.tier)
