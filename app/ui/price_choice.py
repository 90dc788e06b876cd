"""Proposals for the price book: seen beside it, looked for, chosen, and approved after a look at the effect."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

import streamlit as st

from app import serving
from app.access import Permission, Viewer
from app.commands import prices
from app.commands.bill_prices import propose_from_bills
from app.commands.company import sees_whole_company
from app.commands.prices import Approval, Proposed
from app.metrics.metric import Unit
from app.records.prices import WaitingPrice
from app.ui import words
from app.ui.cards import LIVE
from app.ui.failure import say_refused
from app.ui.live import read
from app.ui.markup import tag
from app.ui.people import still_here
from app.ui.price_effect import effect_of
from app.ui.price_form import add_by_hand
from app.ui.price_list import (
    PRICE,
    charged_for,
    chosen_models,
    per_of,
    price_of,
    source_of,
    what_of,
    with_days,
)
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from db.errors import SightlineError

_SAID = "price-book-said"
_MOST_SENTENCES = 20
_COLUMNS: Columns = {
    "model": "Model",
    "what": "Charged for",
    "tier": "Tier",
    "book_price": Column("In the book", Unit.MONEY, currency="USD", is_exact=True),
    "price": Column("Proposed", PRICE.unit, PRICE.currency, is_exact=True),
    "change": Column("Change", Unit.PERCENT),
    "per": "For",
    "valid_from": "Valid from",
    "valid_to": "Until",
    "source": "Source",
    "known_from": "Proposed on",
}


def proposals(scope: Scope) -> None:
    """Each beside what the book says; who may, chooses some and decides."""
    said()
    may = scope.viewer.may(Permission.PRICES_APPROVE) and sees_whole_company(serving.engines().ro, scope.viewer)
    if may:
        _look_for_more(scope)
    else:
        told = "Prices are for every workspace: people of finance who see all of them decide here."
        st.html(tag("p", told, class_="sl sl-small sl-muted"))
    chosen = chosen_models(scope)
    found = read("waiting_prices", scope, provider=chosen["provider"], model=chosen["model"])
    table(
        with_days([_listed(one) for one in found.rows], "valid_from", "valid_to"),
        name="proposals",
        title="Proposals",
        why=f"Nothing costs this until somebody approves it. {LIVE}",
        columns=_COLUMNS,
        scope=scope,
        empty=("No price waits for approval.", "Look for prices, or add one by hand."),
        read=found,
    )
    if may and found.rows:
        _choose(scope, found.rows)


def said() -> None:
    """What the last decision did, once."""
    told: tuple[str, ...] | None = st.session_state.pop(_SAID, None)
    if told:
        first, *others = told
        more = tag("ul", *(tag("li", one) for one in others[:_MOST_SENTENCES])) if others else ""
        st.html(tag("div", tag("b", first), more, class_="sl sl-empty", role="status"))


def _look_for_more(scope: Scope) -> None:
    with st.container(horizontal=True):
        if st.button("Look for prices", icon=":material/search:", help="In the lists of prices, for models in use."):
            _do(lambda: _proposed(prices.propose(serving.engines().rw, scope.viewer)))
        if st.button(
            "Look in bills", icon=":material/request_quote:", help="What providers charged in the last months."
        ):
            _do(lambda: _proposed(propose_from_bills(serving.engines().rw, scope.viewer)))
        if st.button("Add one by hand", icon=":material/add:"):
            add_by_hand(scope, _do)


def _choose(scope: Scope, rows: Sequence[WaitingPrice]) -> None:
    """All proposals of a model at once, or single ones."""
    # Other proposals are another list: what was chosen of the last one is not chosen of it.
    mark = hashlib.sha256("".join(str(one.id) for one in rows).encode()).hexdigest()[:8]
    named = {one.id: one for one in rows}
    models = list(dict.fromkeys(_model(one) for one in rows))
    with st.container(border=True, key="card-decide"):
        st.html(tag("section", tag("h2", "Decide"), class_="sl sl-card"))
        whole = st.pills("All of", models, selection_mode="multi", format_func=_literal, key=f"models-{mark}")
        single = st.multiselect(
            "Single ones",
            [one.id for one in rows if _model(one) not in whole],
            format_func=lambda key: _label(named[key]),
            key=f"single-{mark}",
            placeholder="Choose proposals",
        )
        chosen = [one.id for one in rows if _model(one) in whole or one.id in single]
        number = words.counted(len(chosen), "proposal")
        with st.container(horizontal=True):
            approving = st.button(f"See what {number} would change", type="primary", disabled=not chosen)
            rejecting = st.button(f"Reject {number}", disabled=not chosen)
    if approving:
        _open_effect(scope, chosen)
    elif rejecting:
        _open_rejection(scope, chosen)


def _open_effect(scope: Scope, chosen: Sequence[UUID]) -> None:
    """Worked out once, before the dialog: nothing in it asks again."""
    with st.spinner("Rating the calls with these prices …"):
        try:
            changes = prices.effect(serving.engines().rw, scope.viewer, chosen)
        except SightlineError as refusal:
            say_refused(refusal)
            return
    _approval(scope, tuple(chosen), tuple(changes))


@st.dialog("What these prices would change", width="large", icon=":material/price_change:")
def _approval(scope: Scope, chosen: tuple[UUID, ...], changes: tuple[prices.MonthEffect, ...]) -> None:
    still_here(scope.viewer)
    effect_of(changes)
    looked = st.checkbox("I have looked at what changes.")
    if st.button(f"Approve {words.counted(len(chosen), 'price')}", type="primary", disabled=not looked):
        seen = prices.difference_of(changes)
        _do(lambda: _approved(prices.approve(serving.engines().rw, scope.viewer, chosen, seen=seen)))


@st.dialog("Reject proposals", icon=":material/block:")
def _rejection(viewer: Viewer, chosen: tuple[UUID, ...]) -> None:
    still_here(viewer)
    reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
    if st.button(f"Reject {words.counted(len(chosen), 'proposal')}", type="primary"):
        _do(lambda: _rejected(viewer, chosen, reason))


def _open_rejection(scope: Scope, chosen: Sequence[UUID]) -> None:
    _rejection(scope.viewer, tuple(chosen))


def _do(change: Callable[[], tuple[str, ...]]) -> None:
    """Change something, and draw the page again with what it did; a refusal is said where the person is."""
    try:
        st.session_state[_SAID] = change()
    except SightlineError as refusal:
        say_refused(refusal)
        return
    st.rerun()


def _proposed(found: Proposed) -> tuple[str, ...]:
    return (f"{words.counted(found.count, 'price')} more to decide on.", *found.left_out)


def _approved(done: Approval) -> tuple[str, ...]:
    rated, corrections = words.counted(done.calls_rated, "call"), words.counted(done.corrections, "correction")
    sign = "+" if done.difference > 0 else ""
    changed = f"{rated} of open months priced anew, {corrections} of closed months"
    return (f"The book is at version {done.version}: {changed}, {sign}{words.money(done.difference, 'USD')} in all.",)


def _rejected(viewer: Viewer, chosen: Sequence[UUID], reason: str) -> tuple[str, ...]:
    prices.reject(serving.engines().rw, viewer, chosen, reason=reason)
    return (f"{words.counted(len(chosen), 'proposal')} rejected.",)


def _literal(name: str) -> str:
    """Labels of pills are Markdown, and a model's name is none."""
    return re.sub(r"([^\w\s/.-]|_)", r"\\\1", name)


def _model(one: WaitingPrice) -> str:
    return f"{one.provider}/{one.model}"


def _label(one: WaitingPrice) -> str:
    since = words.day(one.valid_from.astimezone(UTC).date())
    return f"{_model(one)}: {what_of(one)}, {price_of(one.price, one.per)} from {since} ({one.source})"


def _listed(one: WaitingPrice) -> dict[str, Any]:
    return vars(one) | {
        "model": _model(one),
        "what": charged_for(one),
        "tier": words.spelled(one.service_tier),
        "change": _change(one.price, one.book_price),
        "per": per_of(one.per),
        "source": source_of(one.source, one.reference),
    }


def _change(price: Decimal, known: Decimal | None) -> Decimal | None:
    return (price - known) / known if known else None
