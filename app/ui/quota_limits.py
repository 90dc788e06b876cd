"""Who is close to a limit, and every limit of one workspace with what is used, held and left, and its past periods."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.metrics.metric import Unit
from app.records.quotas import Balance, CreditHolder, Standing
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.choices import workspaces_of
from app.ui.empty import empty_card, nothing_here
from app.ui.live import read
from app.ui.onward import onward, place
from app.ui.quota_bars import bars
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.sifted import PAGE
from app.ui.tables import table
from app.ui.views import note_broken
from db.tables.products import METERS

WHOLE, ALL_METERS = "The workspace as a whole", "All meters"
_SOURCES = {
    "plan": "the plan",
    "override": "an exception",
    "customer": "the customer's own limit",
    "service": "a service limit",
    "no plan": "there is no plan",
    "none": "nothing limits it",
}
_LIMITS: Columns = {
    "meter": "Meter",
    "product": "Product",
    "amount": Column("Limit", Unit.COUNT),
    "used": Column("Used", Unit.COUNT),
    "held": Column("Held", Unit.COUNT),
    "left": Column("Left", Unit.COUNT),
    "rolled_over": Column("Brought along", Unit.COUNT),
    "grace": Column("Grace", Unit.COUNT),
    "kind": "Kind",
    "period": "Period",
    "customer": "Of",
    "source": "Ruled by",
    "tier": "Plan",
    "period_end": "Until",
}
_PERIODS: Columns = {
    "period_start": "From",
    "period_end": "Until",
    "meter": "Meter",
    "product": "Product",
    "amount": Column("Limit", Unit.COUNT),
    "used": Column("Used", Unit.COUNT),
    "held": Column("Held", Unit.COUNT),
    "rolled_over": Column("Brought along", Unit.COUNT),
    "kind": "Kind",
    "customer": "Of",
    "over_since": "Over since",
}
# Shown where some row has something to tell by it.
_RARE = ("rolled_over", "grace", "customer", "over_since")


def close(scope: Scope) -> None:
    """Those with four fifths of a limit used and held, the fullest first."""
    listed = read("close_quotas", scope, **within(scope))
    labels = {slug: label for label, slug in workspaces_of(scope.viewer).items()}
    card(
        "Close to a limit",
        bars(listed.rows, labels, scope)
        if listed.rows
        else empty_card("Nobody is close to a limit.", "From 80 per cent on, used and held, a limit stands here."),
        why="From 80 per cent on, the fullest first. Solid: used; paler: held for calls that run. At a hard limit calls"
        f" are refused, at a soft one they go on and are told of. {LIVE}",
        read=listed,
        scope=scope,
    )  # fmt: skip


def limits(scope: Scope) -> None:
    """One workspace at a time, or one customer in it."""
    chosen = workspace_here(scope)
    if chosen is None:
        return
    label, slug = chosen
    who = customer_here(scope, slug)
    found = read("quota_limits", scope, workspace=slug, user=who and who.user_id, product=scope.where.get("product"))
    table(
        [_standing(one) for one in found.rows],
        name="limits",
        title=f"Limits of {label}",
        why="As the next call would meet them. A dash for the limit and for what is left means that there is none."
        f" {LIVE}",
        columns=_telling(_LIMITS, found.rows),
        scope=scope,
        empty=("No plan limits anything here.", "Limits come with a subscription, or with an exception."),
        read=found,
    )
    _past(scope, label, slug)


def within(scope: Scope) -> dict[str, Any]:
    """What was chosen at the top narrows every list of the page."""
    return {name: scope.where.get(name) for name in ("workspace", "product")}


def workspace_here(scope: Scope) -> tuple[str, str] | None:
    """The workspace that the address names, else the first of those chosen above: its label and its short name."""
    chosen_above = scope.where.get("workspace")
    own = {
        label: slug
        for label, slug in workspaces_of(scope.viewer).items()
        if chosen_above is None or slug in chosen_above
    }
    if not own:
        nothing_here("You see no workspace.", fill="Ask an admin of Sightline for one.")
        return None
    note_broken("of", list(own))
    chosen = st.selectbox("Workspace", list(own), key="of", bind="query-params", width=320)
    label = chosen if chosen in own else next(iter(own))
    return label, own[label]


def customer_here(scope: Scope, slug: str) -> CreditHolder | None:
    """Somebody of the workspace; limits of one person are counted for each alone."""
    people = {one.email: one for one in read("credit_holders", scope, workspace=slug).rows}
    return people.get(st.selectbox("Whose", [WHOLE, *people], key=f"quota-who-{slug}", width=320))


def _past(scope: Scope, label: str, slug: str) -> None:
    options = {ALL_METERS: None} | {words.spelled(meter): meter for meter in METERS}
    note_broken("meter", list(options))
    named = st.selectbox("Meter", list(options), key="meter", bind="query-params", width=320)
    meter = options.get(named)
    page = read(
        "quota_periods", scope, workspace=slug, meter=meter, product=scope.where.get("product"),
        after=place(scope, "periods", slug, meter), limit=PAGE,
    )  # fmt: skip
    table(
        [_balance(one) for one in page.rows],
        name="periods",
        title="Periods",
        why=f"The newest first, each as its last call left it. {LIVE}",
        columns=_telling(_PERIODS, page.rows),
        scope=scope,
        empty=("Nothing was counted yet.", "A period begins with its first call."),
        read=page,
    )
    kept = {"show": "Limits", "of": label, "meter": named if meter else None}
    onward(scope.page, scope, page.next, "periods", slug, meter, **kept)


def _telling(columns: Columns, listed: Sequence[Balance | Standing]) -> Columns:
    """Without those by which no row tells anything."""
    return {
        name: column
        for name, column in columns.items()
        if name not in _RARE or any(getattr(one, name) for one in listed)
    }


def _standing(one: Standing) -> dict[str, Any]:
    return _balance(one) | {
        "tier": words.spelled(one.tier),
        "period": _each(one.period),
        "source": _SOURCES.get(one.source, one.source),
        "left": one.left,
    }


def _balance(one: Balance | Standing) -> dict[str, Any]:
    return vars(one) | {
        "meter": words.spelled(one.meter),
        "product": words.spelled(one.product),
        "customer": one.customer or "everybody together",
        "kind": "no limit" if one.amount is None else "soft" if one.is_soft else "hard",
    }


def _each(period: str) -> str:
    return "in all" if period == "lifetime" else f"each {period}"
