"""The desk of templates: all that somebody may edit, found, filtered, and changed together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.commands.company import sees_whole_company
from app.metrics.metric import Unit
from app.records.template_texts import Shelf, deleted_templates, found_by, shelves
from app.records.templates import Template
from app.ui import template_use, words
from app.ui.asking import ask as ask_metrics
from app.ui.cards import LIVE
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.template_actions import ACTIONS, RESTORE, TOGETHER, act, ask
from app.ui.template_form import write
from app.ui.views import ANY, any_of, note_broken
from db.tables.templates import TEMPLATE_KINDS

_STATUSES = ("draft", "published", "retired")
# Names that people give take more room than ours.
_WIDTHS = {**dict.fromkeys(("kind", "status", "of"), 130), **dict.fromkeys(("shelf", "category", "industry"), 165)}
_OF = {"Library": "library", "Workspaces": "workspaces", "Featured": "featured"}
_LISTED: Columns = {
    "name": Column("Template", opens="edit_template", key="id"),
    "workspace": "Workspace",
    "kind": "Kind",
    "status": "Status",
    "category": "Category",
    "current_version": Column("Version", Unit.COUNT),
    "campaigns": Column("Campaigns", Unit.COUNT),
    "copies": Column("Copies", Unit.COUNT),
    "rating": Column("Rating", Unit.NUMBER),
    "open_rate": Column("Open rate", Unit.PERCENT),
    "click_rate": Column("Click rate", Unit.PERCENT),
}
_DELETED: Columns = {"name": "Template", "workspace": "Workspace", "kind": "Kind", "deleted_at": "Deleted"}


def template_list(scope: Scope) -> None:
    """Found by words and filters; use and performance beside each."""
    labels = _labels(shelves(serving.engines().ro, scope.viewer))
    narrowed = _filters(scope, labels)
    mine = {name: value for name, value in narrowed.items() if name not in {"workspace", "product"}}
    listed = ("desk", *mine.values())
    found = read("templates", scope, after=place(scope, *listed), limit=PAGE, **narrowed)
    _change_together(scope, found.rows)
    rates = _rates(scope)
    table(
        [_listed(one, rates) for one in found.rows],
        name="templates",
        title="Templates",
        why=f"Counts are of their whole life; rates of the chosen period. {LIVE}",
        columns=_LISTED,
        scope=scope,
        empty=("No template is like this.", "Type the beginning of a word of its name, or choose fewer filters."),
        read=found,
    )
    onward("template_desk", scope, found.next, *listed, **_shown(mine, labels))


def deleted_list(scope: Scope) -> None:
    """What was deleted can be restored."""
    found = deleted_templates(serving.engines().rw, scope.viewer)
    if found:
        by_key = {one.id: one for one in found}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.multiselect(
                "Chosen", list(by_key), format_func=lambda key: by_key[key].name, key="restored", width=420
            )
            if st.button(RESTORE, icon=":material/restore_from_trash:", disabled=not chosen):
                act(scope, ACTIONS[RESTORE], [by_key[key] for key in chosen])
    table(
        [vars(one) | {"kind": words.spelled(one.kind)} for one in found],
        name="deleted",
        title="Deleted templates",
        why="The last hundred; their versions are kept.",
        columns=_DELETED,
        scope=scope,
        empty=("Nothing is deleted.", "What is deleted can be restored from here."),
    )


def _filters(scope: Scope, labels: Mapping[UUID, str]) -> dict[str, Any]:
    categories, industries = (found_by(serving.engines().ro, scope.viewer, by) for by in ("category", "industry"))
    kinds = {words.spelled(one): one for one in TEMPLATE_KINDS}
    statuses = {words.spelled(one): one for one in _STATUSES}
    offered: Mapping[str, Sequence[str]] = {
        "kind": list(kinds), "status": list(statuses), "of": list(_OF), "shelf": list(labels.values()),
        "category": categories, "industry": industries,
    }  # fmt: skip
    for name, options in offered.items():
        note_broken(name, [ANY, *options])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Search", key="words", bind="query-params", placeholder="Words of names, subjects and descriptions",
            max_chars=200, width=280,
        )  # fmt: skip
        chosen = {name: any_of(name, options, _WIDTHS[name]) for name, options in offered.items()}
        if st.button("New template", icon=":material/add:"):
            write(scope, sees_all=sees_whole_company(serving.engines().ro, scope.viewer))
    return {
        "words": sought or "",
        "kind": kinds.get(chosen["kind"]),
        "status": statuses.get(chosen["status"]),
        "of": _OF.get(chosen["of"]),
        "shelf": next((key for key, label in labels.items() if label == chosen["shelf"]), None),
        "category": chosen["category"] if chosen["category"] in categories else None,
        "industry": chosen["industry"] if chosen["industry"] in industries else None,
        "workspace": scope.where.get("workspace"),
        "product": scope.where.get("product"),
    }


def _labels(found: Sequence[Shelf]) -> dict[UUID, str]:
    """Names, and what tells two of one name apart: their kind, and whose they are."""
    often = Counter(one.name for one in found)
    return {
        one.id: one.name if often[one.name] == 1 else f"{one.name} · {words.spelled(one.kind)} · {one.workspace_slug}"
        for one in found
    }


def _shown(chosen: Mapping[str, Any], labels: Mapping[UUID, str]) -> dict[str, Any]:
    """The filters as the address has them."""
    spelled = {name: words.spelled(chosen[name]) for name in ("kind", "status") if chosen[name]}
    of = next((label for label, of in _OF.items() if of == chosen["of"]), None)
    told = {**chosen, **spelled, "of": of, "shelf": labels.get(chosen["shelf"])}
    return {name: value or None for name, value in told.items()}


def _change_together(scope: Scope, rows: Sequence[Template]) -> None:
    """Some of those on this page; the number stands on the button, and is asked again."""
    if not rows:
        return
    by_key = {one.id: one for one in rows}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("Choose all here", icon=":material/select_all:"):
            st.session_state["picked"] = list(by_key)
        kept = [key for key in st.session_state.get("picked", []) if key in by_key]
        st.session_state["picked"] = kept
        picked = st.multiselect(
            "Change together", list(by_key), format_func=lambda key: f"{by_key[key].name} · {by_key[key].workspace}",
            key="picked", placeholder="Choose templates of this page", width=420,
        )  # fmt: skip
        label = f"Change {len(picked)} …" if picked else "Change …"
        what = st.menu_button(label, TOGETHER, key="together", disabled=not picked)
    if what:
        ask(scope, what, [by_key[key] for key in picked])


def _rates(scope: Scope) -> Mapping[str, Mapping[str, Any]]:
    answer = ask_metrics(template_use.SUMS, scope.uncompared, by="campaign")
    return {row["template"]: row for row in template_use.by_template(answer, scope.viewer)}


def _listed(one: Template, rates: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rate = rates.get(str(one.id), {})
    status = words.spelled(one.status) + (", featured" if one.is_featured else "")
    told = {"kind": words.spelled(one.kind), "status": status}
    return vars(one) | told | {name: rate.get(name) for name in ("open_rate", "click_rate")}
