"""What can be done with templates, one or many: asked with their number first, done at once, taken back at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import templates_states as states
from app.commands.templates_states import Picked
from app.ui.done import Undo, attempt
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope

_NAMED = 8


class Templatelike(Protocol):
    """What is asked about: a template of any list."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> int: ...


@dataclass(frozen=True)
class Action:
    """One thing to do: what it says before and after, and whether there has to be a reason."""

    verb: str
    warns: str
    done: str
    do: Callable[[Scope, Picked, str], Picked]
    asks_why: bool = False
    asks_category: bool = False


def _command(change: Callable[..., Picked], *, takes_reason: bool) -> Callable[..., Picked]:
    def do(scope: Scope, picked: Picked, told: str) -> Picked:
        more = {"reason": told} if takes_reason else {}
        return change(serving.engines().rw, scope.viewer, picked, **more)

    return do


def _categorise(scope: Scope, picked: Picked, told: str) -> Picked:
    return states.categorise_templates(serving.engines().rw, scope.viewer, picked, told)


PUBLISH, FEATURE, UNFEATURE = "Publish", "Feature", "Stop featuring"
UNPUBLISH, RETIRE, REINSTATE = "Make a draft again", "Retire", "Re-instate"
CATEGORY, DELETE, RESTORE = "Set the category", "Delete", "Restore"
ACTIONS: Mapping[str, Action] = {
    PUBLISH: Action(
        "Publish", "From now on they are offered; what they say is kept as a publication for ever.", "published",
        _command(states.publish_templates, takes_reason=True),
    ),
    FEATURE: Action(
        "Feature", "They are shown before the others.", "featured",
        _command(states.feature_templates, takes_reason=False),
    ),
    UNFEATURE: Action(
        "Stop featuring", "They are shown among the others.", "featured no more",
        _command(states.unfeature_templates, takes_reason=False),
    ),
    UNPUBLISH: Action(
        "Make drafts of", "Nobody is offered them until they are published again.", "drafts again",
        _command(states.unpublish_templates, takes_reason=True), asks_why=True,
    ),
    RETIRE: Action(
        "Retire", "Nobody is offered them any more. Copies and campaigns that use them go on.", "retired",
        _command(states.retire_templates, takes_reason=True), asks_why=True,
    ),
    REINSTATE: Action(
        "Re-instate", "What was published as it is now is so again; anything else is a draft.", "in use again",
        _command(states.reinstate_templates, takes_reason=True),
    ),
    CATEGORY: Action(
        "Set the category of", "They are found by it; shelves are something else.", "of another category", _categorise,
        asks_category=True,
    ),
    DELETE: Action(
        "Delete", "They are out of sight. Their versions stay, and they can be restored.", "deleted",
        _command(states.delete_templates, takes_reason=True), asks_why=True,
    ),
    RESTORE: Action(
        "Restore", "They come back as they were.", "back", _command(states.restore_templates, takes_reason=True),
    ),
}  # fmt: skip
TOGETHER = (PUBLISH, FEATURE, UNFEATURE, RETIRE, REINSTATE, CATEGORY, DELETE)


@st.dialog("Are you sure?", width="medium", icon=":material/checklist:")
def ask(scope: Scope, what: str, chosen: Sequence[Templatelike]) -> None:
    """How many, which, and what becomes of them."""
    still_here(scope.viewer)
    action = ACTIONS[what]
    number = "1 template" if len(chosen) == 1 else f"{len(chosen):,} templates"
    names = [one.name for one in chosen[:_NAMED]]
    more = f" and {len(chosen) - _NAMED} more" if len(chosen) > _NAMED else ""
    head = tag("h2", f"{action.verb} {number}", style="font-size:1.1rem;margin:0;padding:0")
    st.html(tag("div", head, tag("p", ", ".join(names) + more), tag("p", action.warns), class_="sl"))
    told = ""
    if action.asks_category:
        told = st.text_input("Category", max_chars=80, placeholder="Empty: of none") or ""
    elif action.asks_why:
        told = st.text_input("Why?", max_chars=300, help="The audit log keeps it.") or ""
    if st.button(f"{action.verb} {number}", type="primary"):
        act(scope, action, chosen, told)


def act(scope: Scope, action: Action, chosen: Sequence[Templatelike], told: str = "") -> None:
    """All of them or none; one undo takes it back for all."""
    number = chosen[0].name if len(chosen) == 1 else f"{len(chosen):,} templates"
    attempt(
        lambda: action.do(scope, {one.id: one.revision for one in chosen}, told),
        f"{number} {'is' if len(chosen) == 1 else 'are'} {action.done}.",
        undo=Undo(lambda done: states.take_back(serving.engines().rw, scope.viewer, done)),
    )


def offered(status: str, *, is_featured: bool) -> tuple[str, ...]:
    """What makes sense with a template as it is."""
    if status == "retired":
        return (REINSTATE, CATEGORY, DELETE)
    featured = UNFEATURE if is_featured else FEATURE
    own = (featured, UNPUBLISH) if status == "published" else (PUBLISH,)
    return (*own, CATEGORY, RETIRE, DELETE)
