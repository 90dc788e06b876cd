"""Drafting and rewriting with AI: asked with quota and budget first, shown before anything is saved."""

from dataclasses import dataclass, replace
from uuid import UUID

import streamlit as st

from app import serving
from app.ai.access import Access
from app.ai.metered import MeteredClient
from app.commands.company import sees_whole_company
from app.commands.templates import Draft, create_template
from app.commands.templates_compared import draft_of, parts_of
from app.commands.templates_drafted import LONGEST_WISH, Drafted, draft_template
from app.quotas.answers import Refused
from app.records.template_texts import Text
from app.settings import settings
from app.ui import words
from app.ui.choices import workspaces_of
from app.ui.done import attempt, save_together
from app.ui.failure import say_refused
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from app.ui.side_by_side import what_differs
from app.ui.template_form import LIBRARY, save_draft, unmade
from db.errors import SightlineError
from db.tables.products import PRODUCTS

_KEPT = "template-ai"


@dataclass(frozen=True)
class _Answer:
    """What came of the last wish, and for which template."""

    of: UUID | None
    result: Drafted | Refused | SightlineError


def is_off() -> str | None:
    """Why nothing can be drafted; None: it can."""
    return Access.of(settings()).off_because


@st.dialog("Draft with AI", width="large", icon=":material/auto_awesome:")
def draft(scope: Scope) -> None:
    """What the model wrote becomes a draft only when somebody says so."""
    still_here(scope.viewer)
    if _say_off():
        return
    own = workspaces_of(scope.viewer)
    _wish(scope, None, Draft(""), own, "", "email_studio")
    made = _made(None)
    if made is None:
        return
    _show(made.draft, Draft(""), made.cost)
    sees_all = sees_whole_company(serving.engines().ro, scope.viewer)
    with st.form("keep-draft", border=False):
        name = st.text_input("Name", made.draft.subject or "", max_chars=120)
        owner = st.selectbox("For", ([LIBRARY] if sees_all else []) + list(own))
        product = st.selectbox("Product", PRODUCTS, format_func=words.spelled)
        if not st.form_submit_button("Keep it as a draft", type="primary"):
            return
    attempt(
        lambda: create_template(
            serving.engines().rw, scope.viewer, replace(made.draft, name=name), product=product,
            workspace_slug=own.get(owner or ""),
        ),
        "The template is there, as a draft.",
        undo=unmade(scope),
    )  # fmt: skip


@st.dialog("Rewrite with AI", width="large", icon=":material/auto_awesome:")
def rewrite(scope: Scope, one: Text) -> None:
    """What would change is shown first; it is saved like an edit by hand, on what the template says now."""
    still_here(scope.viewer)
    if _say_off():
        return
    save_together()
    before = draft_of(one)
    _wish(scope, one.id, before, workspaces_of(scope.viewer), one.workspace_slug, one.product)
    made = _made(one.id)
    if made is None:
        return
    _show(made.draft, before, made.cost)
    if st.button("Save this", type="primary"):
        save_draft(scope, one, lambda: made.draft, before, "Rewritten with AI.")


def _wish(  # noqa: PLR0917 - for whom, of what, and counted where
    scope: Scope, of: UUID | None, now: Draft, own: dict[str, str], slug: str, product: str
) -> None:
    with st.form("ai-wish", border=False):
        text = st.text_area("What should it say?", max_chars=LONGEST_WISH, height=90, placeholder=(
            "Such as: a welcome to new bakers, warm and short, with one button"))  # fmt: skip
        names = list(own)
        usual = next((place for place, name in enumerate(names) if own[name] == slug), 0)
        counted = st.selectbox(
            "Counted in the quota of", names, usual, help="And in its budgets, as a call of the workspace's owner."
        )
        if not st.form_submit_button("Ask", icon=":material/auto_awesome:"):
            return
    with st.spinner("The model writes …"):
        st.session_state[_KEPT] = _Answer(of, _ask(scope, now, text or "", own.get(counted or "", ""), product))


def _ask(scope: Scope, now: Draft, text: str, slug: str, product: str) -> Drafted | Refused | SightlineError:
    rw = serving.engines().rw
    try:
        client = MeteredClient(rw, Access.of(settings()))
        return draft_template(rw, scope.viewer, text, workspace_slug=slug, product=product, now=now, client=client)
    except SightlineError as refusal:
        return refusal


def _made(of: UUID | None) -> Drafted | None:
    """What was written; a refusal is shown as its data says."""
    answer: _Answer | None = st.session_state.get(_KEPT)
    if answer is None or answer.of != of:
        return None
    result = answer.result
    if isinstance(result, Drafted):
        return result
    if isinstance(result, Refused):
        instead = result.instead
        told = " ".join(part for part in (instead.text, instead.prompt) if part)
        st.html(tag("div", tag("b", instead.title), told, class_="sl sl-refused", role="alert"))
        return None
    say_refused(result)
    return None


def _show(made: Draft, before: Draft, cost: str) -> None:
    st.html(tag("p", f"Written {cost}. Nothing is saved yet.", class_="sl sl-small sl-muted"))
    what_differs(parts_of(before, made))


def _say_off() -> bool:
    off = is_off()
    if off:
        st.html(tag("div", tag("b", "This is off."), off, class_="sl sl-empty", role="status"))
    return bool(off)
