"""The component library: listed, edited, offered to every workspace or sold, and withdrawn."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import templates_components as commands
from app.commands.stale import EditedMeanwhileError, Fields
from app.commands.templates_components import LONGEST, Terms, terms_of
from app.records.component_texts import ComponentText
from app.records.templates import OFFERED
from app.ui import words
from app.ui.done import Undo, attempt, save_together
from app.ui.failure import say_refused
from app.ui.live import read
from app.ui.markup import tag
from app.ui.onward import onward, place
from app.ui.people import still_here
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.shelf import MARKET, market_row
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.views import ANY, any_of, note_broken
from db.errors import SightlineError
from db.tables.templates import COMPONENT_TYPES

SHOW = "Components"
# Not `kind`: beside them stand templates, which are of other kinds.
_KIND, _OFFERED = "component_type", "offered"
_LISTED: Columns = {**MARKET, "name": Column("Component", opens="edit_component", key="id")}


def component_list(scope: Scope) -> None:
    """Each leads to its own page; those of others are not even listed."""
    kinds = {words.spelled(one): one for one in COMPONENT_TYPES}
    offered = {words.spelled(one): one for one in OFFERED}
    for name, options in ((_KIND, kinds), (_OFFERED, offered)):
        note_broken(name, [ANY, *options])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Search", key="words", bind="query-params", placeholder="Words of names and descriptions", max_chars=200,
            width=280,
        )  # fmt: skip
        kind, where = any_of(_KIND, list(kinds), 165), any_of(_OFFERED, list(offered), 165)
    listed = ("desk components", sought or "", kind, where)
    found = read(
        "saved_components", scope, after=place(scope, *listed), limit=PAGE, words=sought or "", kind=kinds.get(kind),
        offered=offered.get(where), workspace=scope.where.get("workspace"),
    )  # fmt: skip
    table(
        [market_row(one) for one in found.rows],
        name="components",
        title="Component library",
        why="The newest first; downloads and likes of their whole life.",
        columns=_LISTED,
        scope=scope,
        empty=("No component is like this.", "Type the beginning of a word of its name, or choose fewer filters."),
        read=found,
    )
    chosen = {name: None if one == ANY else one for name, one in ((_KIND, kind), (_OFFERED, where))}
    onward("template_desk", scope, found.next, *listed, show=SHOW, words=sought or None, **chosen)


@st.dialog("Edit component", width="large", icon=":material/edit:")
def edit(scope: Scope, one: ComponentText) -> None:
    """Saved only if nobody changed it since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    before = terms_of(one)
    with st.form("edit-component", border=False):
        left, right = st.columns(2)
        name = left.text_input("Name", one.name, max_chars=LONGEST["name"])
        category = right.text_input("Category", one.category or "", max_chars=LONGEST["category"])
        tags = left.text_input("Tags", ", ".join(one.tags), max_chars=900, help="Between commas.")
        price = right.text_input(f"Price in {one.currency}", f"{one.price.normalize():f}", help="In the marketplace.")
        description = st.text_area("Description", one.description or "", max_chars=LONGEST["description"], height=80)
        code = st.text_area("Code", one.code or "", max_chars=LONGEST["code"], height=260)
        reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(terms: Terms, revision: int, was: Terms, why: str) -> tuple[Terms, Terms, int]:
        now = commands.edit_component(
            serving.engines().rw, scope.viewer, one.id, terms, revision=revision, reason=why, made_on=was
        )
        return was, terms, now

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[Terms, Terms, int]:
        return save(Terms(**merged), stale.revision, Terms(**stale.now), reason)

    def take_back(done: tuple[Terms, Terms, int]) -> None:
        was, _, revision = done
        save(was, revision, was, "Taken back.")

    def wanted() -> Terms:
        listed = tuple(one.strip() for one in tags.split(","))
        return Terms(name, description or None, category or None, listed, code or None, _dollars(price))

    attempt(
        lambda: save(wanted(), one.revision, before, reason), f"{one.name} was changed.", undo=Undo(take_back),
        together=save_both,
    )  # fmt: skip


def offer(scope: Scope, one: ComponentText) -> None:
    """To every workspace, for nothing; one click takes it back."""
    _publish(scope, one, Decimal(0), is_for_sale=False)


@st.dialog("Sell in the marketplace", icon=":material/storefront:")
def sell(scope: Scope, one: ComponentText) -> None:
    """It says what that does."""
    still_here(scope.viewer)
    st.html(tag("p", f"Every workspace is offered {one.name} in the library and in the marketplace.", class_="sl"))
    price = st.text_input(f"Price in {one.currency}", f"{one.price.normalize():f}")
    if st.button("Offer it", type="primary"):
        try:
            dollars = _dollars(price)
        except SightlineError as refusal:
            say_refused(refusal)
            return
        _publish(scope, one, dollars, is_for_sale=True)


@st.dialog("Withdraw component", icon=":material/archive:")
def ask_withdrawal(scope: Scope, one: ComponentText) -> None:
    """It says what stays."""
    still_here(scope.viewer)
    taken = words.counted(one.downloads, "download")
    st.html(tag("p", f"Nobody is offered {one.name} any more. What came of its {taken} stays.", class_="sl"))
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button("Withdraw it", type="primary"):
        attempt(
            lambda: commands.retire_component(
                serving.engines().rw, scope.viewer, one.id, revision=one.revision, reason=reason
            ),
            f"{one.name} is withdrawn.",
            undo=_offered_as_before(scope, one.id),
        )


def _publish(scope: Scope, one: ComponentText, price: Decimal, *, is_for_sale: bool) -> None:
    attempt(
        lambda: commands.publish_component(
            serving.engines().rw, scope.viewer, one.id, is_for_sale=is_for_sale, price=price, revision=one.revision
        ),
        f"{one.name} is offered in the {'marketplace' if is_for_sale else 'library'}.",
        undo=_offered_as_before(scope, one.id),
    )


def _offered_as_before(scope: Scope, key: UUID) -> Undo:
    return Undo(lambda revision: commands.offer_as_before(serving.engines().rw, scope.viewer, key, revision=revision))


def _dollars(given: str) -> Decimal:
    try:
        return Decimal((given or "").strip().replace(",", ""))
    except InvalidOperation:
        raise SightlineError(f"“{given}” is no price.", fix="Give one such as 9.50, or 0.") from None
