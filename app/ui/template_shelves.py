"""The shelves: made, renamed, ordered and retired; and on which of them a template stands."""

from collections.abc import Collection, Sequence
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import templates_shelves as commands
from app.commands.company import sees_whole_company
from app.commands.stale import EditedMeanwhileError, Fields
from app.commands.templates_shelves import LONGEST_DESCRIPTION, LONGEST_NAME, Label
from app.exports.given import given
from app.exports.live import reading
from app.metrics.metric import Unit
from app.records.template_texts import Shelf, Text, shelves
from app.ui import words
from app.ui.choices import workspaces_of
from app.ui.done import Undo, attempt, save_together
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.template_form import LIBRARY
from db.tables.templates import TEMPLATE_KINDS

_RENAME, _UP, _DOWN, _RETIRE, _REINSTATE = "Rename", "Move up", "Move down", "Retire", "Re-instate"
_LISTED: Columns = {
    "name": "Shelf",
    "of": "Of",
    "kind": "Kind",
    "description": "Description",
    "templates": Column("Templates", Unit.COUNT),
    "state": "State",
}


def shelf_list(scope: Scope) -> None:
    """All of them in their order; one is chosen and changed."""
    save_together()
    with reading() as told:
        found = shelves(serving.engines().ro, scope.viewer)
    sees_all = sees_whole_company(serving.engines().ro, scope.viewer)
    _change_one(scope, [one for one in found if sees_all or not one.is_house], sees_all=sees_all)
    table(
        [
            vars(one)
            | {
                "of": LIBRARY if one.is_house else one.workspace,
                "kind": words.spelled(one.kind),
                "state": "in use" if one.is_active else "retired",
            }
            for one in found
        ],
        name="shelves",
        title="Shelves",
        why="In the order in which products show them. Templates of any workspace stand on those of the library.",
        columns=_LISTED,
        scope=scope,
        empty=("There is no shelf.", "Make one: templates are put on shelves to be found."),
        read=told.listed("shelves", given(), found),
    )


def _change_one(scope: Scope, own: Sequence[Shelf], *, sees_all: bool) -> None:
    by_key = {one.id: one for one in own}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button("New shelf", icon=":material/add:"):
            make(scope, sees_all=sees_all)
        key = st.selectbox(
            "Shelf", list(by_key), index=None, placeholder="Choose one to change it", key="shelf", width=320,
            format_func=lambda one: f"{by_key[one].name} · {words.spelled(by_key[one].kind)} · {by_key[one].workspace}",
        )  # fmt: skip
        options = (_RENAME, _UP, _DOWN, _RETIRE if key is None or by_key[key].is_active else _REINSTATE)
        what = st.menu_button("Change …", options, key="shelf-change", disabled=key is None)
    if key is None or what is None:
        return
    one = by_key[key]
    if what == _RENAME:
        rename(scope, one)
    elif what in {_UP, _DOWN}:
        move(scope, one, own, -1 if what == _UP else 1)
    elif what == _RETIRE:
        ask_retirement(scope, one)
    else:
        _reinstate(scope, one, one.revision)


@st.dialog("New shelf", icon=":material/add:")
def make(scope: Scope, *, sees_all: bool) -> None:
    """The last of its kind, until it is moved."""
    still_here(scope.viewer)
    own = workspaces_of(scope.viewer)
    with st.form("new-shelf", border=False):
        owner = st.selectbox("For", ([LIBRARY] if sees_all else []) + list(own))
        kind = st.selectbox("Kind", TEMPLATE_KINDS, format_func=words.spelled)
        label = _label(Label(""))
        if not st.form_submit_button("Make it", type="primary"):
            return
    attempt(
        lambda: commands.create_shelf(
            serving.engines().rw, scope.viewer, label, kind=kind, workspace_slug=own.get(owner or "")
        ),
        "The shelf is there.",
        undo=Undo(lambda key: _retired_again(scope, key, 1), "It is retired again."),
    )


