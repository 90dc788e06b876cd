"""Dialogs that write, change and go back: a template is saved only if nobody changed it since it was opened."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app import serving
from app.commands import templates
from app.commands.stale import EditedMeanwhileError, Fields
from app.commands.templates import Draft
from app.commands.templates_compared import NAMES, draft_of, sections_told
from app.commands.templates_states import delete_templates
from app.commands.texts import plain
from app.records.template_texts import Text
from app.ui import words
from app.ui.both_versions import both_versions
from app.ui.choices import workspaces_of
from app.ui.done import Undo, attempt, save_together
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope
from app.ui.template_fields import fields, read
from db.errors import SightlineError
from db.tables.products import PRODUCTS
from db.tables.templates import TEMPLATE_KINDS

LIBRARY = "The library"
_WHY = "The audit log keeps it."


@st.dialog("New template", width="large", icon=":material/add:")
def write(scope: Scope, *, sees_all: bool) -> None:
    """For whom and of what kind it is comes first: it decides what else is asked."""
    still_here(scope.viewer)
    own = workspaces_of(scope.viewer)
    left, middle, right = st.columns(3)
    owner = left.selectbox("For", ([LIBRARY] if sees_all else []) + list(own), key="template-owner")
    kind = middle.selectbox("Kind", TEMPLATE_KINDS, format_func=words.spelled, key="template-kind")
    product = right.selectbox("Product", PRODUCTS, format_func=words.spelled, key="template-product")
    begin = Draft("")
    with st.form("new-template", border=False):
        given = fields(begin, kind)
        if not st.form_submit_button("Make a draft", type="primary"):
            return
    slug = own.get(owner or "")
    attempt(
        lambda: templates.create_template(
            serving.engines().rw, scope.viewer, read(given, begin), product=product, kind=kind, workspace_slug=slug
        ),
        "The template is there, as a draft.",
        undo=unmade(scope),
    )


@st.dialog("Edit template", width="large", icon=":material/edit:")
def edit(scope: Scope, one: Text) -> None:
    """Otherwise both versions are shown, and saved together where they lie apart."""
    still_here(scope.viewer)
    save_together()
    before = draft_of(one)
    if one.status == "published":
        st.html(tag("p", "It is published: what you save is offered at once, and kept as a publication.", class_="sl"))
    with st.form("edit-template", border=False):
        given = fields(before, one.kind)
        reason = st.text_input("Why?", max_chars=300, help=_WHY)
        if not st.form_submit_button("Save", type="primary"):
            return
    save_draft(scope, one, lambda: read(given, before), before, reason)


def save_draft(scope: Scope, one: Text, wanted: Callable[[], Draft], before: Draft, reason: str) -> None:
    """Save what was written on `before`; with an undo, and with both edits together where they lie apart."""

    def save(draft: Draft, revision: int, was: Draft, why: str) -> tuple[Draft, Draft, int]:
        now = templates.edit_template(
            serving.engines().rw, scope.viewer, one.id, draft, revision=revision, reason=why, made_on=was
        )
        return was, draft, now

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Draft, Draft, int]:
        return save(Draft(**merged), stale.revision, Draft(**stale.now), reason)

    def take_back(done: tuple[Draft, Draft, int]) -> None:
        was, then, revision = done
        save(was, revision, then, "Taken back.")

    attempt(
        lambda: save(wanted(), one.revision, before, reason),
        f"{one.name} was changed.",
        undo=Undo(take_back),
        shown=differing,
        together=save_both,
    )


def unmade(scope: Scope) -> Undo:
    """What was just written is deleted again, unless somebody has changed it since."""
    return Undo(
        lambda key: delete_templates(serving.engines().rw, scope.viewer, {key: 1}, reason="Taken back."),
        "It is deleted again.",
    )


@st.dialog("Roll back", icon=":material/history:")
def ask_roll_back(scope: Scope, one: Text, version: int) -> None:
    """It says what happens to what is there now."""
    still_here(scope.viewer)
    then = "and it is published so at once" if one.status == "published" else "as a draft"
    told_first = f"{one.name} says again what version {version} said, {then}. What it says now is kept as a version."
    st.html(tag("p", told_first, class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help=_WHY)
    if not st.button("Roll back", type="primary"):
        return
    before = draft_of(one)

    def take_back(revision: int) -> None:
        templates.edit_template(
            serving.engines().rw, scope.viewer, one.id, before, revision=revision, reason="Taken back."
        )

    attempt(
        partial(
            templates.roll_back_template, serving.engines().rw, scope.viewer, one.id, version, revision=one.revision,
            reason=reason,
        ),
        f"{one.name} says what version {version} said.",
        undo=Undo(take_back),
    )  # fmt: skip


def differing(refusal: SightlineError) -> Markup:
    """Both versions under the names of the fields, of long texts the lines that are new; of other refusals nothing."""
    if not isinstance(refusal, EditedMeanwhileError):
        return Markup()
    before = refusal.made_on or {}
    known = {line for value in before.values() if isinstance(value, str) for line in value.splitlines()}

    def shown(value: object) -> str:
        if isinstance(value, tuple):
            return sections_told(value, before.get("sections", ())) or plain(value)
        if not isinstance(value, str) or "\n" not in value:
            return plain(value)
        return "\n".join(line for line in value.splitlines() if line not in known) or "the same lines"

    return both_versions(refusal, NAMES, shown)
