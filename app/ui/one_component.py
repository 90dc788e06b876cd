"""One component of the library: where it is offered, how it looks and what its code is, and what it once said."""

from functools import partial
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Viewer
from app.commands import templates_components as commands
from app.commands.templates_compared import Part, component_parts
from app.commands.templates_components import terms_of
from app.records.component_texts import ComponentText, ComponentVersion, component_text, component_versions
from app.ui import words
from app.ui.cards import card
from app.ui.done import Undo, attempt
from app.ui.empty import empty_card, nothing_here
from app.ui.links import address, anchor
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.scope import Scope
from app.ui.side_by_side import label, two_versions
from app.ui.template_components import SHOW, ask_withdrawal, edit, offer, sell
from app.ui.template_view import DESK, PHONE, framed, preview_address
from app.ui.views import one_of

_CODE = "Code"
_LIBRARY, _MARKET, _WITHDRAW = "Offer in the library", "Sell in the marketplace", "Withdraw"


def component_here(viewer: Viewer) -> ComponentText | None:
    """The component that the address names."""
    try:
        key = UUID(st.query_params.get("edit_component", ""))
    except ValueError:
        return None
    return component_text(serving.engines().ro, viewer, key)


def facts(one: ComponentText, scope: Scope) -> None:
    """What it is and where it is offered, in a line of chips."""
    price = f"{one.price.normalize():f} {one.currency}" if one.is_marketplace_item else ""
    told = (
        words.spelled(one.component_type),
        one.workspace,
        one.category or "",
        *one.tags,
        "in the library" if one.is_public else "offered to nobody",
        f"in the marketplace for {price}" if price else "",
        words.counted(one.downloads, "download"),
        words.counted(one.likes, "like"),
    )
    chips = [tag("span", part, class_="sl-chip") for part in told if part]
    lead = tag("span", anchor("All components", address("template_desk", scope, show=SHOW)), class_="sl-small")
    about = tag("p", one.description, class_="sl-small sl-muted") if one.description else ""
    st.html(tag("div", tag("div", *chips, lead, class_="sl-chips", style="align-items:baseline"), about, class_="sl"))


def actions(one: ComponentText, scope: Scope) -> None:
    """Writing first; where it is offered behind one button."""
    with st.container(horizontal=True):
        if st.button("Edit", icon=":material/edit:", type="primary"):
            edit(scope, one)
        options = (_LIBRARY, _MARKET, _WITHDRAW) if one.is_public else (_LIBRARY, _MARKET)
        what = st.menu_button("Offer …", options, key="component-offer")
    if what:
        {_LIBRARY: offer, _MARKET: sell, _WITHDRAW: ask_withdrawal}[what](scope, one)


def preview(one: ComponentText) -> None:
    """As on a desk, as on a telephone, or the code itself."""
    width = one_of("as", (DESK, PHONE, _CODE), label="Preview")
    if not one.html.strip():
        nothing_here("It has no code.", fill="Write some: it is shown here before others are offered it.")
    elif width == _CODE:
        st.code(one.html, language="html", wrap_lines=True)
    else:
        framed(preview_address("component", one), one.name, is_phone=width == PHONE)


def history(one: ComponentText, scope: Scope) -> None:
    """Two versions are chosen, and what differs is shown; going back makes a new version."""
    found = component_versions(serving.engines().ro, scope.viewer, one.id)
    if not found:
        card("Versions", empty_card("It has no version yet.", "One is kept whenever somebody changes what it says."))
        return
    kept = "What it said before each change is kept for ever; the last hundred are here."
    st.html(tag("p", kept, class_="sl sl-small sl-muted"))
    said: dict[int | None, ComponentText | ComponentVersion] = {version.version: version for version in found}
    said[None] = one

    def parts(old: int, new: int | None) -> list[Part]:
        return list(component_parts(said[old], said[new]))

    labels = {
        version.version: label(
            version.version, f"before “{version.reason}”" if version.reason else "before a change",
            version.changed_at, version.changed_by, scope,
        )
        for version in found
    }  # fmt: skip
    two_versions(
        labels, parts, partial(ask_roll_back, scope, one), lambda version: preview_address("component", one, version)
    )


@st.dialog("Roll back", icon=":material/history:")
def ask_roll_back(scope: Scope, one: ComponentText, version: int) -> None:
    """It says what happens to what is there now."""
    still_here(scope.viewer)
    at_once = ", and whoever is offered it gets that at once" if one.is_public else ""
    told = f"{one.name} says again what version {version} said{at_once}. What it says now is kept as a version."
    st.html(tag("p", told, class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if not st.button("Roll back", type="primary"):
        return
    before = terms_of(one)
    rw = serving.engines().rw

    def take_back(revision: int) -> None:
        commands.edit_component(rw, scope.viewer, one.id, before, revision=revision, reason="Taken back.")

    attempt(
        lambda: commands.roll_back_component(
            rw, scope.viewer, one.id, version, revision=one.revision, reason=reason
        ),
        f"{one.name} says what version {version} said.",
        undo=Undo(take_back),
    )  # fmt: skip