@st.dialog("Rename shelf", icon=":material/edit:")
def rename(scope: Scope, one: Shelf) -> None:
    """Templates stay on it."""
    still_here(scope.viewer)
    save_together()
    before = Label(one.name, one.description)
    with st.form("rename-shelf", border=False):
        label = _label(before)
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(wanted: Label, revision: int, was: Label) -> tuple[Label, int]:
        now = commands.rename_shelf(serving.engines().rw, scope.viewer, one.id, wanted, revision=revision, made_on=was)
        return was, now

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Label, int]:
        return save(Label(**merged), stale.revision, Label(**stale.now))

    def take_back(done: tuple[Label, int]) -> None:
        was, revision = done
        save(was, revision, was)

    attempt(
        lambda: save(label, one.revision, before), f"{one.name} is called {label.name}.", undo=Undo(take_back),
        together=save_both,
    )  # fmt: skip


def move(scope: Scope, one: Shelf, own: Sequence[Shelf], by: int) -> None:
    """One place among those of its kind."""
    seen = [shelf.id for shelf in own if (shelf.workspace_id, shelf.kind) == (one.workspace_id, one.kind)]
    keys = list(seen)
    place = keys.index(one.id)
    there = max(0, min(len(keys) - 1, place + by))
    keys.insert(there, keys.pop(place))
    attempt(
        lambda: _order(scope, keys, seen),
        f"{one.name} was moved.",
        undo=Undo(lambda done: _order(scope, *done)),
        together=lambda stale, merged: _order(scope, _keys(merged), _keys(stale.now)),
    )


def _order(scope: Scope, keys: Sequence[UUID], seen: Sequence[UUID]) -> tuple[Sequence[UUID], Sequence[UUID]]:
    """What takes it back: the order that was, and the one that is."""
    return commands.order_shelves(serving.engines().rw, scope.viewer, keys, was=seen), keys


def _keys(told: Fields) -> list[UUID]:
    return [one.id for one in told["shelves"]]


@st.dialog("Retire shelf", icon=":material/archive:")
def ask_retirement(scope: Scope, one: Shelf) -> None:
    """It says what stays."""
    still_here(scope.viewer)
    told = (
        f"{one.name} is shown to nobody who looks for templates. {words.counted(one.templates, 'template')} on it stay."
    )
    st.html(tag("p", told, class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button("Retire it", type="primary"):
        rw = serving.engines().rw
        attempt(
            lambda: commands.retire_shelf(rw, scope.viewer, one.id, revision=one.revision, reason=reason),
            f"{one.name} is retired.",
            undo=Undo(lambda now: commands.reinstate_shelf(rw, scope.viewer, one.id, revision=now)),
        )


def _reinstate(scope: Scope, one: Shelf, revision: int) -> None:
    attempt(
        lambda: commands.reinstate_shelf(serving.engines().rw, scope.viewer, one.id, revision=revision),
        f"{one.name} is in use again.",
        undo=Undo(lambda now: _retired_again(scope, one.id, now), "It is retired again."),
    )


def _retired_again(scope: Scope, key: UUID, revision: int) -> None:
    commands.retire_shelf(serving.engines().rw, scope.viewer, key, revision=revision, reason="Taken back.")


@st.dialog("Shelves", icon=":material/shelves:")
def put(scope: Scope, one: Text, on: Collection[UUID]) -> None:
    """A template stands on any number of them; `on` are those on which it stood when this was opened."""
    still_here(scope.viewer)
    save_together()
    fitting = {
        shelf.id: shelf
        for shelf in shelves(serving.engines().ro, scope.viewer)
        if shelf.kind == one.kind and (shelf.is_active or shelf.id in on)
        and (shelf.is_house or shelf.workspace_id == one.workspace_id)
    }  # fmt: skip
    with st.form("put-on-shelves", border=False):
        chosen = st.multiselect(
            "It stands on", list(fitting), [key for key in fitting if key in on],
            format_func=lambda key: fitting[key].name,
        )  # fmt: skip
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(wanted: Sequence[UUID], was: Sequence[UUID]) -> tuple[Sequence[UUID], Sequence[UUID]]:
        return commands.put_on_shelves(serving.engines().rw, scope.viewer, one.id, wanted, was=was), wanted

    attempt(
        lambda: save(chosen, list(on)),
        f"{one.name} stands on {len(chosen)} shelves." if len(chosen) != 1 else f"{one.name} stands on 1 shelf.",
        undo=Undo(lambda done: save(*done)),
        together=lambda stale, merged: save(_keys(merged), _keys(stale.now)),
    )


def _label(now: Label) -> Label:
    name = st.text_input("Name", now.name, max_chars=LONGEST_NAME)
    description = st.text_input("Description", now.description or "", max_chars=LONGEST_DESCRIPTION)
    return Label(name or "", description or None)
