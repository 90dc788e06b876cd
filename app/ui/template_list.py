"""The desk of templates: all that somebody may edit, found, filtered, and changed together."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import serving
from app.commands.company import sees_whole_company
from app.metrics.metric import Unit
from app.records.template_texts import categories, deleted_templates
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
from app.ui.views import note_broken
from db.tables.templates import TEMPLATE_KINDS

_ANY = "Any"
_STATUSES = ("draft", "published", "retired")
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
    narrowed = _filters(scope)
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
    onward("template_desk", scope, found.next, *listed, **{name: _shown(name, value) for name, value in mine.items()})


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


def _filters(scope: Scope) -> dict[str, Any]:
    known = categories(serving.engines().ro, scope.viewer)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Search", key="words", bind="query-params", placeholder="Words of names, subjects and descriptions",
            max_chars=200, width=280,
        )  # fmt: skip
        kind = _one("Kind", "kind", [words.spelled(one) for one in TEMPLATE_KINDS])
        status = _one("Status", "status", [words.spelled(one) for one in _STATUSES])
        shelf = _one("Of", "of", list(_OF))
        category = _one("Category", "category", known, width=180)
        if st.button("New template", icon=":material/add:"):
            write(scope, sees_all=sees_whole_company(serving.engines().ro, scope.viewer))
    return {
        "words": sought or "",
        "kind": {words.spelled(one): one for one in TEMPLATE_KINDS}.get(kind),
        "status": {words.spelled(one): one for one in _STATUSES}.get(status),
        "of": _OF.get(shelf),
        "category": category if category in known else None,
        "workspace": scope.where.get("workspace"),
        "product": scope.where.get("product"),
    }


def _one(label: str, key: str, options: Sequence[str], width: int = 130) -> str:
    shown = [_ANY, *options]
    note_broken(key, shown)
    return st.selectbox(label, shown, key=key, bind="query-params", width=width) or _ANY


def _shown(name: str, value: object) -> object:
    """A filter as the address has it."""
    if name == "of":
        return next((label for label, of in _OF.items() if of == value), None)
    return words.spelled(str(value)) if value and name in {"kind", "status"} else value or None


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
