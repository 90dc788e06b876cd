"""What a template once said: its versions, and two of them side by side, section by section."""

import streamlit as st

from app import serving
from app.commands.templates import Draft
from app.commands.templates_compared import Part, draft_of, parts_of
from app.records.template_texts import Text, kept_of, version_texts
from app.ui import words
from app.ui.cards import card
from app.ui.empty import empty_card
from app.ui.markup import tag
from app.ui.scope import Scope
from app.ui.side_by_side import label, two_versions
from app.ui.template_form import ask_roll_back
from app.ui.template_view import preview_address

_WHY = {
    "auto_save": "kept by itself",
    "snapshot": "before a change",
    "publish": "published",
    "roll_back": "before rolling back",
}


def history(one: Text, scope: Scope) -> None:
    """Two versions are chosen, and what differs is shown; going back makes a new version."""
    found = version_texts(serving.engines().ro, scope.viewer, one.id)
    kept = kept_of(serving.engines().ro, scope.viewer, one.id)
    if kept:
        most = "All are kept" if kept.most is None else f"By its plan the last {kept.most} are kept"
        counted = f"{words.counted(kept.others, 'version')}, and {kept.published} that were published"
        st.html(tag("p", f"{most}, and published ones for ever. There are {counted}.", class_="sl sl-small sl-muted"))
    if not found:
        nothing = empty_card("It has no version yet.", "One is kept whenever somebody changes or publishes it.")
        card("Versions", nothing)
        return
    drafts: dict[int | None, Draft] = {version.version: draft_of(version) for version in found}
    drafts[None] = draft_of(one)

    def parts(old: int, new: int | None) -> list[Part]:
        return list(parts_of(drafts[old], drafts[new]))

    two_versions(
        {
            version.version: label(
                version.version, _WHY.get(version.reason, version.reason), version.created_at, version.created_by, scope
            )
            for version in found
        },
        parts,
        lambda version: ask_roll_back(scope, one, version),
        lambda version: preview_address("template", one, version),
    )
